#!/usr/bin/env bash
# Builds the cluster-proxy of Open Cluster Management and the konnectivity server and agent that it tunnels through from
# the modules that go.mod pins; once, into a cache folder named after its pins. Prints the folder. Exit code 69: something
# has to be built and there is no Go.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../kube/once.sh"

build() { # file $1 from package $2
  # Lowest priority: whoever waits for this works on something else meanwhile.
  nice -n 19 go -C "$here" build -trimpath -buildvcs=false -ldflags "-s -w" -o "$1" "$2"
}

build_programs() { # into folder $1
  local module=open-cluster-management.io/cluster-proxy
  echo "building $module $(go -C "$here" list -m -f '{{.Version}}' "$module"), once; this takes minutes" >&2
  build "$1/cluster-proxy" "$module/cmd/cluster-proxy"
  build "$1/konnectivity-server" sigs.k8s.io/apiserver-network-proxy/cmd/server
  build "$1/konnectivity-agent" sigs.k8s.io/apiserver-network-proxy/cmd/agent
}

programs=$cache/clusterproxy-$(key "$here/go.sum" "$here/build.sh")
once "$programs" build_programs
echo "$programs"
