#!/bin/bash
# kernel.sh: make an installed machine one that boots by itself. Run in it, as root.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

mkdir -p /etc/initramfs-tools/conf.d
printf 'MODULES=list\nCOMPRESS=zstd\n' >/etc/initramfs-tools/conf.d/matinee
# What virtual and plain machines have their disks on.
printf '%s\n' virtio_pci virtio_blk virtio_scsi ext4 ahci sd_mod nvme xhci_pci \
    usb_storage vmw_pvscsi hv_storvsc >/etc/initramfs-tools/modules
apt-get -qq update
apt-get -qq install -y --no-install-recommends \
    linux-image-cloud-amd64 initramfs-tools systemd-boot-efi zstd \
    cloud-guest-utils systemd-timesyncd systemd-resolved
apt-get -qq clean
