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
want ip iproute2
want sshfs sshfs
want bindfs bindfs
want socat socat
want certutil libnss3-tools
want pebble pebble
want restic restic
# Machines for tests: containers with a systemd of their own, and their way out.
want systemd-nspawn systemd-container
want mmdebstrap mmdebstrap
want slirp4netns slirp4netns
want nft nftables
want ssh openssh-client
want pgrep procps
# Releases are signed by the one, and checked by the other; the third lists packages.
want minisign minisign
want openssl openssl
want apt-ftparchive apt-utils
# Images of disks, and machines that boot them.
want qemu-system-x86_64 qemu-system-x86
want qemu-img qemu-utils
want mcopy mtools
want mkfs.vfat dosfstools
want mke2fs e2fsprogs
want sfdisk fdisk
test -e /usr/share/OVMF/OVMF_CODE_4M.fd || missing+=(ovmf)
test -e /usr/lib/openssh/sftp-server || missing+=(openssh-sftp-server)
"$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3-venv)
test -e /usr/share/nginx/modules-available/mod-http-js.conf ||
    missing+=(libnginx-mod-http-js)
test -e /etc/ssl/certs/ca-certificates.crt || missing+=(ca-certificates)
# What quality reports are set in as PDFs.
test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf || missing+=(fonts-dejavu-core)
# Somebody speaking, whose words are known: what captions by machine are tested with.
test -e /usr/share/asterisk/sounds/en_US_f_Allison/vm-intro.wav ||
    missing+=(asterisk-core-sounds-en-wav)

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
