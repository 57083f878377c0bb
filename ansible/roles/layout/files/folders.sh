#!/bin/bash
# Make folders, each said as PATH OWNER GROUP MODE, and set right what is there. Prints
# those that were changed; with --check first, those that would be. One run for all: a
# task for each takes seconds.
set -euo pipefail

check=false
[ "${1:-}" != --check ] || { check=true && shift; }
while [ "$#" -gt 0 ]; do
    path="$1" wanted="$2 $3 $4 directory"
    found="$(stat --format='%U %G 0%a %F' "$path" 2>/dev/null || true)"
    if [ "$found" != "$wanted" ]; then
        $check || install --directory --owner="$2" --group="$3" --mode="$4" "$path"
        echo "$path"
    fi
    shift 4
done
