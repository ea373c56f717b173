# shellcheck shell=sh
# Runs the installer and adds the packages, and looks whether what came out works.
# Settings: OWN_LEASE (a program) RUN PACKAGES_FROM PACKAGES (one in each line) AGAIN (names) INDEX_URL CHANNELS TERMS_ACCEPTED (yes or empty).

run_installer() {
  phase install
  claim "$GENERATION"
  shell='sh'
  case $(head -n 1 "$INSTALLER") in *bash*) shell='bash' ;; esac
  require_checked
  "$shell" "$INSTALLER" -b -p "$TREE" </dev/null ||
    fail "the installer ended with exit code $?" "Its output is in $STORE/logs/$RUN.log on the host"
  require_checked
  configure_conda
  hand_out_leases
}

# Every Python of the generation, whoever runs it, has a lease on it: a lock that ends with the process. See own_lease.py.
hand_out_leases() {
  note lease "$GENERATION"
  for place in "$TREE"/lib/python3*/site-packages; do
    [ -d "$place" ] || continue
    { printf '%s\n' "$OWN_LEASE" >"$place/hpcc_notebook_lease.py" &&
      echo "import hpcc_notebook_lease" >"$place/hpcc_notebook_lease.pth"; } || fail "cannot write in $place" ""
  done
}

# In a file of its own, which conda reads besides the installer's .condarc: nothing has to be merged.
# Environments that people make lie beside the generations, so that they outlive them.
configure_conda() {
  { mkdir -p "$TREE/condarc.d" && own_condarc >"$TREE/condarc.d/hpcc_notebook.yml"; } ||
    fail "cannot write $TREE/condarc.d/hpcc_notebook.yml" ""
  [ -z "$SITE_BUNDLE" ] || configure_pip
}

# The certificates that this run was told to trust stand in it: the person's own conda meets the same mirror and proxy.
own_condarc() {
  printf 'envs_dirs:\n  - %s/envs\n  - ~/.conda/envs\n' "$STORE"
  [ -z "$SITE_BUNDLE" ] || printf 'ssl_verify: %s\n' "$SITE_BUNDLE"
}

# The person's own pip, too, unless the installer brought certificates of its own.
configure_pip() {
  [ -e "$TREE/pip.conf" ] || printf '[global]\n' >"$TREE/pip.conf"
  grep -q '^ *cert *=' "$TREE/pip.conf" ||
    "$TREE/bin/python" -I -m pip config --quiet --site set global.cert "$SITE_BUNDLE" </dev/null ||
    fail "cannot write $TREE/pip.conf" ""
}

# What the person accepted for this installation, its own conda knows, too: where nobody can be asked, it would fail.
# Kept in the installation (conda-meta/tos), so that it goes with it.
record_terms() {
  [ -n "$TERMS_ACCEPTED" ] && has_terms_plugin || return 0
  "$TREE/bin/conda" tos accept --system </dev/null ||
    say "the accepted terms cannot be recorded; by hand: $ROOT/bin/conda tos accept --system"
}

has_terms_plugin() {
  for found in "$TREE"/conda-meta/conda-anaconda-tos-*.json; do [ -e "$found" ] && return; done
  return 1
}

# What came with modes of its own, or got rights from a directory above: nobody else may write to it.
close_tree() {
  stranger=$(find "$TREE" ! -user "$(id -u)" ! -user 0 | head -n 1)
  [ -z "$stranger" ] || fail "$stranger belongs to somebody else" "Find out who may write to $STORE, and run again"
  find "$TREE" ! -type l \( -perm -020 -o -perm -002 \) -exec chmod go-w {} +
}

# Into what is not live yet; changes of what is live are in change.sh. Each requirement becomes one argument.
# pip compiles nothing, since nobody waits for that: compile_packages.
install_packages() {
  [ -n "$PACKAGES" ] || return 0
  phase packages
  if [ "$PACKAGES_FROM" != conda ] && install_with_uv; then return; fi
  set -f
  case $PACKAGES_FROM in
    conda)
      set -- "$TREE/bin/conda" install --yes --prefix "$TREE" ${CHANNELS:+--override-channels}
      for channel in $CHANNELS; do set -- "$@" --channel "$channel"; done
      ;;
    *)
      set -- "$TREE/bin/python" -I -m pip --isolated install --no-input --disable-pip-version-check \
        --no-cache-dir --prefer-binary --no-warn-script-location --progress-bar off \
        ${INDEX_URL:+--index-url "$INDEX_URL"} --no-compile
      ;;
  esac
  for package in $PACKAGES; do set -- "$@" "$package"; done
  set +f
  "$@" </dev/null || explain_packages "$?"
}

# The last line of this run's log that holds one of the words.
said() {
  grep -i -e "$1" "$STORE/logs/$RUN.log" | tail -n 1 | cut -c1-300
}

# What conda says of itself decides what helps.
explain_packages() {
  if [ -n "$(said CondaToSNonInteractiveError)" ]; then
    fail "conda installs nothing before the terms of service of its channels are accepted" \
      "Accept them with anaconda_accept_terms: true, or name others in anaconda_channels"
  elif [ -n "$(said EnvironmentIsFrozenError)" ]; then
    fail "the base of this distribution is frozen: conda changes nothing in it" \
      "Set anaconda_packages_from: pip, or put packages of your own into an environment (conda create)"
  fi
  if [ -n "$(said '^WARNING: Retrying .* after connection broken')" ]; then
    fail "installing the packages ended with exit code $1, the index cannot be reached: $(said '^WARNING: Retrying')" \
      "Look at the network, the proxy and anaconda_index_url, and run again"
  fi
  words=$(grep -i -e '^ERROR: ' -e '^[A-Za-z]*Error: ' "$STORE/logs/$RUN.log" | grep -v ResolutionImpossible | tail -n 1)
  fail "installing the packages ended with exit code $1${words:+: $(printf '%s' "$words" | cut -c1-300)}" \
    "Is a name or version wrong, or the index (anaconda_index_url, anaconda_channels) out of reach?"
}

# What pip does before it ends. Everything works without, only the first import of each module is slower; so nobody
# waits for it. What cannot be compiled is no fault: pip does not mind either. Python's own helpers end a moment after
# it, and `cat` after them: a removal that finds the lock free must find none of them.
compile_packages() {
  nice "$TREE/bin/python" -I -m compileall -q -j 2 "$TREE"/lib/python3*/site-packages 2>&1 </dev/null | cat >/dev/null
}

# Imports what was asked for under its own name; what has no module of that name is there, which must do. And without the
# grammar that no server of ours imports either (launch.py says why), which would take as long as all the rest.
IMPORT_ALL='
import importlib.metadata, importlib.util, sqlite3, ssl, sys
sys.modules["rfc3987_syntax"] = None
sys.path[:0] = [path for path in sys.argv[1:2] if path]
for name in sys.argv[2:]:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        continue
    module = name.lower().replace("-", "_")
    if importlib.util.find_spec(module):
        importlib.import_module(module)
'

# verify [DIRECTORY]: what lies in the directory comes before what is installed.
verify() {
  phase verify
  set -f
  set -- "${1:-}"
  for package in $PACKAGES; do set -- "$@" "${package%%[<>=!~]*}"; done
  set +f
  "$TREE/bin/python" -I -c "$IMPORT_ALL" "$@" </dev/null ||
    fail "the new Python cannot import what was installed" "See the log for the package that fails"
}

# conda writes the path by which it was called into what it makes for people (conda init, CONDA_EXE), and that path is the
# one of the interpreter in its first line. The stable path stays right when another generation becomes live.
# Comes last: before it is live, this conda would run by the Python of the one that is.
name_stable_path() {
  for file in bin/conda bin/conda-env bin/activate bin/deactivate condabin/conda etc/profile.d/conda.sh \
    etc/profile.d/conda.csh etc/profile.d/mamba.sh etc/fish/conf.d/conda.fish; do
    file=$TREE/$file
    grep -qs "$TREE" "$file" || continue
    { cp -p "$file" "$file.new" && sed "s|$TREE|$ROOT|g" "$file" >"$file.new" && mv -f "$file.new" "$file"; } ||
      fail "cannot write $file" ""
  done
}

# --version alone would not read the configuration.
verify_conda() {
  words=$("$TREE/bin/conda" config --show envs_dirs 2>&1 </dev/null) ||
    fail "the new conda does not run: $(printf '%s' "$words" | grep . | tail -n 1 | cut -c1-200)" \
      "Look at its configuration: $TREE/.condarc, /etc/conda"
}
