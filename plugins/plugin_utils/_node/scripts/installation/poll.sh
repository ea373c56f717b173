# shellcheck shell=sh
# Says how far a worker has come, at once when it has ended. Settings: PREFIX RUN TENTHS (of a second to wait for that)
# OWN (yes: what it does after it has said how it ended is not waited for).

# The size of the whole download: what the server said last (206 answers only count the rest).
total_of() {
  tr -d '\r' <"$1" 2>/dev/null | awk '
    tolower($1) == "content-length:" { total = $2 }
    tolower($1) == "content-range:" { sub(".*/", "", $0); total = $0 }
    END { print total + 0 }'
}

# A removal takes its own record away before it frees the lock.
works() {
  if [ "$OWN" = yes ] && [ -d "$WORK" ]; then
    [ ! -e "$WORK/exit" ]
  else
    [ "$(field run "$(readlink "$STORE/lock")")" = "$RUN" ]
  fi
}

wait_for_end() {
  while [ "$TENTHS" -gt 0 ] && works; do
    TENTHS=$((TENTHS - 1))
    sleep 0.1 2>/dev/null || { sleep 1 && TENTHS=0; }
  done
}

poll() {
  locate
  WORK=$STORE/work/$RUN
  wait_for_end
  emit now "$(date +%s)"
  tell_lock
  [ -d "$WORK" ] || emit gone yes
  tell_life "$RUN"
  if [ -f "$WORK/exit" ]; then
    pass_on <"$WORK/exit"
    # Of a traceback, only its last line is for a person.
    grep -v -e '^ ' -e '^Traceback ' "$STORE/logs/$RUN.log" | tail -n 15 | sed 's/^/log=/' | pass_on
  elif [ -f "$WORK/phase" ]; then
    record=$(cat "$WORK/phase")
    emit phase "$(field phase "$record")"
    emit since "$(field since "$record")"
    file=$(field file "$record")
    if [ -n "$file" ]; then
      emit bytes "$(size_of "$file")"
      emit from "$(field from "$record")"
      emit total "$(total_of "$WORK/headers")"
    fi
    emit detail "$(tail -n 1 "$STORE/logs/$RUN.log" | grep -v '^\[[0-9:]*\] ' | cut -c1-200)"
  fi
  end_answers
}

poll </dev/null
