# shellcheck shell=sh disable=SC2034,SC2153,SC2154 # who asks reads WHY and REMEDY
# Whether anybody else could change what lies at a path: nothing is run from there otherwise. answer.sh and OWNER come
# before it: the account that, besides root and the one that asks, may own what is run; empty when there is none.

SELF=$(id -u)

# trusted PATH…: what lies there, and all directories and links that lead there, belong to accounts that may own it,
# and nobody else can write to them. Otherwise WHY and REMEDY say what is wrong. What is not there cannot be wrong.
trusted() {
  WHY="there is no account $OWNER" REMEDY="Correct anaconda_owner"
  case $OWNER in
    *[!0-9]*) TRUSTED=" 0 $SELF $(id -u "$OWNER" 2>/dev/null) " || return 1 ;;
    *) TRUSTED=" 0 $SELF $OWNER " ;;
  esac
  look_ahead "$@"
  MISSING=
  for path in "$@"; do
    follow "$path" || return 1
  done
}

# may_run PROGRAM…: the same of what is run next, and it was there when it was looked at. Whoever may make something in
# a directory such as /tmp may also take it away while it is judged, and put it back before it is run.
may_run() {
  trusted "$@" || return 1
  [ -n "$MISSING" ] || return 0
  WHY="$MISSING is not there any more" REMEDY="Run again"
  return 1
}

# look_ahead PATH…: what there is to know of each step that leads there without a link, asked of one program: to start one
# for each step would take longer than all the rest.
look_ahead() {
  steps=$NEWLINE/
  for path in "$@"; do
    while [ -n "$path" ]; do
      case $CLOSED$steps$NEWLINE in *"$NEWLINE$path$NEWLINE"*) ;; *) steps=$steps$NEWLINE$path ;; esac
      case $path in */*) path=${path%/*} ;; *) path='' ;; esac
    done
  done
  # shellcheck disable=SC2086 # a word for each line
  SEEN=$NEWLINE$(set -f && IFS=$NEWLINE && stat -c '%n=%A %u %g' $steps 2>/dev/null)$NEWLINE
}

# trusted_installation PREFIX: the same of all that is run or believed there. The names in a directory are asked for only
# when nobody else can have put them there: with thousands of them, this would not come to its end.
trusted_installation() {
  trusted "$1" "$1.d" "$1.d/markers" "$1/bin" "$1/bin/python" "$1/lib" &&
    trusted "$1"/lib/python3* "$1"/lib/python3*/site-packages
}

# From / downwards, step by step and link by link, as the kernel goes.
follow() {
  here='' rest=$1 links=0
  is_closed / || return 1
  while [ -n "$rest" ]; do
    step=${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
    while [ "${rest#/}" != "$rest" ]; do rest=${rest#/}; done
    case $step in
      '' | .) continue ;;
      ..) here=${here%/*} && continue ;;
    esac
    may_enter "${here:-/}" || return 1
    [ -L "$here/$step" ] || [ -e "$here/$step" ] || { MISSING=$here/$step && return 0; }
    is_closed "$here/$step" "$rest" || return 1
    if [ -L "$here/$step" ]; then
      links=$((links + 1))
      [ "$links" -lt 40 ] || { WHY="$1 has links that lead in a circle" REMEDY="Remove them" && return 1; }
      rest=$(readlink "$here/$step")/$rest
      case $rest in /*) here='' ;; esac
    else
      here=$here/$step
    fi
  done
}

# What lies in a directory that is closed to us is not missing.
may_enter() {
  [ ! -d "$1" ] || [ -x "$1" ] || {
    WHY="$1 is closed to $(id -un 2>/dev/null): it $(stat -c 'belongs to %U, group %G (%A)' "$1")"
    REMEDY="Ask its owner to let you in, and log in again when you have got a new group; or choose another anaconda_prefix"
    return 1
  }
}

# is_closed PATH [REST]: one step. In a sticky directory such as /tmp, nobody moves what belongs to somebody else:
# that does for what leads on to the REST, and not for the end.
is_closed() {
  case $CLOSED in *"$NEWLINE$1$NEWLINE"*) return 0 ;; esac
  case $SEEN in
    *"$NEWLINE$1="*) words=${SEEN#*"$NEWLINE$1="} && words=${words%%"$NEWLINE"*} ;;
    *) words=$(stat -c '%A %u %g' "$1" 2>/dev/null) || { WHY="$1 cannot be looked at" REMEDY="" && return 1; } ;;
  esac
  gid=${words##* } uid=${words#* } mode=${words%% *} && uid=${uid% *}
  case $TRUSTED in *" $uid "*) ;; *) not_ours "$1" && return 1 ;; esac
  case $mode${2:+/} in
    l* | d*[tT]/) return 0 ;;
  esac
  ! is_open "$1" || return 1
  CLOSED=$CLOSED$1$NEWLINE
}
CLOSED=$NEWLINE

not_ours() {
  owner=$(stat -c '%U' "$1")
  [ "$owner" != UNKNOWN ] || owner=$uid
  WHY="$1 belongs to $owner (uid $uid), who could change what is run from there"
  REMEDY="When it may be so, set anaconda_owner: $owner; otherwise choose another anaconda_prefix"
}

# Whether others than its owner may write to it.
is_open() {
  case $mode in
    ????????w*) ;;
    ?????w*) ! is_private_group "$1" || return 1 ;;
    *) return 1 ;;
  esac
  WHY="others can write to $1 ($mode), and could change what is run from there"
  REMEDY="Choose another anaconda_prefix, or have its owner run: chmod go-w '$1'"
}

# Many systems give each account a group of its own. What such a group may write to, nobody else can; unless a list
# of access rights says more, whose sum stands in the place of the group's.
is_private_group() {
  # shellcheck disable=SC2012 # the first letters are wanted
  case $(ls -ld "$1" | cut -c11) in +) return 1 ;; esac
  user=$(account passwd "$uid" | cut -d: -f1) group=$(account group "$gid")
  [ "$gid" = "$uid" ] || [ "${group%%:*}" = "${user:-?}" ] || return 1
  case ${group##*:} in '' | "$user") ;; *) return 1 ;; esac
  [ -z "$({ getent passwd || cat /etc/passwd; } 2>/dev/null |
    awk -F: -v uid="$uid" -v gid="$gid" '$4 == gid && $3 != uid')" ]
}

account() {
  getent "$1" "$2" 2>/dev/null || awk -F: -v number="$2" '$3 == number' "/etc/$1"
}
