# shellcheck shell=sh
# What the probe, the launcher, the poll and the worker share. POSIX sh: dash, bash and busybox run it.
# The controller puts the settings (upper case) and answer.sh in front of it and one of the other files behind it.

# ROOT is the prefix as people write it, but absolute; everything of ours lies in $ROOT.d.
locate() {
  case $PREFIX in
    /*) ROOT=$PREFIX ;;
    *) ROOT=$HOME/${PREFIX#*/} ;; # ~/…
  esac
  STORE=$ROOT.d LEASE_OF=$ROOT.d/markers/.lease-
}

# How the name of a directory begins in which a run only tries.
TRIAL_NAME=.hpcc-trial-

# What ends a program before it has changed anything.
refuse() {
  emit error "${1:-the host cannot start the programs that look at $STORE (too many processes?)}"
  emit todo "$2"
  end_answers
  exit 0
}

# Nothing in there is run, believed or removed unless nobody else could have put it there.
require_trusted() {
  trusted_installation "$ROOT" || refuse "$WHY" "$REMEDY"
}

# require_kept DIRECTORY: it is there, and what is made in it next stays ours: nobody else can rename it, or what leads there.
require_kept() {
  may_run "$1/." || refuse "$WHY" "$REMEDY"
}

# require_own DIRECTORY: a new one, and nobody else has put anything into it before it was closed, where an access list of
# the directory above had let them.
require_own() {
  [ -z "$(find "$1" -mindepth 1 -maxdepth 1 ! -user "$SELF" | head -n 1)" ] ||
    refuse "somebody else has put something into $1, as the access list of the directory above it allows" \
      "Choose another anaconda_prefix, or take that list away: setfacl -k ${1%/*}"
}

size_of() {
  stat -c %s "$1" 2>/dev/null || echo 0
}

# field NAME RECORD: a value of a record such as "pid=12 host=dev1".
field() {
  text=" $2 "
  case $text in
    *" $1="*) text=${text#*" $1="} && printf '%s' "${text%% *}" ;;
  esac
}

# What the kernel says of a process behind the name of its program, which may hold anything: "S 1 4711 …".
stat_of() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) && printf '%s\n' "${stat##*) }"
}

# When a process began, in clock ticks after boot: tells a process from a later one with the same pid.
# One that has ended, and whose end nobody has taken note of (a zombie), lives no more.
process_start() {
  stat=$(stat_of "$1") || return 1
  case $stat in [ZX]*) return 1 ;; esac
  # shellcheck disable=SC2086 # a word for each number
  set -- $stat && printf '%s\n' "${20}"
}

group_of() {
  stat=$(stat_of "$1") || return 1
  # shellcheck disable=SC2086
  set -- $stat && printf '%s\n' "$3"
}

boot_id() {
  cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown
}

# HOLDER is the record in the lock; HELD is free, alive, dead or elsewhere (not for us to judge).
# The lock is a symbolic link: ln makes it with its content in one step, on NFS too.
look_at_lock() {
  HOLDER=$(readlink "$STORE/lock") || { HELD=free && return; }
  if [ "$(field host "$HOLDER")" != "$(uname -n)" ] || [ "$(field uid "$HOLDER")" != "$(id -u)" ]; then
    HELD=elsewhere
  elif [ "$(field boot "$HOLDER")" = "$(boot_id)" ] &&
    [ "$(process_start "$(field pid "$HOLDER")")" = "$(field start "$HOLDER")" ]; then
    HELD=alive
  elif [ "$(readlink "$STORE/lock")" = "$HOLDER" ]; then
    HELD=dead
  else
    look_at_lock # it was freed meanwhile, and its holder has ended
  fi
}

tell_lock() {
  look_at_lock
  emit held "$HELD"
  emit holder "$HOLDER"
}

# tell_life RUN: what goes on as long as a worker lives that another host of this home can look at.
tell_life() {
  emit life "$(stat -c %Y "$STORE/work/$1/beat" 2>/dev/null)"
}

# Is this the name of a generation that was completed where it lies? Then MARKER is its record.
is_complete() {
  MARKER=$(cat "$STORE/markers/$1" 2>/dev/null) || return 1
  [ "$1" != adopted ] || is_adopted || return 1
  may_run "$STORE/markers/$1" "$STORE/$1" "$STORE/$1/bin" "$STORE/$1/bin/python" || return 1
  [ "$(field schema "$MARKER")" = 1 ] && [ -x "$(field path "$MARKER")/bin/python" ] &&
    [ -x "$STORE/$1/bin/python" ]
}

# A directory that a person made and asked us to adopt: it stays where it is, and has a link and a marker with us.
is_adopted() {
  [ ! -L "$ROOT" ] && [ -f "$STORE/markers/adopted" ] &&
    [ "$(cd "$STORE/adopted" 2>/dev/null && pwd -P)" = "$(cd "$ROOT" && pwd -P)" ]
}

# LIVE is the name of the generation that the prefix points to, or empty; WHAT says what lies there. Each look is one
# system call, since another run may put its link there, or take it away, between two of them.
look_at_prefix() {
  LIVE='' WHAT=''
  if TARGET=$(readlink "$ROOT"); then
    case $TARGET in
      "${STORE##*/}"/*) LIVE=${TARGET##*/} WHAT=generation ;;
      *) if [ -e "$ROOT" ]; then WHAT='link'; else WHAT='dangling'; fi ;;
    esac
    return
  fi
  case $(LC_ALL=C stat -c %F "$ROOT" 2>/dev/null) in
    '') WHAT=nothing ;;
    'symbolic link') look_at_prefix ;;
    directory) if is_adopted; then LIVE=adopted WHAT=adopted; else WHAT=directory; fi ;;
    *) WHAT='file' ;;
  esac
}

tell_prefix() {
  look_at_prefix
  emit what "$WHAT"
  emit target "$TARGET"
  emit live "$LIVE"
}

# What a store is: ours (it has the identity that was made with it), old (made before there were identities, which a
# complete generation proves), empty, foreign or none. A link, since that appears together with what it says.
kind_of_store() {
  if [ -L "$STORE/.hpcc-notebook-store" ]; then
    echo ours
  elif [ ! -d "$STORE" ]; then
    echo none
  elif [ -z "$(find "$STORE" -mindepth 1 -maxdepth 1 ! -name "$TRIAL_NAME*" | head -n 1)" ]; then
    echo empty # but for another run's trial, or what is left of one: that makes it nobody's
  elif [ -n "$(old_generations)" ]; then
    echo old
  elif [ -L "$STORE/.hpcc-notebook-store" ]; then
    echo ours # another run has made it since the first look, its identity before anything else
  else
    echo foreign
  fi
}

old_generations() {
  for record in "$STORE"/markers/*; do
    name=${record##*/}
    is_complete "$name" && case $(field path "$MARKER") in "$STORE/$name" | "$ROOT") printf '%s\n' "$name" ;; esac
  done
}

# The generations of ours, complete or not: what a note was made of before there was anything. Never by their names.
our_generations() {
  for note in "$STORE"/markers/.begun-*; do
    name=${note##*/.begun-}
    [ ! -d "$STORE/$name" ] || [ -L "$STORE/$name" ] || printf '%s\n' "$name"
  done
}

# The directories and logs of runs say themselves whose they are, in their first entry or line.
our_runs() {
  for place in "$STORE"/work/*; do
    if [ ! -d "$place" ] || [ -L "$place" ]; then continue; fi
    [ "$(readlink "$place/run")" != "run=${place##*/}" ] && [ -n "$(ls -A "$place")" ] || # an empty one is no loss
      printf '%s\n' "${place##*/}"
  done
}

our_logs() {
  for log in "$STORE"/logs/*.log; do
    name=${log##*/}
    case $(head -n 1 "$log" 2>/dev/null) in "["*"] run ${name%.log}") printf '%s\n' "$name" ;; esac
  done
}

# Whether anything is there that a removal would remove.
holds_ours() {
  [ "$(ls -A "$STORE")" != .hpcc-notebook-store ] || return 0
  for found in "$STORE/lock" "$STORE"/markers/.begun-* "$STORE"/markers/.link-* "$STORE"/markers/.download-* \
    "$STORE"/markers/.apart-* "$STORE/markers/.turn" "$STORE/trash/$RUBBISH"; do
    if [ -e "$found" ] || [ -L "$found" ]; then return 0; fi
  done
  [ -z "$(our_runs)$(our_logs)" ] || return 0
  for found in markers trash work downloads logs kept envs; do
    if [ -d "$STORE/$found" ] && [ -z "$(ls -A "$STORE/$found")" ]; then return 0; fi
  done
  return 1
}
RUBBISH=discarded-by-hpcc-notebook

# users_of DIRECTORY…: the processes of this host that run from there, a pid in each line. The kernel says so of their
# programs. The arguments, in which everybody can write anything, count only of our own processes: of a script that an
# interpreter of another place runs, nothing else tells.
users_of() {
  {
    naming "$@" | while read -r pid; do [ ! -O "/proc/$pid" ] || echo "$pid"; done
    executing "$@"
  } | sort -un
}

# hints_of DIRECTORY…: the processes of others whose arguments name it and whose programs the kernel does not show us.
hints_of() {
  naming "$@" | while read -r pid; do
    [ -O "/proc/$pid" ] || readlink "/proc/$pid/exe" >/dev/null ||
      printf 'process %s of %s\n' "$pid" "$(stat -c '%U (uid %u)' "/proc/$pid")"
  done 2>/dev/null
}

naming() {
  for directory in "$@"; do
    real=$(cd "$directory" 2>/dev/null && pwd -P) || real=$directory
    grep -ls -e "^$directory/bin/" -e "^$directory/[^/]*/bin/" -e "^$real/bin/" /proc/[0-9]*/cmdline
  done | cut -d/ -f3 | sort -un
}

executing() {
  for directory in "$@"; do
    real=$(cd "$directory" 2>/dev/null && pwd -P) || real=$directory
    # shellcheck disable=SC2012 # the names are numbers
    ls -l /proc/[0-9]*/exe 2>/dev/null | sed -n "s|^.* /proc/\([0-9]*\)/exe -> $real/\([^/]*/\)\{0,1\}bin/.*|\1|p"
  done
}

# ask_leases TASK GENERATION [WORD…]: what the program LEASES answers: 0 nobody has the lease, 3 somebody, who is printed;
# another code where nobody can know, 6 since this file system has no locks. The live Python can say so, and that of the generation itself.
ask_leases() {
  task=$1 lease=$LEASE_OF$2 own=$STORE/$2/bin/python
  shift 2
  [ -f "$lease" ] || return 1
  for python in "$ROOT/bin/python" "$own"; do
    if [ ! -x "$python" ] || ! may_run "$python"; then continue; fi
    "$python" -I -S -c "$LEASES" "$task" "$lease" "$@" 2>/dev/null </dev/null
    code=$?
    case $code in 0 | 3 | 4 | 5 | 6) return "$code" ;; esac
  done
  return 1
}

# Who has a lease on any generation, whatever the host and the account.
tell_leases() {
  for name in $(our_generations); do
    who=$(ask_leases who "$name")
    [ $? != 3 ] || printf '%s runs from %s (when its host is gone for good: rm %s) ' "$who" "$name" "$LEASE_OF$name"
  done
}

# Of the pids on standard input, those that still run and do not belong to the worker that has the lock.
without_worker() {
  look_at_lock
  while read -r pid; do
    group=$(group_of "$pid") || continue
    [ "$HELD" = alive ] && [ "$group" = "$(field group "$HOLDER")" ] || echo "$pid"
  done
}

# The records of servers that may run on other hosts of this home: host and path, one in each line.
servers_elsewhere() {
  for found in "$1"/.ipython/profile_*/run/*.json; do
    host=${found##*/} && host=${host%.json}
    [ ! -f "$found" ] || is_recorded_here "$found" "$host" || printf '%s %s\n' "$host" "$found"
  done
}

# is_recorded_here RECORD NAME: by the boot, which no two hosts share; a record of an earlier boot by the full name, since
# two clusters may each have a host of this short one.
is_recorded_here() {
  ! grep -qF "\"boot_id\": \"$(boot_id)\"" "$1" || return 0
  full=$(full_name)
  node=$(sed -n 's/.*"node": *"\([^"]*\)".*/\1/p' "$1" | head -n 1)
  [ "$2" != "$full" ] || return 0
  [ "$2" = "$(uname -n | cut -d. -f1)" ] && { [ -z "$node" ] || [ -z "$full" ] || [ "$node" = "$full" ]; }
}

# This host's name with its domain, by what lies on it, as the servers' records have it; empty without one.
full_name() {
  name=$(uname -n)
  case $name in *.*) printf '%s\n' "$name" && return ;; esac
  cat /etc/hosts /etc/resolv.conf 2>/dev/null | awk -v name="$name" '
    { sub(/#.*/, ""); known = 0 }
    ($1 == "search" || $1 == "domain") && $2 && !domain { domain = name "." $2 }
    { for (i = 2; i <= NF; i++) if ($i == name) known = 1 }
    known { for (i = 2; i <= NF; i++) if (!host && index($i, name ".") == 1) host = $i }
    END { print host ? host : domain }'
}

# Whether another run tries at this moment how much room there is below a directory: it takes it for that moment.
others_try() {
  [ -n "$(find "$1" -maxdepth 1 -name "$TRIAL_NAME*" ! -name "$TRIAL_NAME${RUN:-}" 2>/dev/null)" ]
}

tell_programs() {
  while read -r pid; do
    words=$({ tr '\0\n' '  ' <"/proc/$pid/cmdline"; } 2>/dev/null | cut -c1-100)
    # One without words and without a program has just ended.
    if [ -n "$words" ] || readlink "/proc/$pid/exe" >/dev/null 2>&1; then printf 'process %s (%s) ' "$pid" "$words"; fi
  done
}
