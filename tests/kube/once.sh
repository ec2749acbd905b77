# Sourced by the build scripts here and in tests/argo. A folder of the cache is named after the hash of what pins its
# content, and appears whole or not at all; a filled one needs neither Go nor network.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hubctl/kube

key() { cat "$@" | sha256sum | cut -c1-16; }

need_go() {
  command -v go >/dev/null && return
  echo "tests/${here##*/} has something to build and there is no Go: install Go 1.26.3 or later" >&2
  exit 69
}

once() { # folder $1, filled by function $2
  [ -d "$1" ] && return
  need_go
  fresh=$(mktemp -d "$cache/new.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  "$2" "$fresh"
  mv "$fresh" "$1"
}

mkdir -p "$cache"
exec 9>"$cache/lock"
if ! flock -n 9; then
  echo "waiting for another build to end" >&2
  flock 9
fi
