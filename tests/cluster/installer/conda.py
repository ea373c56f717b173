"""The test stand-in for conda.

It speaks the part of conda's command line that the collection uses and does the work with pip,
because no conda channel is reachable from the test cluster. What differs from the original:
packages are wheels, a channel is a package index (one that has no URL means the default index), and
an environment that it creates is empty.

As the original, it knows its installation by the path of the Python that runs it, and what lies in
the installation switches the rest: a second key of one name in .condarc breaks every command but
--version; conda-meta/frozen forbids changes; the terms plugin, which is there when
conda-meta/conda-anaconda-tos-*.json is, refuses to work until the terms are accepted.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

VERSION = "26.3.2"
PREFIX = Path(sys.prefix)
DEFAULT_INDEX = "@INDEX_URL@"
CONDA_SPEC = re.compile(r"^([A-Za-z0-9_.-]+)(=[^=].*)$")


def requirement(spec: str) -> str:
    """What pip calls a conda spec: "name=1.2" means any 1.2."""
    match = CONDA_SPEC.match(spec.replace(" ", ""))
    if match is None:
        return spec
    name, version = match.groups()
    return f"{name}={version}.*"


def index_options(channels: list[str], override: bool) -> list[str]:
    """Channels become package indexes; the default one comes last unless it is overridden."""
    named = [channel if "://" in channel else DEFAULT_INDEX for channel in channels]
    indexes = list(dict.fromkeys(named if override else [*named, DEFAULT_INDEX]))
    extra = [option for url in indexes[1:] for option in ("--extra-index-url", url)]
    return ["--index-url", indexes[0], *extra]


class CondaError(Exception):
    """What the original prints before it ends with 1."""


def read_configuration(path: Path) -> dict[str, list[str]]:
    """The top-level keys of a .condarc with what stands below them."""
    found: dict[str, list[str]] = {}
    key = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line[:1] in (" ", "-"):
            found[key].append(line.strip().removeprefix("- "))
        elif line.strip() and not line.startswith("#"):
            key, _colon, value = line.partition(":")
            if key in found:
                raise CondaError(f"DuplicateKeyError: {path}: found duplicate key {key!r}")
            found[key] = [value.strip()] if value.strip() else []
    return found


def configuration() -> dict[str, list[str]]:
    """All sources; of a list, what a later source says comes first."""
    home = Path.home()
    files = [PREFIX / ".condarc", *sorted((PREFIX / "condarc.d").glob("*.yml")), home / ".condarc"]
    merged: dict[str, list[str]] = {}
    for path in files:
        for key, values in read_configuration(path).items() if path.is_file() else ():
            merged[key] = [*values, *merged.get(key, [])]
    return merged


def check_terms() -> None:
    """The plugin of Anaconda and Miniconda; nobody can be asked here."""
    meta = PREFIX / "conda-meta"
    accepted = [meta / "tos", Path.home() / ".conda/tos"]
    if not list(meta.glob("conda-anaconda-tos-*.json")) or any(map(Path.is_dir, accepted)):
        return
    if os.environ.get("CONDA_PLUGINS_AUTO_ACCEPT_TOS") in ("yes", "true", "1"):
        return
    raise CondaError(
        "CondaToSNonInteractiveError: Terms of Service have not been accepted for the following "
        "channels:\n    - https://repo.anaconda.com/pkgs/main\n    - https://repo.anaconda.com/pkgs/r"
    )


def terms(options: argparse.Namespace) -> int:
    """conda tos accept [--system]"""
    if not list((PREFIX / "conda-meta").glob("conda-anaconda-tos-*.json")):
        raise CondaError("CommandNotFoundError: No command 'conda tos'.")
    place = PREFIX / "conda-meta" if options.system else Path.home() / ".conda"
    (place / "tos").mkdir(parents=True, exist_ok=True)
    print("accepted Terms of Service for https://repo.anaconda.com/pkgs/main")
    return 0


def environment_directories() -> list[Path]:
    """Where environments lie, the first one for new ones."""
    named = configuration().get("envs_dirs", [])
    return [Path(name).expanduser() for name in (*named, str(PREFIX / "envs"))]


def create(options: argparse.Namespace) -> int:
    """conda create -n NAME: tries each directory for environments, and makes an empty one."""
    check_terms()
    for directory in environment_directories():
        directory.mkdir(parents=True, exist_ok=True)
        (directory / ".conda_envs_dir_test").touch()
    made = environment_directories()[0] / options.name
    (made / "conda-meta").mkdir(parents=True)
    (made / "conda-meta" / "history").touch()
    return 0


def environments(_options: argparse.Namespace) -> int:
    """conda env list"""
    found = [
        path for each in environment_directories() for path in sorted(each.glob("*/conda-meta"))
    ]
    print(f"base  {PREFIX}")
    for path in found:
        print(f"{path.parent.name}  {path.parent}")
    return 0


# How each shell sets a variable, and how it takes one away.
SHELLS = {
    "posix": ("export {}='{}'", "unset {}"),
    "csh": ('setenv {} "{}";', "unsetenv {};"),
    "fish": ('set -gx {} "{}";', "set -e {};"),
}


def environment(name: str) -> str:
    """The directory of an environment, given by its name or its path."""
    if name == "base":
        return str(PREFIX)
    named = [Path(name)] if "/" in name else [each / name for each in environment_directories()]
    for path in named:
        if (path / "conda-meta").is_dir():
            return str(path)
    raise CondaError(f"EnvironmentNameNotFound: Could not find conda environment: {name}")


def activation(what: str, name: str) -> dict[str, str]:
    """The variables that activate, deactivate or reactivate changes; an empty one goes."""
    level = int(os.environ.get("CONDA_SHLVL") or 0)
    old = os.environ.get("CONDA_PREFIX", "")
    changed, new = {}, old
    if what == "activate":
        changed, new = {f"CONDA_PREFIX_{level}": old} if level else {}, environment(name)
        level += 1
    elif what == "deactivate" and level:
        level -= 1
        new = os.environ.get(f"CONDA_PREFIX_{level}", "")
        changed = {f"CONDA_PREFIX_{level}": ""} if level else {}
    path = [each for each in os.environ["PATH"].split(":") if each != f"{old}/bin"]
    first = [f"{new}/bin"] if new else []
    shown = "base" if new == str(PREFIX) else Path(new).name
    changed |= {"PATH": ":".join([*first, *path]), "CONDA_SHLVL": str(level)}
    return changed | {"CONDA_PREFIX": new, "CONDA_DEFAULT_ENV": shown}


def activate(options: argparse.Namespace) -> int:
    """conda shell.SHELL activate NAME: code for the shell to evaluate."""
    setting, taking = SHELLS[options.command.removeprefix("shell.")]
    for name, value in activation(options.what, options.environment).items():
        print((setting if value else taking).format(name, value))
    return 0


def show(options: argparse.Namespace) -> int:
    """conda config --show [KEY]"""
    for key, values in configuration().items():
        if not options.show or key in options.show:
            print("\n".join([f"{key}:", *(f"  - {value}" for value in values)]))
    return 0


def clean(_options: argparse.Namespace) -> int:
    """conda clean --all: the cached packages, never what is installed."""
    subprocess.run(["rm", "-rf", PREFIX / "pkgs"], check=True)
    return 0


def installed() -> list[dict[str, object]]:
    """The rows of `conda list --json`."""
    versions = {item.metadata["Name"]: item.version for item in distributions()}
    return [
        {
            "base_url": "https://conda.anaconda.org/pypi",
            "build_number": 0,
            "build_string": "pypi_0",
            "channel": "pypi",
            "dist_name": f"{name}-{version}-pypi_0",
            "name": name.lower(),
            "platform": "pypi",
            "version": version,
        }
        for name, version in sorted(versions.items(), key=lambda item: item[0].lower())
    ]


def list_packages(options: argparse.Namespace) -> int:
    """conda list [--json] [-p PREFIX]"""
    rows = installed()
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    print(f"# packages in environment at {PREFIX}:\n#\n# Name  Version  Build  Channel")
    for row in rows:
        print(f"{row['name']:<25} {row['version']:>15}  {row['build_string']}  {row['channel']}")
    return 0


def info(options: argparse.Namespace) -> int:
    """conda info [--json]"""
    facts = {
        "active_prefix": None,
        "channels": [DEFAULT_INDEX],
        "conda_prefix": str(PREFIX),
        "conda_version": VERSION,
        "default_prefix": str(PREFIX),
        "envs": [str(PREFIX)],
        "platform": "linux-64",
        "python_version": ".".join(map(str, sys.version_info[:3])) + ".final.0",
        "root_prefix": str(PREFIX),
    }
    if options.json:
        print(json.dumps(facts, indent=2))
    else:
        print("\n".join(f"{name:>16} : {value}" for name, value in facts.items()))
    return 0


def install(options: argparse.Namespace) -> int:
    """conda install|update -y [-p PREFIX] [-c CHANNEL]... [--override-channels] SPEC..."""
    check_terms()
    if (PREFIX / "conda-meta/frozen").exists():
        raise CondaError(f"EnvironmentIsFrozenError: Cannot modify frozen environment {PREFIX}")
    if options.override_channels and not options.channel:
        print("ArgumentError: --override-channels needs -c / --channel.", file=sys.stderr)
        return 1
    if not options.yes and not options.dry_run:
        reply = input("Proceed ([y]/n)? ").strip().lower()
        if reply not in ("", "y", "yes"):
            print("CondaSystemExit: Exiting.", file=sys.stderr)
            return 1
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    command += index_options(options.channel, options.override_channels)
    command += ["--upgrade"] if options.command in ("update", "upgrade") else []
    command += ["--quiet"] if options.quiet or options.json else []
    command += ["--dry-run"] if options.dry_run or options.download_only else []
    command += ["--force-reinstall", "--no-deps"] if options.force_reinstall else []
    result = subprocess.run([*command, "--", *map(requirement, options.specs)], check=False)
    if options.json:
        print(json.dumps({"success": result.returncode == 0, "prefix": str(PREFIX)}))
    return 1 if result.returncode else 0


def init(_each: argparse.Namespace) -> int:
    """conda init bash: a marked block in ~/.bashrc"""
    profile = Path.home() / ".bashrc"
    old = profile.read_text(encoding="utf-8") if profile.exists() else ""
    begin, end = "# >>> conda initialize >>>", "# <<< conda initialize <<<"
    if begin not in old:
        block = f'{begin}\nexport PATH="{PREFIX}/bin:$PATH"\n{end}\n'
        profile.write_text(old + block, encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="conda", description=(__doc__ or "").splitlines()[0])
    result.add_argument("--version", "-V", action="version", version=f"conda {VERSION}")
    commands = result.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true")
    common.add_argument("-q", "--quiet", action="store_true")
    common.add_argument("-p", "--prefix")
    common.add_argument("-n", "--name", choices=["base"])
    commands.add_parser("list", parents=[common]).set_defaults(run=list_packages)
    commands.add_parser("info", parents=[common]).set_defaults(run=info)
    change = commands.add_parser("install", aliases=["update", "upgrade"], parents=[common])
    change.add_argument("-y", "--yes", action="store_true")
    change.add_argument("-d", "--dry-run", action="store_true")
    change.add_argument("--download-only", action="store_true")
    change.add_argument("--force-reinstall", action="store_true")
    change.add_argument("-c", "--channel", action="append", default=[])
    change.add_argument("--override-channels", action="store_true")
    change.add_argument("specs", nargs="+")
    change.set_defaults(run=install)
    shell = commands.add_parser("init")
    shell.add_argument("shells", nargs="*")
    shell.set_defaults(run=init, prefix=None)
    for each in SHELLS:
        code = commands.add_parser(f"shell.{each}")
        code.add_argument("what", choices=["activate", "deactivate", "reactivate"])
        code.add_argument("environment", nargs="?", default="base")
        code.set_defaults(run=activate, prefix=None)
    made = commands.add_parser("create")
    made.add_argument("-y", "--yes", action="store_true")
    made.add_argument("-n", "--name", required=True)
    made.set_defaults(run=create, prefix=None)
    env = commands.add_parser("env")
    env.add_argument("what", choices=["list"])
    env.set_defaults(run=environments, prefix=None)
    config = commands.add_parser("config")
    config.add_argument("--show", nargs="*", required=True)
    config.set_defaults(run=show, prefix=None)
    accept = commands.add_parser("tos")
    accept.add_argument("what", choices=["accept"])
    accept.add_argument("--system", action="store_true")
    accept.set_defaults(run=terms, prefix=None)
    cleaner = commands.add_parser("clean")
    cleaner.add_argument("-a", "--all", action="store_true", required=True)
    cleaner.add_argument("-y", "--yes", action="store_true")
    cleaner.set_defaults(run=clean, prefix=None)
    return result


def main() -> int:
    """Run one command in the one environment there is."""
    options = parser().parse_args()
    if options.prefix and Path(options.prefix).resolve() != PREFIX.resolve():
        print(
            f"EnvironmentLocationNotFound: Not a conda environment: {options.prefix}",
            file=sys.stderr,
        )
        return 1
    try:
        configuration()
        return int(options.run(options))
    except CondaError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
