# shellcheck shell=sh
# Says all that has to be known before a decision, in one command, and changes nothing.
# Settings: PREFIX OWNER STATE ADOPT (yes: its programs may be run to see whether they work)
# DISTRIBUTIONS (a line each: name, package, channel) LOST_FILES LEASES (programs) NAMES (of the packages whose files are looked for).

probe_host() {
  emit user "$(id -un)"
  emit groups "$(id -Gn 2>/dev/null) $(id -G)"
  emit readers "$(stat -c '%a %G %g' "$STORE" 2>/dev/null)"
  emit machine "$(uname -sm)"
  emit libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
  for tool in curl wget sha256sum shasum openssl; do
    command -v "$tool" >/dev/null 2>&1 && emit tool "$tool"
  done
}

probe_generations() {
  for record in "$STORE"/markers/*; do
    name=${record##*/}
    is_complete "$name" && emit complete "name=$name $MARKER"
  done
}

# Names are enough: name and version of what is installed stand in them.
probe_packages() {
  for found in "$1"/lib/python3*/site-packages/*.dist-info; do
    found=${found##*/} && emit dist "${found%.dist-info}"
  done
  for found in "$1"/conda-meta/*.json; do
    found=${found##*/} && emit conda "${found%.json}"
  done
}

VERSION_OF='import sys; print("%d.%d.%d" % sys.version_info[:3])'

probe_python() {
  may_run "$ROOT/bin/python" || return 1
  version=$("$ROOT/bin/python" -I -S -c "$VERSION_OF" 2>/dev/null) || return 1
  emit python "$version"
  probe_packages "$ROOT"
}

probe_live() {
  probe_python || return 1
  # shellcheck disable=SC2086 # a word for each name
  [ "$STATE" != present ] ||
    "$ROOT/bin/python" -I -S -c "$LOST_FILES" "$ROOT" "$STORE/markers/.unshipped-$LIVE" $NAMES | pass_on
  [ -e "$STORE/markers/.changing-$LIVE" ] && emit changing "$(cat "$STORE/markers/.changing-$LIVE")"
  return 0
}

version_in() {
  for found in "$1/conda-meta/$2"-[0-9]*.json; do
    [ ! -e "$found" ] || { found=${found##*/"$2"-} && echo "${found%%-*}" && return; }
  done
}

# What a directory is that somebody else made. Nothing in it is run unless we were asked to adopt it.
probe_foreign() {
  [ "$WHAT" = directory ] && [ -d "$ROOT/conda-meta" ] || return 0
  kind=unknown version=$(version_in "$ROOT" conda)
  while read -r name package channel; do
    found=$(version_in "$ROOT" "$package")
    [ "$package" = - ] || [ -n "$found" ] || continue
    [ "$channel" = - ] || grep -qsF -e "$channel" "$ROOT/.condarc" || continue
    kind=$name version=${found:-$version}
  done <<DISTRIBUTIONS
$DISTRIBUTIONS
DISTRIBUTIONS
  found=$(sed -n 's/.*"version": *"\([A-Za-z0-9._+-]*\)".*/\1/p' "$ROOT/.installer.info" 2>/dev/null | head -n 1)
  version=${found:-$version}
  [ "$ADOPT" = yes ] && may_run "$ROOT/bin/conda" "$ROOT/bin/python" && "$ROOT/bin/conda" --version >/dev/null 2>&1 &&
    python=$("$ROOT/bin/python" -I -S -c "$VERSION_OF" 2>/dev/null) || python=
  emit foreign "distribution=$kind version=${version:-unknown} python=$python"
}

# Whether anything of ours is there, and what runs from it, here or perhaps on another host.
probe_ours() {
  kind=$(kind_of_store)
  emit store "$kind"
  case $kind in
    ours) ! holds_ours || emit ours yes ;;
    old | empty) emit ours yes ;; # of the empty one, all but its own removal was done
  esac
  [ "$STATE" = absent ] || return 0
  programs=$(users_of "$ROOT" "$STORE" | without_worker | tell_programs)
  # A run that works here has leases of its own; it is waited for, and the removal looks again.
  look_at_lock
  case $HELD in free | dead) [ -n "$programs" ] || programs=$(tell_leases) ;; esac
  [ -z "$programs" ] || emit using "$programs"
  hints_of "$ROOT" "$STORE" | while read -r hint; do emit hint "$hint"; done
  servers_elsewhere "$HOME" | while read -r found; do emit elsewhere "$found"; done
}

probe_downloads() {
  for found in "$STORE"/downloads/*.sh; do emit download "${found##*/}"; done
}

probe_kept() {
  for found in "$STORE"/* "$STORE"/envs/*; do
    case $found in "$STORE"/lock | "$STORE"/envs | *'*') continue ;; esac
    emit inside "$found"
  done
}

# The first Python of the host on which modules run. Only a check run before the first installation needs it.
probe_host_python() {
  for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8; do
    path=$(command -v "$name" 2>/dev/null) || continue
    "$path" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null || continue
    emit host_python "$path" && return
  done
}

# Names that a new generation cannot have: somebody put something there, or nobody knows any longer who did.
probe_taken() {
  for found in "$STORE"/*-* "$STORE"/markers/*-*; do
    name=${found##*/}
    if [ -L "$found" ]; then kind='link'; else kind=begun; fi
    [ -e "$found" ] || [ -L "$found" ] || continue
    [ -e "$STORE/markers/.$kind-$name" ] || is_complete "$name" || emit taken "$name"
  done
}

probe_room() {
  place=$STORE
  while [ ! -e "$place" ]; do
    place=${place%/*} && [ -n "$place" ] || place=/
  done
  emit place "$place"
  [ -w "$place" ] && emit writable yes
  others_try "$place" && return
  kib=$(df -Pk "$place" 2>/dev/null | awk 'NR == 2 { print $4 }')
  inodes=$(df -Pi "$place" 2>/dev/null | awk 'NR == 2 && $2 > 0 { print $4 }')
  others_try "$place" && return
  emit kib "$kib"
  emit inodes "$inodes"
}

# All that somebody needs who only uses it: a member of a lab, for whom the rest is somebody else's to decide.
probe_found() {
  tell_prefix
  [ -n "$LIVE" ] && is_complete "$LIVE" && emit complete "name=$LIVE $MARKER" && probe_python
  end_answers
}

probe() {
  locate
  require_trusted
  emit home "$HOME"
  emit prefix "$ROOT"
  [ "$STATE" != found ] || { probe_found; return; }
  probe_host
  tell_prefix
  probe_foreign
  probe_generations
  emit turn "$(cat "$STORE/markers/.turn" 2>/dev/null)"
  probe_ours
  probe_kept
  probe_downloads
  probe_taken
  { [ -n "$LIVE" ] && probe_live; } || probe_host_python
  tell_lock
  tell_life "$(field run "$HOLDER")"
  probe_room
  end_answers
}

probe </dev/null
