#!/usr/bin/env bash
# Builds Argo CD, the kustomize that it calls and a Redis for its caches from the modules that go.mod pins; once, into a
# cache folder named after its pins. Prints the folder. Exit code 69: something has to be built and there is no Go.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../kube/once.sh"

build() { # file $1 from package $2, with the linker's flags $3
  # Lowest priority: whoever waits for this works on something else meanwhile.
  CGO_ENABLED=0 nice -n 19 go -C "$here" build -trimpath -buildvcs=false -ldflags "-s -w ${3:-}" -o "$1" "$2"
}

build_programs() { # into folder $1
  local module=github.com/argoproj/argo-cd/v3 version each
  version=$(go -C "$here" list -m -f '{{.Version}}' "$module")
  echo "building Argo CD $version, once; this takes minutes" >&2
  build "$1/argocd" "$module/cmd" "-X $module/common.version=${version#v}"
  build "$1/kustomize" sigs.k8s.io/kustomize/kustomize/v5
  build "$1/redis" ./redis
  # The repo-server calls it for every commit, signed or not.
  install -m 0755 "$(go -C "$here" list -m -f '{{.Dir}}' "$module")/hack/git-verify-wrapper.sh" "$1"
  # One program, which is what it is called.
  for each in application-controller applicationset-controller repo-server git-ask-pass; do
    ln -s argocd "$1/argocd-$each"
  done
}

programs=$cache/argo-$(key "$here/go.sum" "$here/build.sh" "$here/redis/main.go")
once "$programs" build_programs
echo "$programs"
