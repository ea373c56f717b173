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

# Whoever else may write to the directory, such as a group, can put a link in the place of a name at any moment: what is
# written is new (-C), and from then on has no name but its descriptor's.

# By cat, which says why it cannot write: dash's own printf calls everything an I/O error.
put() {
  set -C
  { chmod 644 /proc/self/fd/3 && printf '%s' "$CONTENT" | cat >&3; } 3>"$1"
}

# With the rights and the date of the file that was opened, whatever has its name by then.
copy_to() {
  set -C
  umask 077
  { cat <&4 >&3 && chmod "$(stat -L -c %a /proc/self/fd/4)" /proc/self/fd/3 &&
    touch -r /proc/self/fd/4 /proc/self/fd/3; } 4<"$TARGET" 3>"$1"
}

# A copy that both module commands pass over, because its name ends in ~.
keep_a_copy() {
  [ -f "$TARGET" ] && ! grep -q "$OURS" "$TARGET" 2>/dev/null || return 0
  copy=$TARGET.$(date +%Y-%m-%d@%H:%M:%S)~
  attempt "$copy" copy_to "$copy"
  settle "$copy"
}

write() {
  umask 022
  attempt "$directory" mkdir -p "$directory"
  # What killed runs left half written; a run at work is younger than an hour.
  find "$directory" -maxdepth 1 -type f -name ".${TARGET##*/}.hpcc-??????" -mmin +60 -exec rm -f {} + 2>/dev/null
  new=$directory/.${TARGET##*/}.hpcc-$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
  trap 'rm -f "$new"' EXIT
  attempt "$TARGET" put "$new"
  settle "$new"
  [ "$(cat "$new")" = "${CONTENT%?}" ] || refuse "the file system did not keep what was written" "$TARGET"
  keep_a_copy
  # A directory would swallow the file; not every mv has -T.
  [ ! -d "$TARGET" ] || refuse "Is a directory" "$TARGET"
  attempt "$TARGET" mv -f "$new" "$TARGET"
}

# take_away PATH: from within its directory, since another may have been put in the place of that one after the look, and
# only if what lies there is ours.
take_away() (
  [ -e "$1" ] || return 0
  cd -P "${1%/*}/" || return 1
  grep -q "$OURS" "./${1##*/}"
  case $? in
    0) rm -f "./${1##*/}" ;;
    1) ;;
    *) return 1 ;;
  esac
)

directory=${TARGET%/*}
[ -z "$TARGET" ] || write
printf '%s\n' "$STALE" | while read -r old; do
  [ -z "$old" ] || words=$(take_away "$old" 2>&1) || { emit failed "$words" && emit where "$old"; }
done
[ -z "$TARGET" ] || sync "$directory" 2>/dev/null || sync
emit applied yes
end_answers
