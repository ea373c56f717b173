"""The test stand-in for conda.

It speaks the part of conda's command line that the collection uses and does the work with pip,
because no conda channel is reachable from the test cluster. What differs from the original:
packages are wheels, a channel is a package index (one that has no URL means the default index), and
there is one environment, the installation itself.
"""

import argparse
import json
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

VERSION = "26.3.2"
PREFIX = Path("@PLACEHOLDER@")
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
    command += ["--dry-run"] if options.dry_run else []
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
    change.add_argument("-c", "--channel", action="append", default=[])
    change.add_argument("--override-channels", action="store_true")
    change.add_argument("specs", nargs="+")
    change.set_defaults(run=install)
    shell = commands.add_parser("init")
    shell.add_argument("shells", nargs="*")
    shell.set_defaults(run=init, prefix=None)
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
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
