# shellcheck shell=sh
# Which server of a profile runs on this node. POSIX sh: dash, bash and busybox run it; reads only.
BOOT_ID=$(cat /proc/sys/kernel/random/boot_id)

# In clock ticks after boot: tells a process from a later one with the same pid.
process_start() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  printf '%s\n' "${stat##*) }" | cut -d' ' -f20
}

# RECORD: what a start on this node has left below $1, since its boot if there is such; short names are not unique.
find_record() {
  RECORD=$1/$2.json
  for found in "$1"/*.json; do
    [ -f "$found" ] && grep -qF "\"boot_id\": \"$BOOT_ID\"" "$found" && RECORD=$found
  done
  [ -f "$RECORD" ] || RECORD=/dev/null
}

# recorded NAME: what stands in the record.
recorded() {
  sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",]*\).*/\1/p" "$RECORD"
}

# SERVER: the pid of a living server with this certificate; it leads a session, and tmux carries its words, too.
find_server() {
  SERVER=
  # shellcheck disable=SC2013 # each is a path of /proc
  for found in $(grep -lxzF -e "--ServerApp.certfile=$1" /proc/[0-9]*/cmdline 2>/dev/null); do
    found=${found%/cmdline}
    program=$({ tr '\0' '\n' <"$found/cmdline"; } 2>/dev/null | head -n 1)
    session=$(sed 's/.*) //' "$found/stat" 2>/dev/null | cut -d' ' -f4)
    [ -O "$found" ] && [ "${program##*/}" != tmux ] && [ "$session" = "${found##*/}" ] && SERVER=$session && return
  done
}

# server_word OPTION: what follows it in a word of the server's command line or environment.
server_word() {
  cat "/proc/$SERVER/cmdline" "/proc/$SERVER/environ" 2>/dev/null | tr '\0' '\n' | sed -n "s|^$1||p" | head -n 1
}
