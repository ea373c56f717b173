# shellcheck shell=sh disable=SC2154
# How a program on a node answers: name=value lines in a frame. POSIX sh: dash, bash and busybox run it.
# MARK, which only this one call knows, comes before it; the program itself comes behind it.

NEWLINE='
'

# emit NAME VALUE: a value that is more than plain ASCII is sent in hexadecimal digits, so that none can end its line.
emit() {
  case $2 in
    *[!\ -~]* | *"$NEWLINE"*) printf '%s:%s\n' "$1" "$(printf '%s' "$2" | od -An -v -tx1 | tr -d ' \n')" ;;
    *) printf '%s=%s\n' "$1" "$2" ;;
  esac
}

begin_answers() {
  echo "hpcc-begin $MARK"
}

end_answers() {
  echo "hpcc-end $MARK"
}
