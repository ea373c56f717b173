# shellcheck shell=sh
# Tries whether the work can be done there, before anything is made: leaves nothing behind, even when killed.
# Settings: PREFIX RUN GROUP (may be empty or missing), and those of room.sh.

# The nearest directory that exists.
find_place() {
  PLACE=$STORE
  while [ ! -d "$PLACE" ]; do
    PLACE=${PLACE%/*} && [ -n "$PLACE" ] || PLACE=/
  done
}

can_execute() {
  printf '#!/bin/sh\nexit 0\n' >"$TRIAL/program" && chmod 700 "$TRIAL/program" && "$TRIAL/program"
}

# Some file systems (CIFS, FAT) know no links or let everybody read everything.
can_keep_private() {
  ln -s nowhere "$TRIAL/link" && chmod 700 "$TRIAL" || return 1
  case $(ls -ld "$TRIAL") in drwx--[-S]---*) ;; *) return 1 ;; esac
}

# A directory may hand an access list down to all that is made in it, whatever the umask: then others could write, or
# the members of a group not read. Where the list cannot be taken away, its owner alone may still use what is made.
has_own_rights() {
  case $(ls -ld "$TRIAL") in ??????????+*) ;; *) return 0 ;; esac
  command -v setfacl >/dev/null && setfacl -b -k "$TRIAL" 2>/dev/null && return
  [ -z "${GROUP:-}" ] && (umask 022 && : >"$TRIAL/handed") && [ -z "$(find "$TRIAL/handed" -perm -020 -o -perm -002)" ]
}

# The space is really taken, since quotas do not show in df; in a file without a name, so that it is given
# back whatever happens. File systems that cannot take it at once (NFS 3) get a little to write, and df is believed.
can_hold() {
  exec 9>"$TRIAL/space" && rm -f "$TRIAL/space" || return 1
  command -v fallocate >/dev/null && answer=$(LC_ALL=C fallocate -l "$((KIB * 1024 + 4096))" /proc/self/fd/9 2>&1) && return
  case ${answer:-} in *[Qq]uota* | *"o space"* | *"too large"*) printf '%s' "$answer" && return 1 ;; esac
  LC_ALL=C dd if=/dev/zero bs=65536 count=64 conv=fsync 2>&1 >&9 | grep -i -e quota -e 'no space' && return 1
  [ "$KIB" -le "$(free_kib)" ]
}

# can_hold, but not only because others take the room at the same moment to try the same. When nobody
# does any longer, they may have given it back since: that is tried once more.
can_hold_soon() {
  left=10
  until words=$(can_hold); do
    [ "$left" -gt 0 ] || return 1
    if others_try "$PLACE"; then left=$((left - 1)) && sleep 1; else left=0; fi
  done
}

# A few are really made, since quotas do not show here either.
can_number() {
  number=0
  while [ "$number" -lt 16 ]; do
    number=$((number + 1))
    (: >"$TRIAL/$number") || return 1
  done
  [ "$INODES" -le "$(free_inodes)" ]
}

end_trial() {
  exec 9>&-
  rm -rf "$TRIAL"
}

MAKE_ROOM="Make room, or choose an anaconda_prefix on another file system"

try_place() {
  words=$(umask 077 && mkdir "$TRIAL" 2>&1) ||
    refuse "cannot write in $PLACE: ${words##*: }" "Choose another anaconda_prefix, or make room"
  chmod 700 "$TRIAL" 2>/dev/null # whether that does anything, is said below
  require_own "$TRIAL"
  ln -s "${TRIAL##*/}" "$TRIAL/trial" 2>/dev/null # where there are no links, it is said below
  # In shells of their own, since their words are wanted; the file loses its name there.
  can_hold_soon || refuse "$(room_words "$words")" "$MAKE_ROOM"
  words=$(can_number 2>&1) || refuse "$(room_words "${words##*: }")" "$MAKE_ROOM"
  can_execute 2>/dev/null ||
    refuse "the file system at $PLACE runs no programs (it is mounted noexec)" "Choose an anaconda_prefix on another file system"
  can_keep_private 2>/dev/null ||
    refuse "the file system at $PLACE knows no symbolic links or no private directories" \
      "Choose an anaconda_prefix on another file system"
  has_own_rights ||
    refuse "$PLACE hands its access list down to all that is made there, and this host has no setfacl to take it away" \
      "Ask the site for setfacl (package acl), or choose another anaconda_prefix"
}

# A directory of that name is one of ours when its first entry says so.
forget_old_trials() {
  find "$PLACE" -maxdepth 1 -type d -name "$TRIAL_NAME*" -mmin +10 2>/dev/null | while read -r old; do
    [ "$(readlink "$old/trial")" != "${old##*/}" ] || rm -rf "$old"
    rmdir "$old"
  done 2>/dev/null
}

trial() {
  find_place
  require_kept "$PLACE" # it may have been missing when the way was judged, and somebody else's now
  forget_old_trials
  TRIAL=$PLACE/$TRIAL_NAME$RUN
  trap end_trial EXIT
  trap 'exit 1' HUP INT TERM
  try_place
  end_trial
  trap - EXIT HUP INT TERM
}
