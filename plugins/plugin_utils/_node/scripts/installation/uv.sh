# shellcheck shell=sh
# Packages by uv, which takes half of pip's time, where it does what pip would do. Whatever is amiss, pip does the work and finds the words.
# Settings: INDEX_URL PACKAGES (one in each line).

# Whichever index sends them, these bytes are run and no others: x86_64, aarch64 with a newer and an older glibc, ppc64le.
UV='uv==0.13.9
  --hash=sha256:d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19
  --hash=sha256:ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375
  --hash=sha256:5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe
  --hash=sha256:c5dbdb7c8737cd183a9dce95b39cfd1f3d54ec2a27a1bb58f160293f9ba2c805'
# Seconds. A lock of a file system may never be given; and whoever has a line that slow is served by pip.
UV_LIMIT=300

# 0 when all packages are installed; otherwise the tree is as it was, or as new.
install_with_uv() {
  UV_INDEX=$INDEX_URL UV_TRUSTS=${SSL_CERT_FILE:-}
  can_limit && uv_reads_what_pip_reads && fetch_uv || return
  before=$(metadata)
  if run_uv; then
    say "uv has installed the packages"
    forget_uv
    return
  fi
  say "uv cannot install them, so pip does: $(grep . "$WORK/tmp/uv.log" | tail -n 1 | cut -c1-300)"
  forget_uv
  [ "$(metadata)" = "$before" ] || begin_anew
  return 1
}

# In the worker's own group of processes, so that what ends the worker ends it, too.
can_limit() {
  timeout --foreground -s KILL 9 true 2>/dev/null
}

# Wheels only: what has to be built, pip builds. Hard links cost no room, and the cache goes with the directory.
# An address may hold a password, so it stands in the environment: arguments can be read by everybody.
run_uv() {
  set -f
  # shellcheck disable=SC2086 # a word for each package
  set -- $PACKAGES
  set +f
  SSL_CERT_FILE=$UV_TRUSTS UV_DEFAULT_INDEX=$UV_INDEX timeout --foreground -s KILL "$UV_LIMIT" \
    "$WORK/tmp/uv/bin/uv" pip install --quiet --no-config --system-certs --no-python-downloads \
    --only-binary :all: --cache-dir "$WORK/tmp/uv-cache" --python "$TREE/bin/python" "$@" \
    </dev/null >"$WORK/tmp/uv.log" 2>&1
}

# Its lock lies in the tree where that is a virtual environment.
forget_uv() {
  rm -rf "$WORK/tmp/uv" "$WORK/tmp/uv-cache"
  [ -s "$TREE/.lock" ] || rm -f "$TREE/.lock"
}

# What uv was cut off in, pip would take for whole.
begin_anew() {
  run_installer
  empty_trash
  phase packages
}

# uv reads no configuration of pip. One index and one file of certificates can be handed over; what else somebody has set, such as
# constraints, more indexes or a directory of wheels, pip alone knows how to obey. And pip reads http only from hosts that it trusts.
# What stands for `install` comes after what stands for all commands, in this list as for pip.
uv_reads_what_pip_reads() {
  pip config list >"$WORK/tmp/pip.config" 2>/dev/null || return
  while IFS='=' read -r name value; do
    value=${value#\'} && value=${value%\'}
    case $value in *[\'\"\\]*) return 1 ;; esac # as Python writes it
    case $name in
      global.cert | install.cert) UV_TRUSTS=$value ;;
      global.index-url | install.index-url) [ -n "$INDEX_URL" ] || UV_INDEX=$value ;;
      *.timeout | *.retries | *.progress-bar | *.disable-pip-version-check | *.no-cache-dir) ;;
      *) return 1 ;;
    esac
  done <"$WORK/tmp/pip.config"
  [ -z "$UV_TRUSTS" ] || [ -r "$UV_TRUSTS" ] || return
  case $UV_INDEX in '' | https://*) ;; *) return 1 ;; esac
}

# From the index of the packages. One that does not offer it says so at once.
fetch_uv() {
  printf '%s\n' "$UV" | sed '$!s/$/ \\/' >"$WORK/tmp/uv.txt" &&
    pip install --quiet --require-hashes --requirement "$WORK/tmp/uv.txt" --only-binary :all: --no-deps --no-compile \
      --no-cache-dir --retries 0 --timeout 15 --target "$WORK/tmp/uv" \
      ${INDEX_URL:+--index-url "$INDEX_URL"} >"$WORK/tmp/uv.log" 2>&1
}
