# shellcheck shell=sh
# How much room this account has at PLACE, and the words for too little of it.
# Settings: KIB INODES (what the whole job needs; 0: only a little).

ENOUGH=999999999999

# quota_left FIRST: what the user's own quota leaves on that file system, where a quota program knows (column FIRST: use,
# then soft limit, then hard limit); nothing otherwise.
quota_left() {
  device=$(df -P "$PLACE" | awk 'NR == 2 { print $1 }')
  heard quota -w -p | awk -v device="$device" -v first="$1" '
    $1 == device { limit = $(first + 2) > 0 ? $(first + 2) : $(first + 1)
                   if (limit > 0) print (limit > $first + 0 ? limit - $first : 0) }' | tail -n 1
}

smaller() {
  if [ -z "$2" ] || [ "$1" -le "$2" ]; then echo "$1"; else echo "$2"; fi
}

free_kib() {
  free=$(df -Pk "$PLACE" | awk 'NR == 2 { print $4 }')
  smaller "${free:-$ENOUGH}" "$(quota_left 2)"
}

free_inodes() {
  free=$(df -Pi "$PLACE" 2>/dev/null | awk 'NR == 2 && $2 > 0 { print $4 }')
  smaller "${free:-$ENOUGH}" "$(quota_left 6)"
}

# room_words WORDS: what is lacking, with what is needed and what is there; WORDS are those of a program.
room_words() {
  needed=
  [ "${KIB:-0}" = 0 ] || needed="$((KIB / 1024)) MiB and $INODES inodes are needed for the whole, "
  have="$(($(free_kib) / 1024)) MiB and $(free_inodes) inodes are free"
  [ "$(free_inodes)" -lt "$ENOUGH" ] || have="$(($(free_kib) / 1024)) MiB are free"
  case $1 in
    *[Qq]uota*) echo "the quota is exhausted: $needed$have on the file system as a whole ($1)" ;;
    *)
      kind="not enough room"
      [ "$(free_inodes)" -ge "${INODES:-1}" ] || kind="not enough inodes"
      echo "$kind: $needed$have${1:+ ($1)}"
      ;;
  esac
}
