#!/bin/sh
# Runs a command where every user of this machine can reach the checkout, because tests that are root become other users.
# For a checkout below a directory that only root may enter, such as /root: in a mount namespace that ends with the command.
set -eu

blocked=
directory=$PWD
while [ -n "$directory" ]; do
    case $(stat -c %A "$directory") in *[xt]) ;; *) blocked=$directory ;; esac
    directory=${directory%/*}
done
if [ "$(id -u)" != 0 ] || [ -z "$blocked" ]; then exec "$@"; fi

# shellcheck disable=SC2016  # for the inner shell
exec unshare --mount sh -euc '
    blocked=$1 aside=$(mktemp -d) && shift
    mount --bind "$PWD" "$aside"
    mount -t tmpfs -o mode=755 tmpfs "$blocked"
    mkdir -p "$PWD"
    mount --bind "$aside" "$PWD"
    umount "$aside"
    rmdir "$aside"
    cd "$PWD"
    exec "$@"
' sh "$blocked" "$@"
