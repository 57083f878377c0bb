#!/bin/bash
# Install Matinee on this machine, or bring what is installed into order; safe to run
# again, also after a power cut. Nothing but the Python of the system is needed, and no
# network beyond the Debian mirror (none at all where the bundle has a folder debs/).
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: ./install.sh [--answers FILE] [--key KEY] [--seconds N] [--yes] [--check]
       ./install.sh --preflight [--answers FILE]
       ./install.sh --uninstall [--purge] [--yes]
On an installed machine they are also: matinee config apply, and matinee uninstall.

  --answers FILE  what to install, in YAML, as {matinee_public_url: https://films.example}
                  (ansible/group_vars/all.yml lists all there is to say); without it what
                  the last installation was told, else you are asked
  --key KEY       the public key of whom the bundle must be from (RW…); without it the
                  one that is trusted here already, else the one that came along
  --seconds N     how long all may take to be well after an upgrade, before the release
                  of before is put back; without it 60
  --yes           do not ask whether to begin
  --check         say what would be changed on an installed machine; change nothing
  --preflight     look whether this machine is fit for it; change nothing
  --uninstall     remove Matinee; films, database, keys and backups stay
  --purge         with --uninstall: remove those too, after the host's name was typed
                  (also with --yes; it is read from standard input)

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 this machine is not fit for it, 6 another
installation runs, 130 interrupted.
TEXT
}

say() { printf '%s\n' "$*" >&2; }
fail() {
    local code="$1"
    shift
    say "$*"
    exit "$code"
}

here="$(cd "$(dirname "$(readlink -f "$0")")" && pwd)"
books="$here/ansible"
kept=/etc/matinee/answers.yml
answers="" key="" seconds="" yes=false check=false preflight=false uninstall=false purge=false
while [ "$#" -gt 0 ]; do
    case "$1" in
    --answers)
        [ "$#" -gt 1 ] || fail 2 "--answers needs a file."
        answers="$2"
        shift
        ;;
    --answers=*) answers="${1#--answers=}" ;;
    --key)
        [ "$#" -gt 1 ] || fail 2 "--key needs the public key of your supplier (RW…)."
        key="$2"
        shift
        ;;
    --key=*) key="${1#--key=}" ;;
    --seconds)
        [ "$#" -gt 1 ] || fail 2 "--seconds needs a number."
        seconds="$2"
        shift
        ;;
    --seconds=*) seconds="${1#--seconds=}" ;;
    --yes) yes=true ;;
    --check) check=true ;;
    --preflight) preflight=true ;;
    --uninstall) uninstall=true ;;
    --purge) purge=true ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        fail 2 "There is no option $1."
        ;;
    esac
    shift
done
[[ "$seconds" =~ ^[0-9]*$ ]] || fail 2 "--seconds needs a number."
$purge && ! $uninstall && fail 2 "--purge belongs to --uninstall."

told_besides=()
[ -z "$seconds" ] || told_besides+=(--extra-vars "{\"upgrade_seconds\": $seconds}")

main() {
    require_ground
    one_at_a_time
    work="$(mktemp --directory /var/tmp/matinee-install.XXXXXXXX)"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM HUP
    if $uninstall; then
        confirm_uninstall
        make_ansible
        # It goes on when what it came from is gone.
        cp --recursive "$books" "$work/ansible"
        books="$work/ansible"
        play uninstall.yml --extra-vars "{\"matinee_purge\": \"$typed\"}"
        return
    fi
    check_bundle
    take_answers
    make_ansible
    if $preflight; then
        play site.yml --tags validate
        return
    fi
    confirm
    if $check; then
        play site.yml --check --diff
        return
    fi
    play site.yml
    tell_what_next
}

require_ground() {
    [ "$(id -u)" -eq 0 ] || fail 5 "Say it as root: sudo $0"
    command -v python3 >/dev/null || fail 3 "Install python3 first: apt install python3"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail 3 "The Python of this system is too old: Matinee installs on Debian 12."
}

one_at_a_time() {
    exec 9>/run/lock/matinee-install.lock
    flock --nonblock 9 ||
        fail 6 "Another installation of Matinee runs on this machine: let it end first."
}

# Whether the bundle is the one that was made, and who signed it; an installed release
# is whole already, and root's.
check_bundle() {
    [ "$here" = "$(readlink -f /opt/matinee/current)" ] && return
    python3 -I -B "$here/verify" ${key:+--key "$key"} "$here" >&2 ||
        fail 3 "This bundle is not to be used. Nothing was changed."
}

take_answers() {
    if [ -n "$answers" ]; then
        [ -r "$answers" ] || fail 2 "There is no file $answers."
        answers="$(readlink -f "$answers")"
    elif [ -e "$kept" ]; then
        answers="$kept"
        say "Taking the answers of the last installation, $kept."
    elif [ -t 0 ] && ! $yes; then
        ask
    else
        fail 2 "Say what to install with --answers FILE; --help says what is in it."
    fi
}

ask() {
    local url="" name="" password="" again=""
    answers="$work/answers.yml"
    say "Which address will people type? As https://films.example.org"
    while ! [[ "$url" =~ ^https://[A-Za-z0-9.-]+(:[0-9]+)?/?$ ]]; do
        read -r -p "Address: " url
    done
    say "What is the first administrator called? Empty: you get a link to make one."
    read -r -p "User name: " name
    if [ -n "$name" ]; then
        while [ -z "$password" ] || [ "$password" != "$again" ]; do
            read -r -s -p "Password: " password && say ""
            read -r -s -p "And again: " again && say ""
        done
        (umask 077 && printf '%s' "$password" >"$work/password")
        told_besides+=(--extra-vars "$(as_json matinee_admin "$name" \
            matinee_admin_password_file "$work/password")")
    fi
    (umask 077 && as_json matinee_public_url "$url" >"$answers")
}

as_json() {
    python3 -c 'import json, sys
print(json.dumps(dict(zip(sys.argv[1::2], sys.argv[2::2]))))' "$@"
}

confirm() {
    $yes || $check && return
    [ -t 0 ] || fail 2 "Nobody is there to ask: say --yes."
    local reply=""
    read -r -p "Install Matinee on $(hostname) now? [y/N] " reply
    [[ "$reply" =~ ^[yY] ]] || fail 1 "Nothing was changed."
}

confirm_uninstall() {
    typed=""
    if $purge; then
        say "Films, database, keys and backups of this machine will be removed for good."
        say "Type its name, $(hostname), to go on:"
        read -r typed || true
        [ "$typed" = "$(hostname)" ] || fail 1 "That is not its name. Nothing was changed."
    elif ! $yes; then
        [ -t 0 ] || fail 2 "Nobody is there to ask: say --yes."
        local reply=""
        read -r -p "Remove Matinee from $(hostname)? Films and data stay. [y/N] " reply
        [[ "$reply" =~ ^[yY] ]] || fail 1 "Nothing was changed."
    fi
}

# An Ansible of our own, thrown away at the end; the system's, if any, is not touched.
make_ansible() {
    local pip=("$here"/wheelhouse/pip-*.whl)
    [ -e "${pip[0]}" ] || fail 3 "$here is no whole bundle: wheelhouse/ is missing."
    say "Unpacking the installer"
    python3 -m venv --without-pip "$work/venv"
    "$work/venv/bin/python" "${pip[0]}/pip" install --quiet --no-index --no-cache-dir \
        --no-compile --disable-pip-version-check --find-links "$here/wheelhouse" \
        ansible-core
    printf '[control]\nlocalhost ansible_connection=local\n' >"$work/inventory"
}

play() {
    local book="$1" log=/var/log/matinee-install.log code=0
    shift
    if $check || $preflight; then log="$work/log"; fi
    local told=()
    if [ -n "$answers" ]; then
        told=(--extra-vars "@$answers" --extra-vars "$(as_json matinee_answers "$answers")")
    fi
    (umask 077 && touch "$log")
    # The lock is ours: what outlives us, as an agent of ssh, must not hold it.
    env --unset=PYTHONPATH LC_ALL=C.UTF-8 ANSIBLE_CONFIG="$books/ansible.cfg" \
        ANSIBLE_HOME="$work/home" ANSIBLE_LOCAL_TEMP="$work/tmp" ANSIBLE_LOG_PATH="$log" \
        ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3 \
        "$work/venv/bin/python" -m ansible playbook --inventory "$work/inventory" \
        --extra-vars "$(as_json matinee_bundle "$here")" "${told[@]}" "${told_besides[@]}" \
        "$@" "$books/$book" 9>&- </dev/null || code=$?
    [ "$code" -eq 0 ] && return
    $check || $preflight || say "The whole log is in $log. It is safe to run this again."
    exit "$([ "$code" -eq 2 ] && $preflight && echo 3 || echo 1)"
}

tell_what_next() {
    local url
    url="$(/usr/local/bin/matinee config get portal.public_url | tr -d '"')"
    echo
    echo "Matinee is installed: $url"
    echo "The SHA-256 fingerprint of its certificate, to compare with what a browser shows:"
    openssl x509 -in /etc/matinee/tls/certificate.pem -noout -fingerprint -sha256 |
        sed 's/^.*=/  /'
    # One line when there is an administrator, a link that works once when there is none.
    /usr/local/bin/matinee init --yes --quiet
    [ -e /var/lib/matinee/keys/recovery.json ] ||
        echo "Backups begin when you have the key that opens them: matinee backup key new"
    echo "After a change of $kept: matinee config apply"
    echo "How it fares: matinee doctor"
}

main
