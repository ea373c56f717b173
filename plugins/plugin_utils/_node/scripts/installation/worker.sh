# shellcheck shell=sh
# The work itself, in a session of its own on the host: every step may be the last one, and the next run goes on.
# Settings: PREFIX RUN JOB (install, packages, adopt, rollback, remove or clean) GENERATION DISTRIBUTION VERSION SHA256 URL KIB INODES DEADLINE,
# and those of room.sh, lock.sh, download.sh, prune.sh, install.sh, uv.sh and change.sh, which stand before it.

say() {
  printf '[%s] %s\n' "$(date -u +%H:%M:%S)" "$*"
}

# Files appear whole, by rename, so that a poll never reads half of one.
put() {
  printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"
}

# phase NAME [FILE]: what goes on from now; FILE grows meanwhile.
phase() {
  put "$WORK/phase" "phase=$1 since=$(date +%s) file=${2:-} from=$(size_of "${2:-}")"
  say "== $1"
}

# The record of how it ended comes last of all: who reads it may take the lock.
finish() {
  unlock
  tell_end "$@"
  exit "$1"
}

# Into blanks that were put there at the beginning, since a full disk is one of the things that it has to tell.
tell_end() {
  rm -rf "${WORK:?}/home" "$WORK/tmp" "$WORK/upload" "$WORK/wheels" "$WORK/trial"
  { emit code "$1" && emit message "$2" && emit todo "$3" && tell_held; } 1<>"$WORK/blanks" && mv -f "$WORK/blanks" "$WORK/exit"
}

# Which old generations had to stay. Not many words: there is only so much room in the blanks.
tell_held() {
  head -n 5 "$WORK/held" 2>/dev/null | cut -c1-300 | while read -r line; do emit stays "$line"; done
}

# What was half done is removed at once: it may be what fills the disk, and is of no use to anybody. What was complete once
# may be of use: somebody may have put something into it.
fail() {
  say "failed: $1"
  lack=$(lack_of_room)
  message=$1
  if [ -n "$lack" ]; then message="$lack; $1" && set -- "$1" "Make room and run again: it goes on from here"; fi
  if [ "$JOB" = install ] && [ -n "${LOCKED:-}" ] && [ -e "$TREE" ] && is_noted begun "$GENERATION" &&
    ! is_complete "$GENERATION" && [ -z "$(why_keep "$GENERATION")" ]; then
    discard "$TREE"
    empty_trash
  fi
  finish 1 "$message" "${2:-}"
}

# The words for a full disk when it was one: the programs said so, or nothing can be written any more.
lack_of_room() {
  words=$(tail -n 60 "$STORE/logs/$RUN.log" "$WORK/words" 2>/dev/null |
    grep -i -e 'no space left' -e 'quota exceeded' -e 'not enough .*space' | tail -n 1 | cut -c1-200)
  [ -n "$words" ] || words=$( (dd if=/dev/zero of="$WORK/last" bs=65536 count=16 conv=fsync 2>&1 || mkdir "$WORK/last.d" 2>&1) |
    grep -i -e 'no space' -e quota | tail -n 1)
  rm -rf "$WORK/last" "$WORK/last.d"
  [ -z "$words" ] || room_words "${words##*: }"
}

# Nothing that the person has set for other work decides what is installed here; a proxy and its certificates do.
clean_environment() {
  umask 022
  for name in $(env | sed -n -e 's/^\(CONDA[A-Z0-9_]*\)=.*/\1/p' -e 's/^\(_CE_[A-Z_]*\)=.*/\1/p' \
    -e 's/^\(PIP_[A-Z0-9_]*\)=.*/\1/p' -e 's/^\(UV_[A-Z0-9_]*\)=.*/\1/p' -e 's/^\(PYTHON[A-Z0-9_]*\)=.*/\1/p'); do
    unset "$name"
  done
  unset LD_LIBRARY_PATH XDG_CONFIG_HOME CURL_HOME WGETRC
  # Messages in English, since some of them decide; letters as the person has them.
  LANG=${LC_ALL:-${LC_CTYPE:-${LANG:-C}}}
  unset LC_ALL LC_CTYPE LANGUAGE
  export HOME="$WORK/home" TMPDIR="$WORK/tmp" PYTHONNOUSERSITE=1 LANG LC_MESSAGES=C
  trust
  [ -z "$TERMS_ACCEPTED" ] || export CONDA_PLUGINS_AUTO_ACCEPT_TOS=yes
}

# The host's own certificates also for programs that bring some of their own (pip, conda).
# SITE_BUNDLE is the file that the environment names, if any.
trust() {
  SITE_BUNDLE=
  # shellcheck disable=SC2034 # for install.sh
  for bundle in "${SSL_CERT_FILE:-}" "${CURL_CA_BUNDLE:-}" "${REQUESTS_CA_BUNDLE:-}"; do
    [ ! -r "$bundle" ] || { SITE_BUNDLE=$bundle && break; }
  done
  for bundle in "${SSL_CERT_FILE:-}" "${CURL_CA_BUNDLE:-}" /etc/ssl/certs/ca-certificates.crt \
    /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    [ -r "$bundle" ] || continue
    export SSL_CERT_FILE="$bundle" REQUESTS_CA_BUNDLE="${REQUESTS_CA_BUNDLE:-$bundle}"
    printf 'ca_certificate = %s\n' "$bundle" >"$HOME/.wgetrc"
    return
  done
}

# What others may have used up since the trial.
check_room() {
  if [ "$KIB" -gt "$(free_kib)" ] || [ "$INODES" -gt "$(free_inodes)" ]; then
    fail "$(room_words "")" "Make room, or choose an anaconda_prefix on another file system"
  fi
}

# The file system must have everything before it has the marker.
settle() {
  words=$(sync -f "$1" 2>&1) && return
  case $words in *[Qq]uota* | *"o space"* | *"nput/output"*) fail "cannot be written to the disk: $words" "" ;; esac
  sync
}

# One file or directory: a whole file system may have much to write for others, too.
settle_one() {
  sync "$1" 2>/dev/null || sync
}

mark() {
  close_tree
  # Half a list would make the rest a person's.
  { list_files >"$STORE/markers/.new-$GENERATION" &&
    mv -f "$STORE/markers/.new-$GENERATION" "$STORE/markers/.files-$GENERATION"; } || fail "cannot note the files of $GENERATION" ""
  note_unshipped
  settle "$TREE"
  put "$STORE/markers/.new-$GENERATION" "schema=1 distribution=$DISTRIBUTION version=$VERSION sha256=$SHA256 \
path=$TREE date=$(date -u +%Y-%m-%dT%H:%M:%SZ) url=$URL"
  settle_one "$STORE/markers/.new-$GENERATION"
  mv -f "$STORE/markers/.new-$GENERATION" "$STORE/markers/$GENERATION"
  is_complete "$GENERATION" || fail "cannot write the marker of $GENERATION" "Is the disk full?"
}

# os.replace is the one rename that never falls into a directory, and the new Python is there to do it.
flip() {
  phase activate
  look_at_prefix
  case $WHAT in
    nothing | generation) ;;
    *) fail "$ROOT has become a $WHAT that is not ours" "Move it away and run again" ;;
  esac
  # Says what was live before, once it is true: whoever reads it looks whether `to` is live.
  [ "$LIVE" = "$GENERATION" ] || put "$STORE/markers/.turn" "from=$LIVE to=$GENERATION back=$1"
  rm -f "$WORK/link"
  ln -s "${STORE##*/}/$GENERATION" "$WORK/link"
  "$TREE/bin/python" -I -S -c 'import os, sys; os.replace(sys.argv[1], sys.argv[2])' "$WORK/link" "$ROOT" ||
    fail "cannot point $ROOT to $GENERATION" "Look at who may write to the directory above it"
  [ "$LIVE" = "$GENERATION" ] || date_lease "$LIVE"
  settle_one "$STORE"
  settle_one "${ROOT%/*}/"
}

install_generation() {
  is_complete "$GENERATION" && return
  clear_garbage
  claim "$GENERATION"
  empty_trash
  check_room
  fetch
  run_installer
  install_packages
  sync -f "$TREE" 2>/dev/null & # so that less is left to do when it counts
  verify
  verify_conda
  record_terms
  name_stable_path
  mark
}

# The directory stays where somebody made it; the link and the marker make it a generation of ours.
adopt() {
  claim "$GENERATION"
  ln -sfn "$ROOT" "$TREE"
  if [ -n "$PACKAGES" ]; then prepare_change && apply_change; fi
  verify
  mark
  rm -f "$STORE/markers/.files-$GENERATION"
}

# Whoever waits for this run may go on. The lock stays until the end: the next work has to wait.
end_with_compiling() {
  [ -n "$PACKAGES" ] || return 0
  trap 'unlock && exit 0' HUP INT TERM
  say "done; compiling what pip brought"
  tell_end 0 "" ""
  compile_packages
  unlock
  exit 0
}

work() {
  cd / || exit 1 # where this was started, others may write: what an installer or Python looks for there is not ours
  locate
  # shellcheck disable=SC2034 # for room.sh and prune.sh; installer and pip get another HOME
  OWN_HOME=$HOME WORK=$STORE/work/$RUN TREE=$STORE/$GENERATION STALL=60 PLACE=$STORE
  [ "$DEADLINE" -ge "$STALL" ] || STALL=$DEADLINE
  printf '%4000s\n' '' >"$WORK/blanks"
  take_lock
  LOCKED=yes
  trap 'fail "the worker was told to stop" "Run again: it goes on from here"' HUP INT TERM
  phase start
  clean_environment
  case $JOB in
    packages) change_packages ;;
    adopt) adopt ;;
    rollback) flip yes ;;
    clean) prune ;;
    remove) remove_all ;;
    *) install_generation && flip no && prune && end_with_compiling ;;
  esac
  say "done"
  finish 0 "" ""
}

work </dev/null
