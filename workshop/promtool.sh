#!/usr/bin/env bash
# Fetch promtool, which the rules for Prometheus are checked with, and print its path.
# It is taken out of Debian's package: installed, that would start a server here.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v promtool >/dev/null 2>&1; then
    command -v promtool
    exit 0
fi
tool="$PWD/var/tools/promtool"
if [ ! -x "$tool" ]; then
    aside="$(mktemp -d)"
    trap 'rm -rf "$aside"' EXIT
    chmod 755 "$aside"
    (cd "$aside" && apt-get -qq download prometheus >&2)
    dpkg-deb --fsys-tarfile "$aside"/prometheus_*.deb |
        tar -x -C "$aside" ./usr/bin/promtool
    mkdir -p "$(dirname "$tool")"
    mv "$aside/usr/bin/promtool" "$tool.new"
    mv "$tool.new" "$tool"
fi
echo "$tool"
