#!/bin/bash
# mkdisk.sh TREE OUT.raw MEBIBYTES: a disk that UEFI boots, from a tree of files. No loop
# device, no mount, and no rights but to read the tree; whoever owns the files is seen
# as this process sees it. The same tree makes the same disk with SOURCE_DATE_EPOCH set.
set -euo pipefail

tree="$1" out="$2" size="$3" esp=256
work="$(mktemp --directory)"
trap 'rm -rf "$work"' EXIT

kernel="$(printf '%s\n' "$tree"/boot/vmlinuz-* | sort --version-sort | tail --lines 1)"
version="${kernel##*/vmlinuz-}"

# The root, filled while it is made.
truncate --size "${size}M" "$work/root"
mke2fs -q -t ext4 -L matinee-root -d "$tree" \
    -E root_owner=0:0,hash_seed=6b2c8cc0-9d3f-4b0e-8a47-1b6c3a0c0001 "$work/root"

# The partition that the firmware reads, with systemd-boot.
truncate --size "${esp}M" "$work/esp"
mkfs.vfat -F 32 -n ESP -i 0A11CE01 "$work/esp" >/dev/null
export MTOOLS_SKIP_CHECK=1
mmd -i "$work/esp" ::EFI ::EFI/BOOT ::loader ::loader/entries ::matinee
mcopy -i "$work/esp" "$tree/usr/lib/systemd/boot/efi/systemd-bootx64.efi" \
    ::EFI/BOOT/BOOTX64.EFI
printf 'timeout 0\ndefault matinee*\n' | mcopy -i "$work/esp" - ::loader/loader.conf
# no_timer_check: on a busy host the timer of a virtual machine is late at times, which
# the kernel would take for a broken one, and panic.
mcopy -i "$work/esp" - ::loader/entries/matinee.conf <<ENTRY
title Matinee
version $version
linux /matinee/vmlinuz
initrd /matinee/initrd
options root=LABEL=matinee-root rw no_timer_check console=tty0 console=ttyS0,115200
ENTRY
mcopy -i "$work/esp" "$kernel" ::matinee/vmlinuz
mcopy -i "$work/esp" "$tree/boot/initrd.img-$version" ::matinee/initrd

rm -f "$out"
truncate --size "$((1 + esp + size + 1))M" "$out"
sfdisk --quiet "$out" <<TABLE
label: gpt
start=1MiB, size=${esp}MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp
start=$((1 + esp))MiB, size=${size}MiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=matinee-root
TABLE
dd if="$work/esp" of="$out" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$work/root" of="$out" bs=1M seek="$((1 + esp))" conv=notrunc,sparse status=none
