# shellcheck shell=sh disable=SC2153,SC2154 # the controller gives the settings
# Writes a modulefile whole or not at all, and removes those of earlier runs. TARGET is empty when
# none is written; STALE has the paths to remove, one on each line; OURS is in all files of ours.
LC_ALL=C
export LC_ALL

refuse() {
  emit failed "$1"
  emit where "$2"
  end_answers
  exit 0
}

# attempt PATH COMMAND…: what it says when it fails is the reason.
attempt() {
  at=$1
  shift
  words=$("$@" 2>&1) || refuse "${words:-$1 failed}" "$at"
}

# File systems that know quotas or a network may refuse only now.
settle() {
  words=$(sync "$1" 2>&1) && return
  case $words in *[Qq]uota* | *"o space"* | *"nput/output"*) refuse "$words" "$1" ;; esac
  sync
}

# By cat, which says why it cannot write: dash's own printf calls everything an I/O error.
put() {
  printf '%s' "$CONTENT" | cat >"$1"
}

# A copy that both module commands pass over, because its name ends in ~.
keep_a_copy() {
  [ -f "$TARGET" ] && ! grep -q "$OURS" "$TARGET" 2>/dev/null || return 0
  copy=$TARGET.$(date +%Y-%m-%d@%H:%M:%S)~
  attempt "$copy" cp -p "$TARGET" "$copy"
  settle "$copy"
}

write() {
  umask 022
  attempt "$directory" mkdir -p "$directory"
  # What killed runs left half written; a run at work is younger than an hour.
  find "$directory" -maxdepth 1 -type f -name ".${TARGET##*/}.hpcc-??????" -mmin +60 -exec rm -f {} + 2>/dev/null
  new=$(mktemp "$directory/.${TARGET##*/}.hpcc-XXXXXX" 2>&1) || refuse "$new" "$directory"
  trap 'rm -f "$new"' EXIT
  attempt "$TARGET" put "$new"
  attempt "$TARGET" chmod 644 "$new"
  settle "$new"
  [ "$(cat "$new")" = "${CONTENT%?}" ] || refuse "the file system did not keep what was written" "$TARGET"
  keep_a_copy
  # A directory would swallow the file; not every mv has -T.
  [ ! -d "$TARGET" ] || refuse "Is a directory" "$TARGET"
  attempt "$TARGET" mv -f "$new" "$TARGET"
}

directory=${TARGET%/*}
[ -z "$TARGET" ] || write
printf '%s\n' "$STALE" | while read -r old; do
  [ -z "$old" ] || words=$(rm -f "$old" 2>&1) || { emit failed "$words" && emit where "$old"; }
done
[ -z "$TARGET" ] || sync "$directory" 2>/dev/null || sync
emit applied yes
end_answers
