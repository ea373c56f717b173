# shellcheck shell=sh
# One worker at a time: takes the lock, and takes it over from a worker that is gone.
# Settings: RUN.

my_record() {
  printf 'run=%s host=%s boot=%s pid=%s group=%s start=%s uid=%s user=%s since=%s' "$RUN" "$(uname -n)" \
    "$(boot_id)" $$ "$(group_of $$)" "$(process_start $$)" "$(id -u)" "$(id -un)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
}

# What a worker that died left running would write into our generation.
end_orphans() {
  orphans=$(field pid "$HOLDER")
  [ "$(field boot "$HOLDER")" = "$(boot_id)" ] || return 0
  [ "$(field group "$HOLDER")" = "$orphans" ] && ! process_start "$orphans" >/dev/null || return 0
  kill -s KILL -- "-$orphans" 2>/dev/null && say "ended what the worker $orphans had left running"
  return 0
}

# Two that find a dead holder must not both remove it: the second would remove the lock of the first.
take_over() {
  find "$STORE/lock.takeover" -prune -mmin +1 -exec rmdir {} \; 2>/dev/null
  mkdir "$STORE/lock.takeover" 2>/dev/null || return 1
  look_at_lock
  if [ "$HELD" = dead ]; then
    say "taking over from $HOLDER"
    end_orphans
    rm -f "$STORE/lock"
  fi
  rmdir "$STORE/lock.takeover"
}

# Other hosts of this home cannot see this process: for them, the time of a file goes on as long as it lives.
show_life() {
  while sleep 2 && process_start $$ >/dev/null; do touch -c "$WORK/beat"; done
}

take_lock() {
  : >"$WORK/beat"
  show_life >/dev/null 2>&1 </dev/null &
  LIFE=$!
  record=$(my_record)
  for try in 1 2 3 4 5; do
    ln -s "$record" "$STORE/lock" 2>/dev/null && return
    look_at_lock
    case $HELD in
      alive | elsewhere) finish 75 "another run was faster: $HOLDER" "" ;;
      dead) take_over || sleep 1 ;;
      free) [ "$try" -lt 3 ] || sleep 1 ;;
    esac
  done
  fail "cannot take the lock $STORE/lock" "Look at who may write to $STORE"
}

stop_showing_life() {
  [ -z "${LIFE:-}" ] || { kill "$LIFE" && wait "$LIFE"; } 2>/dev/null
}

unlock() {
  stop_showing_life
  HOLDER=$(readlink "$STORE/lock") && [ "$(field run "$HOLDER")" = "$RUN" ] && rm -f "$STORE/lock"
}
