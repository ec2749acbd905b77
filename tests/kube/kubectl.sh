#!/usr/bin/env bash
# Builds the kubectl that tests/kube/kubectl pins, once, into a cache folder named after its pins. Prints the folder that
# holds it. Exit code 69: it has to be built and there is no Go.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/once.sh"

build_kubectl() { # into folder $1
  echo "building kubectl, once" >&2
  CGO_ENABLED=0 nice -n 19 go -C "$here/kubectl" build -trimpath -ldflags "-s -w" -o "$1/kubectl" .
}

programs=$cache/kubectl-$(key "$here/kubectl/go.sum" "$here/kubectl/main.go")
once "$programs" build_kubectl
echo "$programs"
