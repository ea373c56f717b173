"""Run `ansible-test sanity` over the checkout.

ansible-test wants the collection in a real `ansible_collections/hpcc/notebook` directory, and
fetches pip's bootstrap script from a host of its own. So this copies what git knows into such a
tree, and puts a bootstrap script there that takes the same pip from the package index.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
WORK = CHECKOUT / ".cache" / "sanity"
COLLECTION = WORK / "ansible_collections" / "hpcc" / "notebook"
ANSIBLE_TEST = Path(sys.executable).with_name("ansible-test")
REQUIREMENTS = "ansible_test/_internal/python_requirements.py"
BOOTSTRAP = """\
import runpy, sys
sys.path.insert(0, {wheel!r})
sys.argv = ["pip", "install", {wheel!r}]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def copy_tracked_files() -> None:
    shutil.rmtree(COLLECTION, ignore_errors=True)
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listing.stdout.split("\0")):
        source, target = CHECKOUT / name, COLLECTION / name
        if source.is_symlink() or not source.is_file():
            continue  # the checkout's link to itself has no place in a real tree
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    # A repository of its own: ansible-test asks git for files, and the checkout ignores this place.
    subprocess.run(["git", "init", "-q"], cwd=COLLECTION, check=True)
    subprocess.run(["git", "add", "--all"], cwd=COLLECTION, check=True)


def pip_version() -> str:
    """The pip that this ansible-test bootstraps its environments with; each has its own."""
    source = Path(sysconfig.get_path("purelib"), REQUIREMENTS).read_text(encoding="utf-8")
    found = re.search(r"^ +pip='([0-9.]+)',$", source, re.MULTILINE)
    assert found, f"{REQUIREMENTS} names no version of pip any more"
    return found[1]


def provide_pip(home: Path) -> None:
    version = pip_version()
    script = home / ".ansible" / "test" / "cache" / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
    subprocess.run([*pip, "-d", str(WORK), f"pip=={version}"], check=True)
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(BOOTSTRAP.format(wheel=str(WORK / f"pip-{version}-py3-none-any.whl")))


def quieten_pip(home: Path) -> None:
    """A file, since ansible-test hands no variables of pip's on."""
    settings = home / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[global]\nquiet = 1\ndisable-pip-version-check = true\n")


def main() -> int:
    home = WORK / "home"
    home.mkdir(parents=True, exist_ok=True)
    copy_tracked_files()
    quieten_pip(home)
    provide_pip(home)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(ANSIBLE_TEST), "sanity", "--color", "no", "--python", version, *sys.argv[1:]]
    environment = {
        **os.environ,
        "HOME": str(home),
        "PATH": f"{ANSIBLE_TEST.parent}:{os.environ['PATH']}",
    }
    return subprocess.run(command, cwd=COLLECTION, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
