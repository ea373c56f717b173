# shellcheck shell=sh disable=SC2154
# What one node says about the servers of a profile. POSIX sh; reads only. PROFILE and answer.sh come before it.
# In clock ticks after boot: tells a process from a later one with the same pid.
process_start() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  printf '%s\n' "${stat##*) }" | cut -d' ' -f20
}

directory=$HOME/.ipython/profile_$PROFILE
host=$(uname -n)
host=${host%%.*}
begin_answers
emit host "$host"
emit user "$(id -un)"
emit uid "$(id -u)"
emit ssh_port "${SSH_CONNECTION##* }"
emit boot_id "$(cat /proc/sys/kernel/random/boot_id)"
emit records "$directory/run"
for record in "$directory"/run/*.json; do
  [ -f "$record" ] && emit record "$(basename "$record") $(head -c 65536 "$record" | tr -d '\n')"
done
pid=$(sed -n 's/.*"pid": *\([0-9][0-9]*\).*/\1/p' "$directory/run/$host.json" 2>/dev/null)
[ -n "$pid" ] && emit started "$(process_start "$pid")" && emit python "$(readlink "/proc/$pid/exe")"
[ -f "$directory/security/notebook.crt" ] &&
  emit certificate "$(sed '/END CERT/q' "$directory/security/notebook.crt" | tr -d '\n')"
end_answers
