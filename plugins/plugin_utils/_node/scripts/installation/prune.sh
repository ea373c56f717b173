# shellcheck shell=sh
# What is removed when, and what stays because somebody else may need it. Settings: PREFIX RUN GENERATION LEASES (a program).

# note KIND NAME: says, before it is made, that what gets this name is ours.
note() {
  note=$STORE/markers/.$1-$2
  [ ! -L "$note" ] || rm -f "$note"
  [ -e "$note" ] || { : >"$note" && settle_one "$note"; }
}

is_noted() {
  [ -e "$STORE/markers/.$1-$2" ]
}

# claim NAME: takes the name for a generation. What a run of ours has left there goes, but for what people put into it;
# what anybody else has put there stays, and nothing happens.
claim() {
  if [ -L "$STORE/$1" ] && is_noted link "$1"; then
    rm -f "$STORE/$1" "$STORE/markers/.link-$1"
  elif [ -e "$STORE/$1" ] || [ -L "$STORE/$1" ]; then
    is_noted begun "$1" || fail "$STORE/$1 is in the way: it was not made by this collection" "Move it away and run again"
    [ -L "$STORE/$1" ] || remove_soon "$1" || fail "$HELD_BY runs from $STORE/$1" "Stop it and run again"
  fi
  if [ -e "$STORE/markers/$1" ] && ! is_noted begun "$1"; then
    fail "$STORE/markers/$1 is in the way: it was not made by this collection" "Move it away and run again"
  fi
  forget "$1" # such as the marker of what a killed run had moved away: nothing looks complete before it is
  note begun "$1"
}

# discard PATH: a generation, or what was to become one. Nothing happens while somebody has a lease on it, and HELD_BY says
# who; while it is renamed, nobody can get one.
discard() {
  gone=${1##*/} aside=$STORE/trash/$RUBBISH/${1##*/}.$RUN
  mkdir -p "$STORE/trash/$RUBBISH"
  HELD_BY=$(ask_leases aside "$gone" "$1" "$aside" "$STORE/markers/$gone")
  [ $? != 3 ] || return 1
  forget "$gone"
  # It is still there where nobody can know of leases, and where a damaged Python has done nothing and called that done.
  [ ! -e "$1" ] || mv "$1" "$aside" 2>/dev/null || rm -rf "$1"
  rm -f "$STORE/markers/.begun-$gone"
}

# All that is known of a generation but that it is ours: it is no longer complete.
forget() {
  rm -f "$STORE/markers/$1"
  for kind in changing files unshipped new lease; do rm -f "$STORE/markers/.$kind-$1"; done
}

# remove_soon NAME: what a killed run had started may take a moment to end.
remove_soon() {
  left=20
  until remove_generation "$1"; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
}

# Somebody may end `rm` alone, and nobody would come back to what it leaves before the next upgrade.
empty_trash() {
  rm -rf "$STORE/trash/$RUBBISH" 2>/dev/null || rm -rf "$STORE/trash/$RUBBISH" 2>/dev/null ||
    say "some of $STORE/trash is still in use; a later upgrade removes it"
}

# The names of all files that an installer or a package brought. Caches come and go by themselves, and so does what
# conda keeps for itself: its records and history, and the file by which it tries where environments may be made.
list_files() {
  (cd "$TREE" && find . ! -type d ! -path '*/__pycache__/*.pyc' ! -path './pkgs/*' ! -path './conda-meta/*' \
    ! -name .conda_envs_dir_test ! -path './.cache/*' | LC_ALL=C sort)
}

note_new_files() {
  files=$STORE/markers/.files-$GENERATION
  [ -f "$files" ] || return 0
  list_files | LC_ALL=C comm -13 "$WORK/files" - | LC_ALL=C sort - "$files" >"$files.new" && mv -f "$files.new" "$files"
}

# What somebody put into the generation TREE after it was completed; nothing is known without the list.
things_of_people() {
  [ -f "$STORE/markers/.files-${TREE##*/}" ] || return 0
  list_files | LC_ALL=C comm -13 "$STORE/markers/.files-${TREE##*/}" -
}

# A purge may take the list and leave the rest: then nobody can tell what in the generation is a person's.
list_is_lost() {
  [ -f "$STORE/markers/$1" ] && [ ! -f "$STORE/markers/.files-$1" ]
}

# What no marker belongs to was left by a run that was cut off.
clear_garbage() {
  take_apart
  look_at_prefix
  for name in $(our_generations); do
    [ "$name" = "$LIVE" ] || [ -f "$STORE/markers/$name" ] || [ "$name" = "$GENERATION" ] || remove_generation "$name" ||
      say "kept $name: $HELD_BY runs from it"
  done
}

# Where the hosts of a file system do not see each other's locks, as far as its mount says so: a lease tells nothing there.
has_blind_locks() {
  place=$(df -P "$STORE" 2>/dev/null | awk 'NR == 2 { print $NF }')
  mounts | awk -v place="$place" '
    $2 == place { type = $3; options = "," $4 "," }
    END { exit !(type ~ /^(beegfs|beegfs_nodev|fhgfs|fuse.sshfs)$/ ||
      options ~ /,(nolock|local_lock=all|local_lock=posix|localflock|noflock),/) }'
}

# Not every mount says so: of one of Lustre without `flock`, only an attempt tells.
is_blind() {
  has_blind_locks || {
    ask_leases who "$1" >/dev/null
    [ $? = 6 ]
  }
}

mounts() {
  cat /proc/mounts
}

# The lease of a generation has the time when another one became live in its place.
date_lease() {
  [ -L "$LEASE_OF$1" ] || touch -c "$LEASE_OF$1"
}

BLIND_DAYS=30
is_recent() {
  [ -n "$(find "$LEASE_OF$1" -mtime "-$BLIND_DAYS" 2>/dev/null)" ]
}

# Why an old generation stays because somebody works; empty when nobody is known to.
who_needs() {
  TREE=$STORE/$1
  [ -z "$(users_of "$TREE")" ] || echo "programs run from it"
  hint=$(hints_of "$TREE" | head -n 1)
  [ -z "$hint" ] || echo "$hint may run from it"
  ! is_blind "$1" || ! is_recent "$1" ||
    echo "hosts do not see each other's locks on this file system, so it stays for $BLIND_DAYS days"
  servers_elsewhere "$OWN_HOME" | while read -r host record; do
    # Of one that was started later it is known that it runs from what was live by then.
    [ -n "$(find "$record" -newer "$STORE/markers/.turn" 2>/dev/null)" ] || echo "a server on $host may run from it"
  done
}

# Why it stays because of what lies in it; empty when it can go.
why_keep() {
  TREE=$STORE/$1
  things=$(things_of_people | head -n 1)
  [ -z "$things" ] || echo "somebody put $things there"
  ! list_is_lost "$1" || echo "the list of what came with it is gone, so nobody can tell what in it is yours"
}

# Stays: the live generation, the one before it, what runs, and what somebody else put something into.
prune() {
  phase clean
  look_at_prefix
  turn=$(cat "$STORE/markers/.turn" 2>/dev/null) PREVIOUS=
  [ "$(field to "$turn")" != "$LIVE" ] || PREVIOUS=$(field from "$turn")
  for name in $(our_generations); do
    case $name in "$LIVE" | "$PREVIOUS") continue ;; esac
    reason=$(why_keep "$name")
    [ -n "$reason" ] || prune_one "$name" || reason=$WHY_HELD
    [ -z "$reason" ] || say "kept $name: $reason"
  done
  forget_downloads
  empty_trash
  forget_old_runs
}

# prune_one NAME: it goes, unless somebody works with it; whoever waits for this run is told who.
prune_one() {
  WHY_HELD=$(who_needs "$1" | head -n 1)
  [ -n "$WHY_HELD" ] || replace_by_link "$1" || WHY_HELD="$HELD_BY runs from it"
  [ -z "$WHY_HELD" ] && return
  printf '%s stays: %s\n' "$1" "$WHY_HELD" >>"$WORK/held"
  return 1
}

# What people made with it (kernels, scripts, environments of venv) names its path, which leads to the live one from now on.
replace_by_link() {
  discard "$STORE/$1" || return 1
  note link "$1"
  ln -s "../${ROOT##*/}" "$STORE/$1"
}

remove_links() {
  for found in "$STORE"/markers/.link-*; do
    link=$STORE/${found##*/.link-}
    [ ! -L "$link" ] || [ "$(readlink "$link")" != "../${ROOT##*/}" ] || rm -f "$link"
    rm -f "$found"
  done
}

forget_downloads() {
  for found in "$STORE"/markers/.download-*; do
    name=${found##*/.download-}
    rm -f "$STORE/downloads/$name.sh" "$STORE/downloads/$name.part" "$found"
  done
}

forget_old_runs() {
  our_logs | while read -r name; do find "$STORE/logs/$name" -mtime +30 -exec rm -f {} +; done
  our_runs | while read -r name; do find "$STORE/work/$name" -prune -mmin +1440 -exec rm -rf {} +; done
}

# Of a generation that somebody put something into, only what came with it is removed; the rest stays in `kept`. Nothing
# happens while somebody has a lease on it, and HELD_BY says who.
remove_generation() {
  if [ -z "$(why_keep "$1")" ]; then discard "$STORE/$1"; else keep_generation "$1"; fi
}

# It is renamed as a whole, as `discard` does it, and taken apart where nobody begins to run from it any more. What came with
# it is noted before, so that the next run can go on. Its marker stays until then: without its list it is all that tells that
# people may have put something into it.
keep_generation() {
  kept=$STORE/kept/$1.$RUN list=$STORE/markers/.files-$1 apart=$STORE/markers/.apart-$1.$RUN
  mkdir -p "$STORE/kept" || fail_to_keep "$1"
  [ ! -f "$list" ] || ln "$list" "$apart" 2>/dev/null || cp "$list" "$apart" || fail_to_keep "$1"
  HELD_BY=$(ask_leases aside "$1" "$STORE/$1" "$kept" "")
  [ $? != 3 ] || { rm -f "$apart" && return 1; }
  [ ! -e "$STORE/$1" ] || mv "$STORE/$1" "$kept" || fail_to_keep "$1"
  say "moved to $kept: what people may have put into it"
  take_apart
  forget "$1"
  rm -f "$STORE/markers/.begun-$1"
}

fail_to_keep() {
  fail "cannot move $STORE/$1, into which somebody put something, to $STORE/kept" "Look at what is in the way there, and run again"
}

# Of what was moved to `kept`, what came with it goes: also where a killed run has left that to us.
take_apart() {
  for apart in "$STORE"/markers/.apart-*; do
    TREE=$STORE/kept/${apart##*/.apart-}
    [ ! -d "$TREE" ] || [ -L "$TREE" ] || remove_what_came "$apart"
    rm -f "$apart"
  done
  TREE=$STORE/$GENERATION
}

remove_what_came() {
  (cd "$TREE" && rm -rf pkgs conda-meta && list_files | LC_ALL=C comm -12 "$1" - |
    tr '\n' '\0' | xargs -0 rm -f && find . -path '*/__pycache__/*.pyc' -exec rm -f {} + &&
    find . -depth -type d -exec rmdir {} + 2>/dev/null)
}

# Nothing of conda's own stays; the directory does when somebody has an environment there.
forget_environments() {
  if [ ! -d "$STORE/envs" ] || [ -L "$STORE/envs" ]; then return 0; fi
  [ -n "$(find "$STORE/envs" -mindepth 1 ! -name .conda_envs_dir_test 2>/dev/null | head -n 1)" ] ||
    rm -f "$STORE/envs/.conda_envs_dir_test"
  rmdir "$STORE/envs" 2>/dev/null || :
}

# First nothing is live, then nothing is complete, then nothing is there. The lock goes last, after this run's record.
remove_all() {
  phase remove
  look_at_prefix
  programs=$(users_of "$ROOT" "$STORE" | tell_programs)
  [ -n "$programs" ] || programs=$(tell_leases)
  [ -z "$programs" ] || fail "programs run from it: $programs" "Stop them and run again"
  [ "$WHAT" != generation ] || ! is_noted begun "$LIVE" || rm -f "$ROOT"
  for name in $(our_generations); do
    remove_generation "$name" || fail "$HELD_BY runs from $STORE/$name" "Stop it and run again"
  done
  take_apart
  remove_links
  if is_noted begun adopted; then rm -f "$STORE/adopted" && forget adopted; fi
  empty_trash
  forget_downloads
  for found in "$STORE"/markers/.begun-*; do forget "${found##*/.begun-}"; done # also of one that was cut off
  rm -f "$STORE"/markers/.begun-* "$STORE/markers/.turn"
  our_logs | while read -r name; do [ "$name" = "$RUN.log" ] || rm -f "$STORE/logs/$name"; done
  forget_environments
  our_runs | while read -r name; do [ "$name" = "$RUN" ] || rm -rf "$STORE/work/$name"; done
  stop_showing_life
  exec sh -c "$REMOVE_THE_REST" sh "$STORE" "$RUN" >/dev/null 2>&1
}

# By a shell that has neither the log nor the worker's program open: what is open stays on NFS, under another name, and with it
# its directory. Where people have something in the store, it stays ours to install into.
# shellcheck disable=SC2016 # that shell expands it
REMOVE_THE_REST='
rm -rf "$1/logs/$2.log" "$1/work/$2"
rmdir "$1/trash" "$1/markers" "$1/downloads" "$1/logs" "$1/kept" "$1/work"
case $(readlink "$1/lock") in "run=$2 "*) rm -f "$1/lock" ;; esac
[ "$(ls -A "$1")" != .hpcc-notebook-store ] || rm -f "$1/.hpcc-notebook-store"
rmdir "$1"
'
