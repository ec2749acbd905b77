#!/usr/bin/env bash
# Builds etcd and kube-apiserver from the modules that go.mod pins, and copies the CRDs that crds/files lists out of the
# modules that crds/go.mod pins; each once, into a cache folder named after its pins. Prints two lines: the folder with
# the programs, then the folder with the CRDs. A filled cache needs neither Go nor network. Where KUBEBUILDER_ASSETS is
# set, the programs are taken from there; where HUBCTL_TEST_KUBECONFIG is, nobody needs them. Exit code 69: something has
# to be built and there is no Go.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/once.sh"

build_programs() { # into folder $1
  local version minor
  version=$(go -C "$here" list -m -f '{{.Version}}' k8s.io/kubernetes)
  minor=${version#v1.}
  minor=${minor%%.*}
  local stamp="-X k8s.io/component-base/version.gitVersion=$version"
  stamp+=" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$minor"
  echo "building etcd and kube-apiserver $version, once; this takes minutes" >&2
  # Lowest priority: whoever waits for this works on something else meanwhile.
  CGO_ENABLED=0 nice -n 19 go -C "$here" build -trimpath -ldflags "-s -w" -o "$1/etcd" go.etcd.io/etcd/server/v3
  CGO_ENABLED=0 nice -n 19 go -C "$here" build -trimpath -ldflags "-s -w $stamp" -o "$1/kube-apiserver" \
    k8s.io/kubernetes/cmd/kube-apiserver
}

copy_crds() { # into folder $1
  local module file folder
  # Checks what is downloaded against go.sum.
  go -C "$here/crds" mod download
  while read -r module file folder; do # a folder is for files that are no CRDs
    install -D -m 0644 "$(go -C "$here/crds" list -m -f '{{.Dir}}' "$module")/$file" "$1/$folder/${file##*/}"
  done <"$here/crds/files"
  install -m 0644 "$here"/crds/*.yaml "$1"
}

programs=$cache/programs-$(key "$here/go.sum")
definitions=$cache/crds-$(key "$here/crds/go.sum" "$here/crds/files" "$here"/crds/*.yaml)
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  programs=$KUBEBUILDER_ASSETS
elif [ -z "${HUBCTL_TEST_KUBECONFIG:-}" ]; then
  once "$programs" build_programs
fi
once "$definitions" copy_crds
echo "$programs"
echo "$definitions"
