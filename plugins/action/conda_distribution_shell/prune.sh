# shellcheck shell=sh
# What is removed when, and what stays because somebody else may need it. Settings: PREFIX RUN GENERATION.

discard() {
  mkdir -p "$STORE/trash"
  rm -f "$STORE/markers/${1##*/}" "$STORE/markers/.changing-${1##*/}" "$STORE/markers/.files-${1##*/}" \
    "$STORE/markers/.unshipped-${1##*/}"
  mv "$1" "$STORE/trash/${1##*/}.$RUN" 2>/dev/null || rm -rf "$1"
}

empty_trash() {
  rm -rf "$STORE/trash" 2>/dev/null || say "some of $STORE/trash is still in use; the next run removes it"
}

# The names of all files that an installer or a package brought. Caches come and go by themselves, and so does what
# conda keeps for itself: its records and history, and the file by which it tries where environments may be made.
list_files() {
  (cd "$TREE" && find . ! -type d ! -name '*.pyc' ! -path './pkgs/*' ! -path './conda-meta/*' \
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

# What no marker belongs to was left by a run that was cut off.
clear_garbage() {
  look_at_prefix
  for name in $(our_generations); do
    [ "$name" = "$LIVE" ] || [ -f "$STORE/markers/$name" ] || discard "$STORE/$name"
  done
}

# Why an old generation stays; empty when it can go.
why_keep() {
  TREE=$STORE/$1
  case $1 in "$LIVE" | "$PREVIOUS") echo "it is the live one or the one before" && return ;; esac
  [ -z "$(users_of "$TREE")" ] || echo "programs run from it"
  hint=$(hints_of "$TREE" | head -n 1)
  [ -z "$hint" ] || echo "$hint may run from it"
  things=$(things_of_people | head -n 1)
  [ -z "$things" ] || echo "somebody put $things there"
  servers_elsewhere "$OWN_HOME" | while read -r host record; do
    # Of one that was started later it is known that it runs from what was live by then.
    [ -n "$(find "$record" -newer "$STORE/markers/.turn" 2>/dev/null)" ] || echo "a server on $host may run from it"
  done
}

# Stays: the live generation, the one before it, what runs, and what somebody else put something into.
prune() {
  phase clean
  look_at_prefix
  turn=$(cat "$STORE/markers/.turn" 2>/dev/null) PREVIOUS=
  [ "$(field to "$turn")" != "$LIVE" ] || PREVIOUS=$(field from "$turn")
  for name in $(our_generations); do
    reason=$(why_keep "$name")
    if [ -n "$reason" ]; then say "kept $name: $reason"; else replace_by_link "$name"; fi
  done
  rm -f "$STORE"/downloads/*
  empty_trash
  forget_old_runs
}

# What people made with it (kernels, scripts, environments of venv) names its path, which leads to the live one from now on.
replace_by_link() {
  discard "$STORE/$1"
  ln -s "../${ROOT##*/}" "$STORE/$1"
}

remove_links() {
  for link in "$STORE"/*; do
    [ ! -L "$link" ] || [ "$(readlink "$link")" != "../${ROOT##*/}" ] || rm -f "$link"
  done
}

forget_old_runs() {
  find "$STORE/logs" -name '*.log' -mtime +30 -exec rm -f {} +
  find "$STORE/work" -mindepth 1 -maxdepth 1 -mmin +1440 -exec rm -rf {} +
}

# Of a generation that somebody put something into, only what came with it is removed.
remove_generation() {
  TREE=$STORE/$1
  if [ -z "$(things_of_people | head -n 1)" ]; then
    discard "$TREE"
    return
  fi
  (cd "$TREE" && rm -rf pkgs conda-meta && tr '\n' '\0' <"$STORE/markers/.files-$1" | xargs -0 rm -f &&
    find . -name '*.pyc' -exec rm -f {} + && find . -depth -type d -exec rmdir {} + 2>/dev/null)
  mkdir -p "$STORE/kept" && mv "$TREE" "$STORE/kept/$1.$RUN" && rm -f "$STORE/markers/$1" "$STORE/markers/.files-$1"
}

# Nothing of conda's own stays; the directory does when somebody has an environment there.
forget_environments() {
  [ -n "$(find "$STORE/envs" -mindepth 1 ! -name .conda_envs_dir_test 2>/dev/null | head -n 1)" ] ||
    rm -rf "$STORE/envs"
}

# First nothing is live, then nothing is complete, then nothing is there. The lock goes last, and this run's record with it.
remove_all() {
  phase remove
  look_at_prefix
  programs=$(users_of "$ROOT" "$STORE" | tell_programs)
  [ -z "$programs" ] || fail "programs run from it: $programs" "Stop them and run again"
  [ "$WHAT" != generation ] || rm -f "$ROOT"
  for name in $(our_generations); do remove_generation "$name"; done
  remove_links
  [ ! -L "$STORE/adopted" ] || rm -f "$STORE/adopted"
  rm -rf "$STORE/trash" "$STORE/markers" "$STORE/downloads" "$STORE/logs"
  rm -f "$STORE/.link"
  forget_environments
  rmdir "$STORE/kept" 2>/dev/null
  rm -rf "$STORE/work"
  unlock
  rmdir "$STORE" 2>/dev/null
  exit 0
}
