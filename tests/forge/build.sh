#!/usr/bin/env bash
# Builds Gitea from the modules that go.mod pins, once, into a cache folder named after its pins, and copies beside it
# what it reads at run time. Prints that folder. A filled cache needs neither Go nor network. Exit code 69: something has
# to be built and there is no Go, or no C compiler, which its SQLite needs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hubctl/forge
made=$cache/gitea-$(sha256sum <"$here/go.sum" | cut -c1-16)

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -d "$made" ]; then
  for program in go "${CC:-cc}"; do
    command -v "$program" >/dev/null && continue
    echo "tests/forge has Gitea to build and there is no $program: install Go 1.26.2 or later and a C compiler" >&2
    exit 69
  done
  version=$(go -C "$here" list -m -f '{{.Version}}' code.gitea.io/gitea)
  echo "building Gitea $version, once; this takes minutes" >&2
  fresh=$(mktemp -d "$cache/new.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  # Lowest priority: whoever waits for this works on something else meanwhile.
  CGO_ENABLED=1 nice -n 19 go -C "$here" build -trimpath -tags 'sqlite sqlite_unlock_notify' \
    -ldflags "-s -w -X main.Version=${version#v}" -o "$fresh/gitea" code.gitea.io/gitea
  module=$(go -C "$here" list -m -f '{{.Dir}}' code.gitea.io/gitea)
  cp -r "$module/templates" "$module/options" "$module/public" "$fresh"
  chmod -R u+w "$fresh"
  mv "$fresh" "$made"
fi
echo "$made"
