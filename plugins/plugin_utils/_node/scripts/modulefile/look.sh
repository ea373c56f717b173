# shellcheck shell=sh disable=SC1091,SC2154 # /etc/profile is the host's; the controller gives the settings
# What lies where the modulefile belongs, and which module command the site has. Changes nothing.
# DIR, NAME and OURS, which all files of ours hold, come before it, and answer.sh.

# What the login files of the site set; they may end the shell or read what it reads.
site_of() (
  # shellcheck source=/dev/null
  . /etc/profile >/dev/null 2>&1 </dev/null
  if [ -z "$LMOD_CMD" ] && [ -n "$MODULESHOME" ]; then echo tcl; else echo lua; fi
)

kind_of() {
  if [ -d "$1" ]; then
    echo directory
  elif [ -f "$1" ]; then
    echo 'file'
  elif [ -e "$1" ] || [ -L "$1" ]; then
    echo other
  else
    echo missing
  fi
}

# look_at_file SYNTAX PATH: its mode and content; a modulefile of ours is far smaller than what is read.
look_at_file() {
  kind=$(kind_of "$2")
  emit "$1" "$kind"
  [ "$kind" = 'file' ] || return
  # shellcheck disable=SC2012 # stat has no form that all hosts know
  emit "$1_mode" "$(ls -ldL "$2" | cut -c1-10)"
  emit "$1_hex" "$(head -c 65536 "$2" 2>/dev/null | od -An -v -tx1 | tr -d ' \n')"
}

is_modulefile() {
  [ -f "$1" ] || return 1
  case $1 in
    *~) return 1 ;;
    *.lua) return 0 ;;
    *) [ "$(head -c 8 "$1" 2>/dev/null | tr -d '\0')" = '#%Module' ] ;;
  esac
}

# tell_module WHERE PATH: another modulefile, and whether an earlier run of ours wrote it.
tell_module() {
  is_modulefile "$2" || return
  if grep -q "$OURS" "$2" 2>/dev/null; then emit "$1" "ours $2"; else emit "$1" "other $2"; fi
}

tell_modules_in() {
  for found in "$2"/*; do
    case $found in "$place" | "$place.lua") ;; *) tell_module "$1" "$found" ;; esac
  done
}

# For a/b/c: the modules a and a/b, and the versions of a, with which a/b/c cannot share the name.
look_above() {
  above=${NAME%/*}
  while [ "$above" != "$NAME" ]; do
    tell_module above "$dir/$above.lua"
    tell_module above "$dir/$above"
    case $above in
      */*) above=${above%/*} && tell_modules_in above "$dir/$above" ;;
      *) return ;;
    esac
  done
}

# Why nothing can be written there; only an attempt knows the reason, and it is left out where -w says yes.
problem_of() {
  [ -d "$1" ] && [ ! -w "$1" ] || return
  words=$(LC_ALL=C mktemp "$1/.hpcc-XXXXXX" 2>&1) && rm -f "$words" && return
  printf '%s' "${words##*: }"
}

# The nearest directory that exists, in which the others have to be made.
look_at_directory() {
  base=${place%/*}
  while [ ! -e "$base" ] && [ ! -L "$base" ]; do
    base=${base%/*}
    [ -n "$base" ] || base=/
  done
  emit base "$base"
  emit base_kind "$(kind_of "$base")"
  emit base_problem "$(problem_of "$base")"
}

case $DIR in
  /*) dir=$DIR ;;
  *) dir=$HOME${DIR#?} ;; # ~ or ~/…
esac
place=$dir/$NAME
emit place "$place"
emit site "$(site_of)"
look_at_directory
look_at_file lua "$place.lua"
look_at_file tcl "$place"
tell_modules_in inside "$place"
look_above
case $NAME in */*) tell_modules_in beside "${place%/*}" ;; esac
end_answers
