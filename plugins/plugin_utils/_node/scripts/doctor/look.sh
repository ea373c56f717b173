# shellcheck shell=sh disable=SC2153,SC2154,SC3013,SC3045 # dash, bash and busybox have -nt and ulimit
# What the doctor wants to know of a node, in one command. POSIX sh; what it writes, it removes at once.
# PREFIX, OWNER, PROFILE, MODULE, MODULES (their directory), PORT, ASKED, QUESTIONS (a line each: name, shell), LOOK, LOST_FILES, LEASES and KERNEL (programs for Python), KERNEL_WITHIN (seconds) and
# NAMES come before it, and what all programs share.
in_home() {
  case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s' "$HOME/${1#*/}" ;;
  esac
}

# Whether a directory is ours alone: no link, no other owner, closed to everybody else. No client
# talks to a socket anywhere else: tmux does what its server tells it to.
# Jupyter makes its runtime directory sticky, a shared file system its directories setgid: neither lets anybody in.
is_private() {
  [ -n "$(find "$1" -prune -type d -user "$(id -u)" -perm -700 ! -perm /077 2>/dev/null)" ]
}

is_our_socket() {
  is_private "${1%/*}" && [ ! -L "$1" ] && [ -S "$1" ] && [ -O "$1" ]
}

# Run a command inside a new directory below $1 that nobody else can enter; never without one.
in_new_directory() {
  made=$(mktemp -d "$1/.nbserver-try.XXXXXXXXXX" 2>&1) || {
    printf '%s' "${made##*: }"
    return 1
  }
  (
    cd -P "$made" || exit
    is_private "$PWD" || { echo "others can enter what is made there" && exit 1; }
    "$2"
  )
  rc=$?
  rm -rf "$made"
  return "$rc"
}

# What stands in the way of a file in a directory; df knows nothing of quotas.
try_to_write() {
  in_new_directory "$1" write_here
}

write_here() {
  said=$( (head -c 65536 /dev/zero >file) 2>&1) && said=yes
  printf '%s' "$said" | tail -n 1
}

run_here() {
  printf '#!/bin/sh\n' >program && chmod 700 program && ./program
}

look_at_home() {
  emit home_write "$(try_to_write "$HOME")"
}

look_at_tmp() {
  written=$(try_to_write /tmp)
  emit tmp_write "$written"
  # What cannot be written there cannot be run there either, and that is not for noexec.
  if [ "$written" != yes ]; then :; elif in_new_directory /tmp run_here >/dev/null 2>&1; then
    emit tmp_exec yes
  else
    emit tmp_exec no
  fi
  if [ -k /tmp ] || is_private /tmp; then emit tmp_sticky yes; else emit tmp_sticky no; fi
  emit local_dir "$local"
  if [ ! -e "$local" ] && [ ! -L "$local" ]; then
    emit local_dir_state missing
  elif is_private "$local"; then
    look_into_local
  elif [ -d "$local" ] && [ ! -L "$local" ] && [ -O "$local" ]; then
    emit local_dir_state open
  else
    emit local_dir_state foreign
  fi
}

# Why a file cannot be locked; fails when it can, and when somebody holds it. Below 64 speaks the lock, from 126 the shell.
unlockable() {
  [ -f "$1" ] || return 1
  said=$(LC_ALL=C flock -n -s "$1" true 2>&1)
  rc=$?
  [ "$rc" -ge 64 ] && [ "$rc" -lt 126 ] && printf '%s' "${said##*: }"
}

# What is in a directory of ours; a kernel refuses to start where others could enter.
look_into_local() {
  if [ -n "$(find "$local" ! -user "$(id -u)" 2>/dev/null | head -n 1)" ]; then
    emit local_dir_state mixed
  elif [ -e "$local/runtime" ] && ! is_private "$local/runtime"; then
    emit local_dir_state "open runtime"
  elif [ -e "$local/lock" ] && [ ! -f "$local/lock" ]; then
    emit local_dir_state "odd lock"
  elif words=$(unlockable "$local/lock"); then
    emit local_dir_state "no locks"
    emit local_dir_locks "$words"
  else
    emit local_dir_state ours
  fi
}

# As start finds it: on the PATH, or beside the Python that serves, where conda puts it.
find_tmux() {
  tmux=$(command -v tmux) && return
  tmux=$prefix/bin/tmux
  [ -x "$tmux" ] && trusted_installation "$prefix" && may_run "$tmux" || tmux=missing
}

look_at_session() {
  if is_our_socket "$local/tmux.sock" &&
    "$tmux" -S "$local/tmux.sock" -f /dev/null has-session -t "=$PROFILE" 2>/dev/null; then
    emit session there
  else
    emit session lost
  fi
  command -v loginctl >/dev/null 2>&1 && [ -d /run/systemd/system ] || return
  if busctl get-property org.freedesktop.login1 /org/freedesktop/login1 \
    org.freedesktop.login1.Manager KillUserProcesses 2>/dev/null | grep -q true; then
    emit kill_user_processes yes
  else
    emit kill_user_processes no
  fi
  emit linger "$(loginctl show-user "$(id -un)" --property=Linger --value 2>/dev/null)"
}

# What the checks ask themselves; an answer for each line that is printed.
ask_for_checks() {
  while read -r name line; do
    [ -n "$name" ] || continue
    eval "$line" 2>/dev/null </dev/null | while read -r answer; do emit "$name" "$answer"; done
  done <<QUESTIONS
$QUESTIONS
QUESTIONS
}

# As in a login shell, where the site has put its module system. What else its files print has no mark.
look_at_modules() {
  MARK=$MARK bash -lc '
    if ! command -v module >/dev/null 2>&1; then echo "$MARK modules=none" && exit; fi
    echo "$MARK modules=${LMOD_VERSION:+Lmod }${LMOD_VERSION:-Tcl modules}"
    [ "$2" = missing ] && exit
    module use "$3" >/dev/null 2>&1
    module load "$1" >/dev/null 2>&1
    echo "$MARK module_file=${_LMFILES_##*:}"
    echo "$MARK module_python=$(command -v python)"' module "$MODULE" "$1" "$modules" 2>/dev/null </dev/null
}

look_at_modulefile() {
  modulefile=missing
  modules=$(in_home "$MODULES")
  emit modules_dir "$modules"
  for candidate in "$modules/$MODULE.lua" "$modules/$MODULE"; do
    [ -f "$candidate" ] && modulefile=$candidate && break
  done
  emit modulefile "$modulefile"
  spider=absent
  for cache in "$HOME"/.cache/lmod/*.lua "$HOME"/.lmod.d/.cache/*.lua; do
    [ -f "$cache" ] || continue
    spider=fresh
    [ "$modulefile" -nt "$cache" ] && spider=stale && break
  done
  emit spider_cache "$spider"
  [ ! -d "$modules" ] || [ -w "$modules" ] || emit modules_dir_closed yes
  look_at_modules "$modulefile"
}

# Whether there is a Python that may be run.
has_python() {
  [ -x "$prefix/bin/python" ] && may_run "$prefix/bin/python"
}

look_at_installation() {
  emit prefix "$prefix"
  if [ ! -e "$prefix" ] && [ ! -L "$prefix" ]; then
    emit installation missing
    return
  fi
  if ! trusted_installation "$prefix"; then
    emit installation untrusted
    emit untrusted "$WHY"
    emit untrusted_todo "$REMEDY"
    return
  fi
  generation=$(readlink "$prefix" 2>/dev/null)
  emit generation "${generation##*/}"
  if [ ! -d "$prefix.d" ]; then
    emit installation foreign
  elif [ -f "$prefix.d/markers/${generation##*/}" ] && [ -x "$prefix/bin/python" ]; then
    emit installation complete
  else
    emit installation damaged
  fi
  [ -w "$prefix/bin" ] || emit base_owner "$(stat -L -c %U "$prefix/bin" 2>/dev/null)"
  emit lock "$(readlink "$prefix.d/lock" 2>/dev/null)"
  look_at_leases
  [ -e "$prefix.d/markers/.changing-${generation##*/}" ] && emit changing yes
  # shellcheck disable=SC2086 # a word for each name
  ! has_python || "$prefix/bin/python" -I -S -c "$LOST_FILES" "$prefix" \
    "$prefix.d/markers/.unshipped-${generation##*/}" $NAMES </dev/null | pass_on
}

# A name that nobody knows any more may be that of a node that is gone; where names take long, no more is asked.
note_other_node() {
  emit elsewhere "$1"
  [ -n "${slow_names-}" ] || timeout 2 getent hosts "$1" >/dev/null 2>&1
  case $? in
    2) emit unresolved "$1" ;;
    124) slow_names=yes ;;
  esac
}

# Who runs from a generation that is not live any more, and keeps it from being pruned.
look_at_leases() {
  has_python || return 0
  for lease in "$prefix.d"/markers/.lease-*; do
    if [ ! -f "$lease" ] || [ "${lease##*/.lease-}" = "${generation##*/}" ]; then continue; fi
    who=$("$prefix/bin/python" -I -S -c "$LEASES" who "$lease" 2>/dev/null </dev/null)
    [ -z "$who" ] || emit lease "$who runs from ${lease##*/.lease-}"
  done
}

look_at_profile() {
  emit profile_dir "$directory"
  if [ ! -d "$directory" ]; then
    emit profile missing
    return
  fi
  [ -O "$directory" ] || { emit profile foreign && return; }
  emit profile "$(stat -c %a "$directory" 2>/dev/null || echo 700)"
  for part in "$directory" "$directory/run" "$directory/log" "$directory/security"; do
    [ -d "$part" ] && ! { [ -w "$part" ] && [ -x "$part" ]; } && emit unwritable "$part"
  done
  # Whoever opens a FIFO waits for ever; a directory in the place of a file is read by nobody.
  find "$directory" \( -type p -o -type c -o -type b -o -type d -name '*.json' -o -type d -name '*.crt' \
    -o -type d -name '*.key' -o -type d -name '*_config.py' \) 2>/dev/null | head -n 20 | while read -r file; do
    emit odd "$file"
  done
  # What Jupyter itself keeps there, such as JupyterLab's workspaces, has the modes of a person's other files.
  find "$directory"/jupyter_server_config.* "$directory/run" "$directory/log" "$directory/security" \
    -type f -perm /077 2>/dev/null | head -n 20 | while read -r file; do
    emit exposed "$file"
  done
  token=$([ -f "$directory/security/token" ] && head -c 4096 "$directory/security/token" 2>/dev/null | tr -d '\n')
  if [ -z "$token" ]; then emit token missing; elif [ "${#token}" -lt 32 ]; then emit token cut; else emit token there; fi
  for record in "$directory"/run/*.json; do
    [ -f "$record" ] && [ "$record" != "$RECORD" ] && note_other_node "$(basename "$record" .json)"
  done
}

prefix=$(in_home "$PREFIX")
directory=$HOME/.ipython/profile_$PROFILE
# Nothing that login files export reaches a server, so it reaches no trial either.
as_a_server() {
  env -i HOME="$HOME" USER="$(id -un 2>/dev/null)" LOGNAME="$(id -un 2>/dev/null)" SHELL="${SHELL-}" PATH="$PATH" LANG=C.UTF-8 \
    JUPYTER_PREFER_ENV_PATH=0 IPYTHONDIR="${directory%/*}" JUPYTER_PATH="$directory/jupyter" "$@"
}

# The kernel of the profile computes 1 + 1, in what its server would give it. No answer is an answer, too: nothing is
# well where no kernel has computed.
look_at_kernel() {
  [ -d "$directory" ] || return 0
  spec=$directory/jupyter/kernels/python3/kernel.json
  [ -f "$spec" ] || { emit kernel "$spec is missing" && return; }
  said=$(as_a_server JUPYTER_CONFIG_DIR="$directory" "$prefix/bin/python" -I -c "$KERNEL" "$KERNEL_WITHIN" 2>&1 </dev/null | tail -n 1)
  emit kernel "${said:-the program that asks it ended without a word}"
}

# The installed Jupyter reads the configuration as a start would, in a copy. What runs has taken it already, unless it was
# changed since.
look_at_options() {
  [ -f "$directory/jupyter_server_config.py" ] || return 0
  [ -z "$SERVER" ] || [ -n "$(find "$directory"/jupyter_server_config* -newer "$RECORD" 2>/dev/null)" ] || return 0
  [ -z "${TMPDIR-}" ] || may_run "$TMPDIR/." || unset TMPDIR # others could put theirs in its place, and it is run
  trial=$(mktemp -d) || return 0
  if ! { cp -r "$directory"/jupyter_server_config* "$trial" && : >"$trial/migrated"; } 2>/dev/null; then
    rm -rf "$trial" # no room, or nothing that may be read: other checks say so
    return 0
  fi
  said=$(printf '{"cookie_secret": "%s/secret"}' "$trial" | as_a_server JUPYTER_CONFIG_DIR="$trial" JUPYTER_RUNTIME_DIR="$trial/run" \
    TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR=1 "$prefix/bin/python" -I -c "$OPTIONS" 2>&1 | tail -n 1)
  rm -rf "$trial"
  emit options "${said:-Jupyter ended without a word}"
}

host=$(uname -n)
host=${host%%.*}
find_record "$directory/run" "$host"
find_server "$directory/security/notebook.crt"
local=/tmp/$PROFILE-$(id -u)
[ -z "$SERVER" ] || runtime=$(server_word JUPYTER_RUNTIME_DIR=)
case ${runtime-} in /*/*) local=${runtime%/*} ;; esac
emit host "$host"
emit uid "$(id -u)"
emit shell "${SHELL##*/}"
emit now "$(date +%s)"
look_at_home
look_at_tmp
find_tmux
look_at_session
ask_for_checks
look_at_modulefile
look_at_installation
look_at_profile
if has_python && trusted_installation "$prefix"; then
  # shellcheck disable=SC2086 # a word for each name
  "$prefix/bin/python" -I -c "$LOOK" "$directory" "$RECORD" "$SERVER" "$PORT" $NAMES 2>&1 </dev/null | pass_on
  look_at_options
  look_at_kernel
fi
end_answers
