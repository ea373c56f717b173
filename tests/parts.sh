#!/bin/sh
# parts.sh PART…: makes one part of the tests after the other, until one fails, and says in the end what each has taken.
set -u

taken=
for part; do
    began=$(date +%s)
    "${MAKE:-make}" --no-print-directory "$part"
    status=$?
    taken="$taken$(printf '%-9s %5d s' "$part" $(($(date +%s) - began)))
"
    [ "$status" = 0 ] || break
done
printf '%s' "$taken"
exit "$status"
