#!/bin/sh
# @NAME@ @VERSION@
#
# A test installer with the command-line contract of a conda (constructor) installer: a shell script with an archive
# behind it. Our own program; build.py fills in what stands between at-signs and appends the payload.

name='@NAME@'
version='@VERSION@'
md5='@MD5@'
header_lines='@HEADER_LINES@'
needed_mb='@NEEDED_MB@'
placeholder='@PLACEHOLDER@'

batch=0 force=0 update=0 skip_scripts=0 keep_packages=0 run_tests=0 init=0
prefix=${HOME:-/opt}/testforge3

usage() {
    cat <<USAGE
usage: $0 [options]

Installs $name $version

-b           run install in batch mode (without manual intervention),
             it is expected the license terms (if any) are agreed upon
-f           no error if install prefix already exists
-h           print this help message and exit
-i           run install in interactive mode (default)
-k           do not clear the package cache after installation
-m           disable the creation of menu items / shortcuts
-p PREFIX    install prefix, defaults to $prefix, must not contain spaces.
-s           skip running pre/post-link/install scripts
-u           update an existing installation
-t           run package tests after installation
-c           run 'conda init' after installation
USAGE
}

fail() {
    printf 'ERROR: %s\n' "$1" >&2
    exit 1
}

# A script that is read from standard input or sourced has no payload behind it.
check_own_name() {
    case $0 in
        *.sh) ;;
        *)
            printf 'Please run this file by its own name, which ends in .sh.\n' >&2
            exit 1
            ;;
    esac
}

check_system() {
    [ "$(uname -s)" = Linux ] || fail "this installer is for Linux"
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //')
    oldest=$(printf '%s\n' '@GLIBC@' "${glibc:-0}" | sort -V | head -n 1)
    [ "$oldest" = '@GLIBC@' ] || fail "needs glibc @GLIBC@ or newer, found ${glibc:-none}"
}

read_options() {
    while getopts bifhkp:smutc option; do
        case $option in
            b) batch=1 ;;
            i) batch=0 ;;
            f) force=1 ;;
            h) usage; exit 2 ;;
            k) keep_packages=1 ;;
            p) prefix=$OPTARG ;;
            s) skip_scripts=1 ;;
            m) ;;
            u) force=1 update=1 ;;
            t) run_tests=1 ;;
            c) init=1 ;;
            *) usage >&2; exit 1 ;;
        esac
    done
}

# Ends the run at the end of the input: nobody is there to answer.
answer() {
    printf '%s' "$1"
    read -r reply || { printf '\n' >&2; exit 1; }
}

ask() {
    printf 'Welcome to %s %s\n\nThe test installer of a notebook cluster. It has no terms of its own.\n\n' \
        "$name" "$version"
    answer 'Do you accept the license terms? [yes|no] '
    case $reply in
        yes | YES | Yes) ;;
        *) printf 'The license agreement was not approved, aborting installation.\n' >&2; exit 2 ;;
    esac
    answer "Installation location [$prefix] >>> "
    prefix=${reply:-$prefix}
}

check_prefix() {
    case $prefix in
        *' '*) fail "Cannot install into directories with spaces" ;;
    esac
    if [ "$force" = 0 ] && [ -e "$prefix" ]; then
        fail "File or directory already exists: '$prefix'
If you want to update an existing installation, use the -u option."
    fi
}

# What `df` knows: it does not see a quota.
check_space() {
    free_mb=$(df -Pm -- "$prefix" | awk 'NR == 2 {print $4}')
    [ "${free_mb:-0}" -ge "$needed_mb" ] ||
        fail "Not enough space left: ${free_mb:-0} MB in $prefix, $needed_mb MB needed"
}

check_environment() {
    [ -z "${PYTHONPATH:-}" ] || printf 'WARNING: PYTHONPATH is set: %s\n' "$PYTHONPATH" >&2
    [ -z "${LD_LIBRARY_PATH:-}" ] || unset LD_LIBRARY_PATH
}

payload() {
    tail -n "+$((header_lines + 1))" -- "$0"
}

# A warning and no more, as the original does it.
check_payload() {
    found=$(payload | md5sum | cut -d ' ' -f 1)
    [ "$found" = "$md5" ] ||
        printf 'WARNING: md5sum mismatch of the payload: expected %s, got %s\n' "$md5" "$found" >&2
}

# From here on the prefix cannot be moved.
write_prefix() {
    escaped=$(printf '%s' "$prefix" | sed 's/[\\&|]/\\&/g')
    while read -r file; do
        sed -i "s|$placeholder|$escaped|g" "$prefix/$file" || fail "cannot write $prefix/$file"
    done < "$prefix/conda-meta/prefix-files"
}

unpack() {
    printf 'Unpacking payload ...\n'
    payload | tar -xzf - -C "$prefix" || fail "cannot unpack the payload into $prefix"
    write_prefix
    [ "$keep_packages" = 1 ] || rm -rf "$prefix/pkgs"
    "$prefix/bin/python" -c 'import ssl, sqlite3, ctypes' ||
        fail "cannot execute native linux-64 binary in $prefix"
}

finish() {
    if [ "$skip_scripts" = 0 ]; then
        "$prefix/bin/conda" --version > /dev/null || fail "post-install script failed"
    fi
    if [ "$run_tests" = 1 ]; then
        "$prefix/bin/pip" check || fail "package tests failed"
    fi
    if [ "$init" = 1 ]; then "$prefix/bin/conda" init bash; fi
    printf 'installation finished.\n'
}

main() {
    check_own_name
    read_options "$@"
    check_system
    [ "$batch" = 1 ] || ask
    check_environment
    check_prefix
    mkdir -p -- "$prefix" || fail "Could not create directory: '$prefix'"
    prefix=$(cd -- "$prefix" && pwd -P) || fail "Could not enter directory: '$prefix'"
    [ "$update" = 1 ] || printf 'PREFIX=%s\n' "$prefix"
    check_space
    check_payload
    unpack
    finish
    exit 0
}

main "$@"
