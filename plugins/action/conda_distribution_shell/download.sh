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

curl_download() {
  curl -q --silent --show-error --fail --location --proto =https \
    --proto-redir =https --max-redirs 10 --connect-timeout 30 --max-time "$DEADLINE" --speed-limit 1000 \
    --speed-time "$STALL" --retry 3 --retry-delay 1 --dump-header "$WORK/headers" -C - -o "$PART" "$URL" 2>"$WORK/words"
}

wget_download() {
  limit=
  command -v timeout >/dev/null && limit="timeout $DEADLINE"
  # shellcheck disable=SC2086 # two words, or none
  $limit wget -c -S -T "$STALL" -O "$PART" "$URL" 2>"$WORK/words"
  status=$?
  sed -n 's/^  *\([Cc]ontent-.*\)/\1/p' "$WORK/words" >"$WORK/headers"
  if grep -qi '^ *location: *http:' "$WORK/words"; then
    rm -f "$PART" && fail "$URL redirects to plain http" "Use an address that stays with https"
  fi
  return "$status"
}

download_once() {
  if command -v curl >/dev/null; then
    curl_download
  elif command -v wget >/dev/null; then
    wget_download
  else
    fail "the host has neither curl nor wget" "Set anaconda_download_on: controller"
  fi
}

explain_download() {
  words=$(tail -n 3 "$WORK/words" | tr '\n' ' ')
  case $words in
    *404* | *410*) fail "$URL does not exist ($words): version $VERSION is not there" "Give another anaconda_version" ;;
    *[Pp]roxy* | *"Failed to connect"* | *refused*)
      fail "cannot fetch $URL: $words(https_proxy=${https_proxy:-${HTTPS_PROXY:-none}})" \
        "Correct the proxy or set anaconda_download_on: controller" ;;
    *) fail "cannot fetch $URL: $words" "Run again: it resumes where it stopped" ;;
  esac
}

# Three attempts, as long as the server breaks off in the middle; each goes on where the last one stopped.
download() {
  phase download "$PART"
  resumed=
  [ ! -s "$PART" ] || resumed=yes
  for _ in 1 2 3; do
    download_once && return
    status=$?
    case $status in
      18 | 52 | 55 | 56 | 92) sleep 1 ;;
      22 | 33) # There may be nothing left to fetch, or something that the server cannot continue.
        [ -n "$resumed" ] || break
        matches "$PART" && return
        rm -f "$PART" && resumed=
        ;;
      *) break ;;
    esac
  done
  explain_download
}

matches() {
  FOUND=$(sha256_of "$1")
  [ "$FOUND" = "$SHA256" ]
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

# INSTALLER is complete and checked under this name only; it refuses to run when its name does not end in .sh.
fetch() {
  INSTALLER=$STORE/downloads/$SHA256.sh PART=$STORE/downloads/$SHA256.part
  phase check
  [ -f "$INSTALLER" ] && matches "$INSTALLER" && return
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
  [ -n "${resumed:-}" ] || return 1
  rm -f "$PART"
  download
  matches "$PART"
}
