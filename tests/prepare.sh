#!/bin/sh
# What the development needs: the packages of bindep.txt and the Python environment .venv, pinned by requirements.lock.
# Run again and again: when nothing is to do it says nothing and takes a moment.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'prepare: %s\n' "$*"; }
fail() {
    printf 'prepare: ERROR: %s\n' "$*" >&2
    exit 1
}

# The packages of bindep.txt; those of podman only where docker does not do its work.
wanted() {
    without='^$'
    if ! command -v podman > /dev/null && docker ps > /dev/null 2>&1; then without='\[podman\]'; fi
    sed -e 's/#.*//' -e "/$without/d" -e 's/\[.*\]//' -e 's/ *$//' -e '/^$/d' bindep.txt
}

# One question to dpkg for all of them. Its command will do as well (busybox-static, pyenv, another node).
missing() {
    # shellcheck disable=SC2046  # one argument for each package
    installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' \
        $(wanted) 2> /dev/null | sed -n 's/^installed //p')
    for package in $(wanted); do
        printf '%s\n' "$installed" | grep -qxF "$package" && continue
        case $package in nodejs) command=node ;; *) command=$package ;; esac
        command -v "$command" > /dev/null || printf '%s ' "$package"
    done
}

# Runs a command as root, or ends with what the person has to do.
install_packages() {
    command="apt-get install --no-install-recommends $*"
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
        sudo=sudo
    else
        fail "Debian packages are missing: $*
    Install them as root and run this again:    $command"
    fi
    say "installing Debian packages: $*"
    $sudo apt-get update -qq
    # shellcheck disable=SC2086  # no sudo is no word
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}

prepare_packages() {
    if ! command -v dpkg-query > /dev/null; then
        say "no dpkg here: the counterparts of the Debian packages in bindep.txt have to be there"
        return
    fi
    # shellcheck disable=SC2046  # one argument for each package
    set -- $(missing)
    [ $# = 0 ] || install_packages "$@"
}

# The machine's python3 when it is new enough, otherwise the newest one that is.
find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            printf '%s\n' "$python"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, found $(python3 --version 2>&1 || true)"
}

prepare_python() {
    stamp=.venv/requirements.lock
    cmp -s requirements.lock "$stamp" && return
    python=$(find_python)
    say "installing the Python packages of requirements.lock into .venv"
    .venv/bin/python -m pip --version > /dev/null 2>&1 || "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        --requirement requirements.lock
    cp requirements.lock "$stamp"
}

prepare_packages
prepare_python
