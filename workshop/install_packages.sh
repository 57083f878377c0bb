#!/usr/bin/env bash
# Install the Debian packages that are missing; quick and silent when none is.
set -euo pipefail

python="${1:-python3}"
missing=()
# Debian keeps the commands of root out of everybody's PATH.
PATH="$PATH:/usr/sbin:/sbin"

# want COMMAND PACKAGE: the package is missing where nothing answers to the command.
want() {
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}

want ffmpeg ffmpeg
want chromium chromium
want node nodejs
want npm npm
want redis-server redis-server
want setpriv util-linux
want nginx nginx-light
want wrk wrk
"$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3-venv)
test -e /usr/share/nginx/modules-available/mod-http-js.conf ||
    missing+=(libnginx-mod-http-js)
test -e /etc/ssl/certs/ca-certificates.crt || missing+=(ca-certificates)

if [ "${#missing[@]}" -eq 0 ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Install these with your package manager, then try again: ${missing[*]}" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "Debian packages are missing; run this as root, then try again:" \
        "apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi
echo "Installing Debian packages: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=600 update --quiet=2 >/dev/null
apt-get -o DPkg::Lock::Timeout=600 install --quiet=2 --yes \
    --no-install-recommends "${missing[@]}" </dev/null >/dev/null
