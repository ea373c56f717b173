# shellcheck shell=sh disable=SC2154
# What one node says about the servers of a profile. POSIX sh; reads only. PROFILE, answer.sh and server.sh come before it.
directory=$HOME/.ipython/profile_$PROFILE
host=$(uname -n)
host=${host%%.*}
emit host "$host"
emit user "$(id -un)"
emit uid "$(id -u)"
emit ssh_port "${SSH_CONNECTION##* }"
emit boot_id "$BOOT_ID"
emit records "$directory/run"
for record in "$directory"/run/*.json; do
  [ -f "$record" ] && emit record "$(basename "$record") $(head -c 65536 "$record" | tr -d '\n')"
done
for name in submission:job end:job_end next:job_next; do
  [ -f "$directory/job/${name%:*}.json" ] && emit "${name#*:}" "$(head -c 65536 "$directory/job/${name%:*}.json" | tr -d '\n')"
done
find_record "$directory/run" "$host"
pid=$(recorded pid)
[ -n "$pid" ] && emit started "$(process_start "$pid")" && emit python "$(readlink "/proc/$pid/exe")"
find_server "$directory/security/notebook.crt"
[ -n "$SERVER" ] && emit running "$SERVER $(process_start "$SERVER") $(server_word --ServerApp.port=)" &&
  emit running_socket "$(server_word --ServerApp.sock=)" &&
  emit running_module "$({ tr '\0' '\n' <"/proc/$SERVER/cmdline"; } 2>/dev/null | sed '/^--/,$d' | tail -n 1)"
[ -f "$directory/security/notebook.crt" ] &&
  emit certificate "$(sed '/END CERT/q' "$directory/security/notebook.crt" | tr -d '\n')"
[ -f "$directory/security/notebook.crt" ] &&
  emit authority "$(sed '1,/END CERT/d' "$directory/security/notebook.crt" | head -c 65536 | tr -d '\n')"
end_answers
