#!/usr/bin/env bash
# Runs the tests of this folder on a cluster of kind's, which it makes and removes. Takes `kind` from PATH, else Go builds
# it. PYTHON is the interpreter that has the development environment.
set -euo pipefail

version=v0.33.0
name=hubctl-test-$$

for engine in docker podman nerdctl; do
  if command -v "$engine" >/dev/null && "$engine" info >/dev/null 2>&1; then found=$engine && break; fi
done
if [ -z "${found:-}" ]; then
  echo "kind needs a running container engine: install and start docker, podman or nerdctl, or name a cluster" >&2
  echo "with HUBCTL_TEST_KUBECONFIG and run make test-kube" >&2
  exit 69
fi
if command -v kind >/dev/null; then
  kind() { command kind "$@"; }
elif command -v go >/dev/null; then
  kind() { go run "sigs.k8s.io/kind@$version" "$@"; }
else
  echo "there is no kind and no Go to build it with: install either" >&2
  exit 69
fi

export KIND_EXPERIMENTAL_PROVIDER=$found
folder=$(mktemp -d)
trap 'kind delete cluster --name "$name"; rm -rf "$folder"' EXIT
kind create cluster --name "$name" --kubeconfig "$folder/kubeconfig" --wait 5m
HUBCTL_TEST_KUBECONFIG=$folder/kubeconfig "${PYTHON:-python3}" -m pytest -m kube
