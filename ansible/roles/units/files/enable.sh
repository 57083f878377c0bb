#!/bin/bash
# Let units start by themselves that do not yet; systemd reads once what there is of them.
# Prints those that it has enabled.
set -euo pipefail

systemctl daemon-reload
missing=()
for unit in "$@"; do
    [ "$(systemctl is-enabled "$unit" 2>/dev/null)" = enabled ] || missing+=("$unit")
done
[ "${#missing[@]}" -gt 0 ] || exit 0
systemctl --quiet enable "${missing[@]}"
printf '%s\n' "${missing[@]}"
