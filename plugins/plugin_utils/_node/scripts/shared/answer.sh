# shellcheck shell=sh disable=SC2154
# How a program on a node answers: lines name=value, each behind a mark. POSIX sh: dash, bash and busybox run it.
# MARK, which only this one call knows, comes before it; the program itself comes behind it. Each line bears it, since what
# login files have left running may print in between.

NEWLINE='
'

# emit NAME VALUE: a value that is more than plain ASCII is sent in hexadecimal digits, so that none can end its line.
emit() {
  case $2 in
    *[!\ -~]* | *"$NEWLINE"*) printf '%s%s:%s\n' "${MARK:+$MARK }" "$1" "$(printf '%s' "$2" | od -An -v -tx1 | tr -d ' \n')" ;;
    *) printf '%s%s=%s\n' "${MARK:+$MARK }" "$1" "$2" ;;
  esac
}

# Lines of another program of ours, or of a file, that are answers but for the mark.
pass_on() {
  sed "s/^/$MARK /"
}

# heard PROGRAM ARGUMENT…: what it says of itself within 3 seconds. A file server that is down keeps a program waiting for
# minutes; and what one has started and left behind keeps a pipe open: so whoever reads waits for nobody's end either.
heard() {
  limit=$(command -v timeout >/dev/null && echo timeout -s KILL 3)
  (LC_ALL=C $limit "$@" 2>/dev/null &) | $limit cat
}

end_answers() {
  echo "$MARK end"
}
