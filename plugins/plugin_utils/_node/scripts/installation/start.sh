# shellcheck shell=sh
# Prepares the directories and leaves the worker running on its own, whatever becomes of this connection.
# Settings: PREFIX OWNER GROUP (may be empty or missing) RUN KIB INODES (empty: nothing is tried first) WORKER (the worker's program; empty: prepare only).

# The directory above may give rights to what is made in it, whatever the umask: others may read, and nobody may write.
close() {
  { command -v setfacl >/dev/null && setfacl -b -k "$@" 2>/dev/null; } || :
  chmod go-w "$@"
}

# Nobody else reads or changes what is downloaded, checked and run in here.
private() {
  [ ! -L "$1" ] && (umask 077 && mkdir -p "$1") && chmod 700 "$1" && return
  refuse "$1 is not a directory of ours" "Move it away and run again"
}

# One closed door is enough: behind it everything may be read, whatever an installer has made of it.
give_to_group() {
  problem=$({ chgrp "$GROUP" "$STORE" && chmod 750 "$STORE"; } 2>&1) ||
    refuse "cannot give $STORE to the group $GROUP: $(printf '%s' "$problem" | tail -n 1)" "Choose another anaconda_group"
}

# What mkdir or ln says of a full disk, or of a directory that is closed to us.
cannot_write() {
  refuse "cannot write there: $(printf '%s' "$1" | tail -n 1)" "Make room or choose another prefix"
}

# make_way DIRECTORY: with all above it, one by one, so that each is made where nobody else can put another in its place.
make_way() {
  if [ ! -d "$1/" ]; then
    make_way "${1%/*}"
    problem=$(mkdir "$1" 2>&1) || [ -d "$1" ] || cannot_write "$problem" # another run may be faster
  fi
  require_kept "$1"
}

# Nothing is written into it that was not judged: in a directory such as /tmp, it may be somebody else's by now.
make_store() {
  make_way "${STORE%/*}"
  if problem=$(mkdir "$STORE" 2>&1); then
    close "$STORE"
    require_own "$STORE"
  elif [ -d "$STORE" ]; then
    may_run "$STORE" || refuse "$WHY" "$REMEDY"
  else
    cannot_write "$problem"
  fi
}

# The store gets its identity before anything else. What was there before it, and is not proved to be ours, stays alone.
identify() {
  case $(kind_of_store) in
    ours) ;;
    foreign)
      refuse "$STORE is a directory that was not made by this collection, and is left alone" \
        "Choose another anaconda_prefix, or move it away: mv $STORE $STORE.old" ;;
    *)
      for name in $(old_generations); do : >"$STORE/markers/.begun-$name"; done
      problem=$(ln -s "schema=1 id=$RUN" "$STORE/.hpcc-notebook-store" 2>&1) ||
        [ -L "$STORE/.hpcc-notebook-store" ] || cannot_write "$problem" # another run was faster
      ;;
  esac
}

prepare() {
  umask 022
  make_store
  identify
  problem=$(mkdir -p "$STORE/markers" "$STORE/trash" 2>&1) || cannot_write "$problem"
  close "$STORE" "$STORE/markers" "$STORE/trash"
  chmod 755 "$STORE/markers" "$STORE/trash" # the store is the door
  [ -z "${GROUP:-}" ] || give_to_group
  for directory in work downloads logs; do
    private "$STORE/$directory"
  done
  private "$WORK"
  [ -L "$WORK/run" ] || ln -s "run=$RUN" "$WORK/run" || refuse "cannot write there" "Make room (quota, disk) and run again"
  mkdir -p "$WORK/home" "$WORK/tmp"
}

# A session of its own outlives the ssh connection and the terminal; the output must not be inherited.
detach() {
  log=$STORE/logs/$RUN.log
  (umask 077 && printf '[%s] run %s\n' "$(date -u +%H:%M:%S)" "$RUN" >"$log" && printf '%s' "$WORKER" >"$WORK/worker.sh") ||
    refuse "cannot write there" "Make room (quota, disk) and run again"
  if setsid -f true 2>/dev/null; then
    setsid -f sh "$WORK/worker.sh" >>"$log" 2>&1 </dev/null
  elif command -v setsid >/dev/null; then
    setsid sh "$WORK/worker.sh" >>"$log" 2>&1 </dev/null &
  else
    (trap '' HUP && exec sh "$WORK/worker.sh" >>"$log" 2>&1 </dev/null) &
  fi
}

# Until it has the lock or has ended, the worker may not have left this session yet.
wait_for_worker() {
  tries=0
  while [ "$tries" -lt 50 ] && [ ! -e "$WORK/phase" ] && [ ! -e "$WORK/exit" ]; do
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
}

start() {
  locate
  WORK=$STORE/work/$RUN
  require_trusted
  [ -z "$KIB" ] || trial
  prepare
  require_trusted # what was not there might have been made by somebody else
  if [ -n "$WORKER" ]; then
    detach
    wait_for_worker
  fi
  emit work "$WORK"
  end_answers
}

start </dev/null
