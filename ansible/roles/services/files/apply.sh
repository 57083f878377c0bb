#!/bin/bash
# Start what does not run, and start anew what runs with a unit, a configuration or a
# release that is not the one in use any more. What was started with what is kept below
# /run, which a reboot empties; so nothing depends on whether the run that changed a file
# came to its end. Prints what it has started. With --note first it starts nothing:
# whoever has just started those units says so.
set -euo pipefail

kept=/run/matinee-applied
note=false
[ "${1:-}" != --note ] || { note=true && shift; }
umask 077
mkdir -p "$kept"
systemctl daemon-reload

is_not_for_here() {
    [ "$(systemctl show --property=ConditionResult --value "$1")" = no ]
}

# Whether what is running was started after the last of its files was written: so after a
# reboot, when nothing is kept and all runs with what was there.
is_newest() {
    local unit="$1" when=ActiveEnterTimestamp since file
    if ! systemctl --quiet is-active "$unit"; then
        # As that of a graphics processor that is not there.
        is_not_for_here "$unit" || return 1
        when=ConditionTimestamp
    fi
    since="$(systemctl show --property="$when" --timestamp=unix --value "$unit")"
    since="${since#@}"
    for file in $(systemctl show --property=FragmentPath,DropInPaths --value "$unit") \
        "${read_too[@]}" "${links[@]}"; do
        [ "$(stat --format=%Z "$file")" -lt "${since:-0}" ] || return 1
    done
}

sum() { sha256sum | cut --delimiter=' ' --fields=1; }

for unit in "$@"; do
    # A socket does not read the configuration; nginx is told by `matinee nginx install`.
    case "$unit" in
    *.socket | *.timer | *.path | *.target | matinee-nginx.service) read_too=() links=() ;;
    *)
        read_too=(/etc/matinee/matinee.toml /opt/matinee/current/release.json)
        links=(/opt/matinee/current)
        # What the control node told, on a machine that joined one.
        [ ! -e /etc/matinee/joined.toml ] || read_too+=(/etc/matinee/joined.toml)
        # Who it is there and how it gets at the others: a machine that joined again is
        # told the same settings, and runs with a password that counts no more.
        for secret in node.toml queue.toml queue-ca.pem s3.toml; do
            secret="/var/lib/matinee/keys/$secret"
            [ ! -e "$secret" ] || read_too+=("$secret")
        done
        ;;
    esac
    of_unit="$(systemctl cat "$unit" | sum)"
    now="$of_unit $(cat "${read_too[@]:-/dev/null}" | sum)"
    before="$(cat "$kept/$unit" 2>/dev/null || true)"
    if $note; then
        printf '%s' "$now" >"$kept/$unit"
        continue
    fi
    if [ "$now" = "$before" ] && systemctl --quiet is-active "$unit"; then
        continue
    fi
    if [ -z "$before" ] && is_newest "$unit"; then
        printf '%s' "$now" >"$kept/$unit"
        continue
    fi
    if [ "$now" = "$before" ] && is_not_for_here "$unit"; then
        continue
    fi
    how=(restart)
    case "$unit" in
    # An encoder may take its time to end; nobody has to wait for it.
    matinee-media.service | matinee-gpu.service) how=(--no-block restart) ;;
    # Nobody waits for a portal that reads other files under the unit of before.
    matinee-web.service) [ "$of_unit" != "${before% *}" ] || how=(reload-or-restart) ;;
    # What is part of it would end with it, and has its turn here by itself.
    *.target) how=(start) ;;
    esac
    systemctl "${how[@]}" "$unit"
    printf '%s' "$now" >"$kept/$unit"
    echo "$unit"
done
