# shellcheck shell=sh
# Says how far a worker has come. Settings: PREFIX RUN.

size_of() {
  stat -c %s "$1" 2>/dev/null || echo 0
}

# The size of the whole download: what the server said last (206 answers only count the rest).
total_of() {
  tr -d '\r' <"$1" 2>/dev/null | awk '
    tolower($1) == "content-length:" { total = $2 }
    tolower($1) == "content-range:" { sub(".*/", "", $0); total = $0 }
    END { print total + 0 }'
}

poll() {
  locate
  WORK=$STORE/work/$RUN
  echo hpcc-begin
  emit now "$(date +%s)"
  tell_lock
  if [ -f "$WORK/exit" ]; then
    cat "$WORK/exit"
    tail -n 15 "$STORE/logs/$RUN.log" | sed 's/^/log=/'
  elif [ -f "$WORK/phase" ]; then
    record=$(cat "$WORK/phase")
    emit phase "$(field phase "$record")"
    emit since "$(field since "$record")"
    file=$(field file "$record")
    if [ -n "$file" ]; then
      emit bytes "$(size_of "$file")"
      emit total "$(total_of "$WORK/headers")"
    fi
    emit detail "$(tail -n 1 "$STORE/logs/$RUN.log" | cut -c1-200)"
  fi
  echo hpcc-end
}

poll </dev/null
