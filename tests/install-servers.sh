#!/bin/sh
# Installs the programs that tests start themselves, where that is possible: on Debian, as root.
# Elsewhere it changes nothing; a test whose program is missing says what to install, and fails in CI.
set -eu
PATH="$PATH:/usr/sbin"
missing=""
command -v sshd >/dev/null || missing="$missing openssh-server"
command -v gpg >/dev/null || missing="$missing gnupg"
command -v haproxy >/dev/null || missing="$missing haproxy"
command -v prometheus >/dev/null || missing="$missing prometheus"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$missing postgresql"
if [ "$(id -u)" != 0 ]; then
    [ -z "$missing" ] || echo "for all tests install:$missing"
    exit 0
fi
if [ -n "$missing" ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    # Tests start servers of their own; the package would make and start one at once.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    # Run level 1: install the programs, start no service.
    # shellcheck disable=SC2086 - one word a package
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
fi
# sshd refuses to start as root without it, on any port.
mkdir -p /run/sshd
