# shellcheck shell=sh
# Runs the installer and adds the packages, and looks whether what came out works.
# Settings: RUN PACKAGES_FROM PACKAGES (one in each line) REINSTALL INDEX_URL CHANNELS.

run_installer() {
  phase install
  [ ! -e "$TREE" ] || discard "$TREE"
  shell='sh'
  case $(head -n 1 "$INSTALLER") in *bash*) shell='bash' ;; esac
  require_checked
  "$shell" "$INSTALLER" -b -p "$TREE" </dev/null ||
    fail "the installer ended with exit code $?" "Its output is in $STORE/logs/$RUN.log on the host"
  require_checked
  # Environments that people make lie beside the generations, so that they outlive them.
  printf 'envs_dirs:\n  - %s/envs\n  - ~/.conda/envs\n' "$STORE" >>"$TREE/.condarc"
}

# install_packages now|later: whether pip compiles them. Each requirement becomes one argument.
install_packages() {
  [ -n "$PACKAGES" ] || return 0
  compile=--compile
  [ "$1" = now ] || compile=--no-compile
  phase packages
  set -f
  case $PACKAGES_FROM in
    conda)
      set -- "$TREE/bin/conda" install --yes --prefix "$TREE" ${CHANNELS:+--override-channels}
      for channel in $CHANNELS; do set -- "$@" --channel "$channel"; done
      ;;
    *)
      set -- "$TREE/bin/python" -m pip --isolated install --no-input --disable-pip-version-check \
        --no-cache-dir --prefer-binary --no-warn-script-location --progress-bar off \
        ${INDEX_URL:+--index-url "$INDEX_URL"} ${REINSTALL:+--force-reinstall} "$compile"
      ;;
  esac
  for package in $PACKAGES; do set -- "$@" "$package"; done
  set +f
  "$@" </dev/null || fail "installing the packages ended with exit code $?" \
    "Is a name or version wrong, or the index (anaconda_index_url, anaconda_channels) out of reach?"
}

# What pip does before it ends. Everything works without, only the first import of each module is slower; so nobody
# waits for it. What cannot be compiled is no fault: pip does not mind either.
compile_packages() {
  nice "$TREE/bin/python" -I -m compileall -q -j 2 "$TREE"/lib/python3*/site-packages >/dev/null 2>&1 </dev/null
}

# Imports what was asked for under its own name; what has no module of that name is there, which must do.
IMPORT_ALL='
import importlib.metadata, importlib.util, sqlite3, ssl, sys
for name in sys.argv[1:]:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        continue
    module = name.lower().replace("-", "_")
    if importlib.util.find_spec(module):
        importlib.import_module(module)
'

verify() {
  phase verify
  set -f
  set --
  for package in $PACKAGES; do set -- "$@" "${package%%[<>=!~]*}"; done
  set +f
  "$TREE/bin/python" -I -c "$IMPORT_ALL" "$@" </dev/null ||
    fail "the new Python cannot import what was installed" "See the log for the package that fails"
}

verify_conda() {
  "$TREE/bin/conda" --version </dev/null || fail "the new conda does not run" "See the log"
}
