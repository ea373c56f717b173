# shellcheck shell=sh
# Brings the installer to the host. It has its final name only once its checksum was right.
# Settings: SHA256 URL VERSION DEADLINE.

sha256_of() {
  if command -v sha256sum >/dev/null; then
    set -- "$(sha256sum <"$1")"
  elif command -v openssl >/dev/null; then
    set -- "$(openssl dgst -sha256 -r <"$1")"
  else
    set -- "$(shasum -a 256 <"$1")"
  fi
  printf '%s' "${1%% *}"
}

# HTTP is the server's answer, as far as one came.
curl_download() {
  HTTP=$(curl -q --silent --show-error --fail --location --proto =https --proto-redir =https --max-redirs 10 \
    --connect-timeout 30 --max-time "$LEFT" --speed-limit 1000 --speed-time "$STALL" --write-out '%{http_code}' \
    --dump-header "$WORK/headers" -C - -o "$PART" "$URL" 2>"$WORK/words")
}

wget_download() {
  limit=
  command -v timeout >/dev/null && limit="timeout $LEFT"
  # shellcheck disable=SC2086 # two words, or none
  $limit wget -c -S -T "$STALL" -O "$PART" "$URL" 2>"$WORK/words"
  status=$?
  HTTP=$(sed -n 's/^ *HTTP[^ ]* \([0-9]*\).*/\1/p' "$WORK/words" | tail -n 1)
  sed -n -e 's/^  *\([Cc]ontent-.*\)/\1/p' -e 's/^  *\([Rr]etry-[Aa]fter:.*\)/\1/p' "$WORK/words" >"$WORK/headers"
  if grep -qi '^ *location: *http:' "$WORK/words"; then
    rm -f "$PART" && refuse_plain_http
  fi
  return "$status"
}

download_once() {
  LEFT=$((ENDS - $(date +%s)))
  [ "$LEFT" -gt 0 ] || LEFT=1
  if command -v curl >/dev/null; then
    curl_download
  else
    wget_download
  fi
}

refuse_plain_http() {
  fail "$URL redirects to plain http" "Use an address that stays with https"
}

# What a server says that wants to be asked less often: seconds or a date. Nothing when it says nothing.
told_to_wait() {
  case $HTTP in 429 | 503) ;; *) return 1 ;; esac
  told=$(tr -d '\r' <"$WORK/headers" | sed -n 's/^[Rr]etry-[Aa]fter: *//p' | tail -n 1)
  case $told in
    '') return 1 ;;
    *[!0-9]*) told=$(($(date -d "$told" +%s 2>/dev/null || date +%s) - $(date +%s))) ;;
  esac
  [ "$told" -ge "$1" ] || told=$1
  printf '%s' "$told"
}

# Bounded by the deadline; each time at least a second longer, whatever the server says.
wait_as_told() {
  waits=$((${waits:-0} + 1))
  told=$(told_to_wait "$waits") || return 1
  [ $(($(date +%s) + told)) -lt "$ENDS" ] ||
    fail "$URL: the server has too many requests (HTTP $HTTP) and asks to wait $told s, longer than the $DEADLINE s allowed" \
      "Run again later, or set a longer anaconda_download_timeout"
  phase wait
  sleep "$told"
  phase download "$PART"
}

explain_download() {
  words=$({ grep '^curl: (' "$WORK/words" || tail -n 3 "$WORK/words"; } | tr '\n' ' ')
  [ -s "$PART" ] || rm -f "$PART"
  proxy=${https_proxy:-${HTTPS_PROXY:-}}
  case $HTTP in
    404 | 410)
      fail "$URL does not exist (HTTP $HTTP): version $VERSION is not there" "Give another anaconda_version" ;;
    429) fail "$URL: the server has too many requests (HTTP 429)" "Run again later, or use a mirror (anaconda_url)" ;;
    4??)
      fail "$URL: the server refuses to give it (HTTP $HTTP)" \
        "Look at the address, and whether it needs a login; or use a mirror (anaconda_url)" ;;
  esac
  case $words in
    *'redirects followed'* | *'redirections exceeded'*)
      fail "$URL redirects in a loop" "Look at the address, or use another mirror (anaconda_url)" ;;
    *[Pp]rotocol*http*) refuse_plain_http ;;
  esac
  fail "cannot fetch $URL: $words${proxy:+(through the proxy $proxy)}" \
    "Run again, it resumes where it stopped; or set anaconda_download_on: controller"
}

# Goes on, within the deadline, as long as a server breaks off in the middle or is out of order for a moment.
download() {
  phase download "$PART"
  ENDS=$(($(date +%s) + DEADLINE))
  for pause in 1 2 0; do
    [ ! -s "$PART" ] || RESUMED=yes
    download_patiently && return
    case $?:$HTTP in
      18:* | 52:* | 55:* | 56:* | 92:* | 22:5?? | 8:5??) sleep "$pause" ;;
      22:416 | 33:*) rm -f "$PART" ;; # nothing that the server could continue
      *) break ;;
    esac
  done
  explain_download
}

download_patiently() {
  until download_once; do
    status=$?
    wait_as_told || return "$status"
  done
}

# What tells this very file, unchanged, from any other.
identity_of() {
  stat -c '%i %s %Y %y' "$1"
}

# Whether it has the right checksum; CHECKED is what was looked at.
matches() {
  CHECKED=$(identity_of "$1")
  FOUND=$(sha256_of "$1")
  [ "$FOUND" = "$SHA256" ]
}

# The bytes that were hashed are the bytes that are executed: looked at directly before and after.
require_checked() {
  [ "$(identity_of "$INSTALLER")" = "$CHECKED" ] && return
  rm -f "$INSTALLER"
  fail "the installer was changed after its checksum was taken; it was deleted" \
    "Find out what writes to $STORE/downloads, and run again"
}

refuse_download() {
  hint="Is the right version's checksum given? Is a mirror or proxy changing the file?"
  case $(head -c 1 "$PART") in
    '<') hint="It is a web page: a login page of the network (captive portal) or an error page of a mirror" ;;
    '') hint="It is empty: try again later, or another mirror" ;;
  esac
  rm -f "$PART"
  fail "$URL has the wrong checksum: sha256 $FOUND, expected $SHA256; it was deleted and not executed" "$hint"
}

claim_download() {
  for found in "$INSTALLER" "$PART"; do
    [ ! -e "$found" ] || is_noted download "$SHA256" ||
      fail "$found is in the way: it was not made by this collection" "Move it away and run again"
  done
  note download "$SHA256"
}

# INSTALLER is complete and checked under this name only; it refuses to run when its name does not end in .sh.
fetch() {
  INSTALLER=$STORE/downloads/$SHA256.sh PART=$STORE/downloads/$SHA256.part
  RESUMED=
  phase check
  [ -f "$INSTALLER" ] && matches "$INSTALLER" && return
  claim_download
  rm -f "$INSTALLER"
  if [ -f "$WORK/upload" ]; then
    mv -f "$WORK/upload" "$PART"
  else
    download
    phase check
  fi
  matches "$PART" || retry_afresh || refuse_download
  mv -f "$PART" "$INSTALLER"
}

# What was put together from two downloads gets one whole one.
retry_afresh() {
  [ -n "$RESUMED" ] || return 1
  rm -f "$PART"
  download
  matches "$PART"
}
