#!/usr/bin/env bash
# Builds the kustomize that benchmarks/peers/kustomize pins, once, into a cache folder named after its pins. Prints the
# folder that holds it. Exit code 69: it has to be built and there is no Go.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pins=$here/../../benchmarks/peers/kustomize
. "$here/once.sh"

build_kustomize() { # into folder $1
  echo "building kustomize, once" >&2
  CGO_ENABLED=0 nice -n 19 go -C "$pins" build -trimpath -o "$1/kustomize" sigs.k8s.io/kustomize/kustomize/v5
}

programs=$cache/kustomize-$(key "$pins/go.sum")
once "$programs" build_kustomize
echo "$programs"
