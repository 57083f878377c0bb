#!/bin/bash
# strip.sh TREE: take out of an installed tree what belongs to one machine only, so that
# each copy of the image makes its own: keys, certificates, names, logs.
set -euo pipefail

tree="$1"
cd "$tree"
rm -rf var/lib/matinee/* var/lib/matinee/.[!.]* srv/matinee/media/* run/* tmp/* \
    etc/matinee/answers.yml etc/matinee/matinee.toml etc/matinee/tls \
    etc/matinee/nginx etc/matinee/releases root/* root/.ssh root/.bash_history \
    root/.cache root/.ansible etc/ssh/ssh_host_* var/lib/dbus/machine-id \
    var/lib/systemd/random-seed var/lib/systemd/credential.secret \
    var/lib/dhcp/* var/lib/apt/lists/* var/cache/apt/*.bin var/cache/matinee/* \
    var/tmp/* var/log/journal/* var/log/matinee/* var/log/*.log var/log/apt/* \
    etc/systemd/network/10-* srv/bundles home/*
: >etc/machine-id
printf 'matinee\n' >etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 matinee\n::1 localhost\n' >etc/hosts
rm -f etc/resolv.conf
ln -s ../run/systemd/resolve/stub-resolv.conf etc/resolv.conf
printf 'LABEL=matinee-root / ext4 defaults,x-systemd.growfs 0 1\n' >etc/fstab
# Until then nothing of Matinee starts, see files/.
: >etc/matinee/first-boot
