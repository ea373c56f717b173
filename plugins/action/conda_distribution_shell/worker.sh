# shellcheck shell=sh
# The work itself, in a session of its own on the host: every step may be the last one, and the next run goes on.
# Settings: PREFIX RUN JOB (install or packages) GENERATION DISTRIBUTION VERSION SHA256 URL KIB INODES DEADLINE,
# and those of lock.sh, download.sh and install.sh, which stand before it.

say() {
  printf '[%s] %s\n' "$(date -u +%H:%M:%S)" "$*"
}

# Files appear whole, by rename, so that a poll never reads half of one.
put() {
  printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"
}

phase() {
  put "$WORK/phase" "phase=$1 since=$(date +%s) file=${2:-}"
  say "== $1"
}

# The record of how it ended comes last of all: who reads it may take the lock.
finish() {
  unlock
  rm -rf "${WORK:?}/home" "$WORK/tmp" "$WORK/upload"
  put "$WORK/exit" "$(emit code "$1" && emit message "$2" && emit todo "$3")"
  exit "$1"
}

fail() {
  say "failed: $1"
  finish 1 "$1" "${2:-}"
}

# Nothing that the person has set for other work decides what is installed here; a proxy and its certificates do.
clean_environment() {
  umask 022
  for name in $(env | sed -n -e 's/^\(CONDA[A-Z0-9_]*\)=.*/\1/p' -e 's/^\(_CE_[A-Z_]*\)=.*/\1/p' \
    -e 's/^\(PIP_[A-Z0-9_]*\)=.*/\1/p' -e 's/^\(PYTHON[A-Z0-9_]*\)=.*/\1/p'); do
    unset "$name"
  done
  unset LD_LIBRARY_PATH XDG_CONFIG_HOME CURL_HOME WGETRC
  export HOME="$WORK/home" TMPDIR="$WORK/tmp" PYTHONNOUSERSITE=1
  trust
}

# The host's own certificates also for programs that bring some of their own (pip, conda).
trust() {
  for bundle in "${SSL_CERT_FILE:-}" "${CURL_CA_BUNDLE:-}" /etc/ssl/certs/ca-certificates.crt \
    /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    [ -r "$bundle" ] || continue
    export SSL_CERT_FILE="$bundle" REQUESTS_CA_BUNDLE="${REQUESTS_CA_BUNDLE:-$bundle}"
    printf 'ca_certificate = %s\n' "$bundle" >"$HOME/.wgetrc"
    return
  done
}

# enough WHAT NEEDED FREE: an unknown number is no reason to refuse.
enough() {
  [ -z "$3" ] || [ "$3" -ge "$2" ] 2>/dev/null ||
    fail "not enough room: needs $2 $1, $STORE has $3" "Make room, or choose a prefix on another file system"
}

check_room() {
  enough "KiB" "$KIB" "$(df -Pk "$STORE" | awk 'NR == 2 { print $4 }')"
  enough "inodes" "$INODES" "$(df -Pi "$STORE" 2>/dev/null | awk 'NR == 2 && $2 > 0 { print $4 }')"
}

# The file system must have everything before it has the marker.
settle() {
  sync -f "$1" 2>/dev/null || sync
}

mark() {
  settle "$TREE"
  put "$STORE/markers/.new-$GENERATION" "schema=1 distribution=$DISTRIBUTION version=$VERSION sha256=$SHA256 \
path=$TREE date=$(date -u +%Y-%m-%dT%H:%M:%SZ) url=$URL"
  settle "$STORE/markers/.new-$GENERATION"
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
  PREVIOUS=$LIVE
  rm -f "$STORE/.link"
  ln -s "${STORE##*/}/$GENERATION" "$STORE/.link"
  "$TREE/bin/python" -I -S -c 'import os, sys; os.replace(sys.argv[1], sys.argv[2])' "$STORE/.link" "$ROOT" ||
    fail "cannot point $ROOT to $GENERATION" "Look at who may write to the directory above it"
  settle "$STORE/markers"
}

# Stays: the live generation, the one before it, and whatever holds environments that somebody made.
prune() {
  phase clean
  for old in "$STORE"/anaconda-* "$STORE"/miniconda-* "$STORE"/miniforge-*; do
    case ${old##*/} in "$GENERATION" | "$PREVIOUS") continue ;; esac
    [ -d "$old" ] || continue
    [ -z "$(ls "$old/envs" 2>/dev/null)" ] || continue
    discard "$old"
  done
  rm -f "$STORE"/downloads/*
  empty_trash
  forget_old_runs
}

forget_old_runs() {
  find "$STORE/logs" -name '*.log' -mtime +30 -exec rm -f {} +
  find "$STORE/work" -mindepth 1 -maxdepth 1 -mmin +60 -exec rm -rf {} +
}

install_generation() {
  is_complete "$GENERATION" && return
  empty_trash
  check_room
  fetch
  run_installer
  install_packages later
  compile_packages
  verify
  verify_conda
  mark
}

# In place, on the living generation: the note makes the next run repair what an interruption leaves.
change_packages() {
  put "$STORE/markers/.changing-$GENERATION" "$PACKAGES"
  install_packages now
  verify
  settle "$TREE"
  rm -f "$STORE/markers/.changing-$GENERATION"
}

work() {
  locate
  WORK=$STORE/work/$RUN TREE=$STORE/$GENERATION STALL=60
  [ "$DEADLINE" -ge "$STALL" ] || STALL=$DEADLINE
  take_lock
  trap 'fail "the worker was told to stop" "Run again: it goes on from here"' HUP INT TERM
  phase start
  clean_environment
  case $JOB in
    packages) change_packages ;;
    *) install_generation && flip && prune ;;
  esac
  say "done"
  finish 0 "" ""
}

work </dev/null
