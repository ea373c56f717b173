# shellcheck shell=sh
# Changes the packages of a generation that is live: all that can fail is done before anything in it is touched.
# Settings: those of install.sh and LOST_FILES (a program).

# In place, on the living generation: the note makes the next run repair what an interruption leaves.
change_packages() {
  list_files >"$WORK/files"
  prepare_change
  put "$STORE/markers/.changing-$GENERATION" "$(printf '%s' "$TOUCHED" | tr '\n' ' ')"
  apply_change
  verify
  close_tree
  note_new_files
  [ "$REPAIRED" = no ] || note_unshipped
  settle "$TREE"
  rm -f "$STORE/markers/.changing-$GENERATION"
  [ "$REPAIRED" = yes ] || require_whole
}

# Without this, a run would try for ever what it cannot have.
require_whole() {
  lost=$(lost_of_list "$STORE/markers/.unshipped-$GENERATION")
  [ -z "$lost" ] || fail "files of packages are missing or empty, and these cannot be had again${CAUSE:+: $CAUSE}" \
    "Is the index (anaconda_index_url, anaconda_channels) in reach? A version that it has can be named in anaconda_packages"
}

# What has to be installed again may not be on the index any more; the list of packages alone decides then.
prepare_change() {
  phase resolve
  REPAIRED=yes
  resolve && return
  status=$?
  [ -n "$AGAIN" ] || explain_packages "$status"
  CAUSE=$(said '^ERROR: ') wanted_again=$AGAIN
  # The note of a change that was cut off may have names that no index knows.
  # shellcheck disable=SC2086 # a word for each name
  AGAIN=$("$TREE/bin/python" -I -c "$INSTALLED_OF" $AGAIN)
  [ -z "$AGAIN" ] || [ "$AGAIN" = "$wanted_again" ] || ! resolve || return 0
  AGAIN='' REPAIRED=no
  resolve || explain_packages "$?"
}

# What is installed, by the names of its metadata: a file in there may be missing.
METADATA='
import glob, importlib.metadata, json, os, re, sys
def canonical(name):
    return re.sub("[-_.]+", "-", name).lower()
def installed():
    for dist in importlib.metadata.distributions():
        name, _, version = dist._path.name.rpartition(".")[0].partition("-")
        yield canonical(name), version
'

# Those of the given names that are installed.
INSTALLED_OF=$METADATA'
there = {name for name, _ in installed()}
print(" ".join(name for name in sys.argv[1:] if canonical(name) in there))
'

resolve() {
  case $PACKAGES_FROM in
    conda) conda_install --download-only && TOUCHED=$(printf '%s\n' "$PACKAGES" | sed 's/[<>=!~].*//') ;;
    *) resolve_with_pip && fetch_wheels && try_wheels ;;
  esac
}

apply_change() {
  phase packages
  BEFORE=$(metadata)
  case $PACKAGES_FROM in
    conda) conda_install ;;
    *) install_wheels ;;
  esac && return
  status=$?
  forget_change
  explain_packages "$status"
}

# pip and conda put back what they cannot replace; pip leaves the metadata of what it could not finish.
# When all is as it was before, nothing has to be repaired.
forget_change() {
  metadata | LC_ALL=C sort >"$WORK/metadata"
  printf '%s\n' "$BEFORE" | LC_ALL=C sort | LC_ALL=C comm -13 - "$WORK/metadata" | grep '/site-packages/' | remove_each
  # shellcheck disable=SC2086 # a word for each name
  lost=$("$TREE/bin/python" -I -S -c "$LOST_FILES" "$TREE" "$STORE/markers/.unshipped-$GENERATION" $TOUCHED)
  [ "$(metadata)" != "$BEFORE" ] || [ -n "$lost" ] || rm -f "$STORE/markers/.changing-$GENERATION"
}

remove_each() {
  while read -r path; do rm -rf "$path"; done
}

metadata() {
  ls -d "$TREE"/lib/python3*/site-packages/*.dist-info "$TREE"/conda-meta/*.json 2>/dev/null
}

# conda itself undoes what it cannot finish; --download-only solves and fetches everything.
conda_install() {
  set -f
  set -- "$TREE/bin/conda" install --yes --prefix "$TREE" ${CHANNELS:+--override-channels} ${AGAIN:+--force-reinstall} "$@"
  for channel in $CHANNELS; do set -- "$@" --channel "$channel"; done
  for package in $PACKAGES $AGAIN; do set -- "$@" "$package"; done
  set +f
  "$@" </dev/null
}

pip() {
  "$TREE/bin/python" -I -m pip --isolated "$@" --no-input --disable-pip-version-check </dev/null
}

# The whole list, so that what is added cannot take away what is there. What is installed and fits stays as it is.
resolve_with_pip() {
  set -f
  # shellcheck disable=SC2086 # a word for each package
  pip install --dry-run --quiet --report "$WORK/report" --prefer-binary \
    ${INDEX_URL:+--index-url "$INDEX_URL"} $PACKAGES $AGAIN
  status=$?
  set +f
  [ "$status" = 0 ] || return "$status"
  # shellcheck disable=SC2086
  PINS=$("$TREE/bin/python" -I -c "$PINS_OF" "$WORK/report" $AGAIN) || return
  TOUCHED=$(printf '%s\n' "$PINS" | sed 's/==.*//')
}

# name==version of what pip would install, and of what has to be installed again at the version that it has.
PINS_OF=$METADATA'
report, names = sys.argv[1], sys.argv[2:]
with open(report, encoding="utf-8") as file:
    found = [item["metadata"] for item in json.load(file)["install"]]
pins = {canonical(one["name"]): one["version"] for one in found}
for name, version in installed():
    if name in names:
        pins.setdefault(name, version)
print("\n".join(f"{name}=={version}" for name, version in sorted(pins.items())))
'

# Built, too, where only sources are offered.
fetch_wheels() {
  rm -rf "$WORK/wheels" && mkdir "$WORK/wheels"
  # shellcheck disable=SC2086 # a word for each pin
  [ -z "$PINS" ] || pip wheel --quiet --no-deps --prefer-binary --progress-bar off --wheel-dir "$WORK/wheels" \
    ${INDEX_URL:+--index-url "$INDEX_URL"} $PINS
}

# Imported from a directory of their own, in front of what is live.
try_wheels() {
  [ -n "$PINS" ] || return 0
  # shellcheck disable=SC2086
  from_wheels --no-compile --target "$WORK/trial" $PINS && verify "$WORK/trial"
  status=$?
  rm -rf "$WORK/trial"
  return "$status"
}

from_wheels() {
  pip install --quiet --no-index --find-links "$WORK/wheels" --no-deps --no-warn-script-location "$@"
}

install_wheels() {
  [ -n "$PINS" ] || return 0
  clear_wrecks
  # shellcheck disable=SC2086
  from_wheels --compile --force-reinstall $PINS
}

# What pip neither takes for installed nor can remove: metadata that is not whole, two of one package, and what a killed
# pip had set aside.
WRECKS_OF=$METADATA'
prefix, names = sys.argv[1], sys.argv[2:]
found = {}
for path in glob.glob(prefix + "/lib/python3*/site-packages/*.dist-info"):
    name = canonical(os.path.basename(path).partition("-")[0])
    found.setdefault(name, []).append(path)
for name, paths in found.items():
    for path in paths:
        whole = all(os.path.exists(path + end) for end in ("/RECORD", "/METADATA"))
        if name in names and (len(paths) > 1 or not whole):
            print(path)
print("\n".join(glob.glob(prefix + "/lib/python3*/site-packages/~*")))
'

clear_wrecks() {
  # shellcheck disable=SC2086 # a word for each name
  "$TREE/bin/python" -I -c "$WRECKS_OF" "$TREE" $TOUCHED | remove_each
}

# What records name although no package brought it: it is not missing later.
note_unshipped() {
  lost_of_list "" >"$STORE/markers/.unshipped-$GENERATION" || fail "cannot note the files of the packages" ""
}

# lost_of_list NOTE: files of the listed packages that are not there, except those in the note.
lost_of_list() {
  set -f
  set -- "$1"
  for package in $PACKAGES; do set -- "$@" "${package%%[<>=!~]*}"; done
  set +f
  "$TREE/bin/python" -I -S -c "$LOST_FILES" "$TREE" "$@"
}
