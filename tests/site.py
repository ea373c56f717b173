"""Build the documentation as web pages, and ask Galaxy's own tools about the collection.

    tests/site.py               pages in build/site/ without a warning, then galaxy-importer
    tests/site.py --changelog   generate CHANGELOG.md from changelogs/fragments/

Its tools are pinned in docs/site/requirements.lock and live in an environment of their own,
because galaxy-importer holds back libraries that the tests want newer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
LOCK = CHECKOUT / "docs/site/requirements.lock"
ENVIRONMENT = CHECKOUT / ".cache/site-environment"
WORK = CHECKOUT / ".cache/site"
PAGES = CHECKOUT / "build/site"
COLLECTIONS = CHECKOUT / "playbooks/collections"
COLLECTION = COLLECTIONS / "ansible_collections/hpcc/notebook"
IMPORTER = """\
[galaxy-importer]
CHECK_CHANGELOG=True
CHECK_REQUIRED_TAGS=True
RUN_ANSIBLE_DOC=True
RUN_ANSIBLE_LINT=True
RUN_ANSIBLE_TEST=False
"""  # its version check (>= 1.0.0) and ansible-test (tests/sanity.py) are other steps


def main() -> int:
    """Build the pages and check the collection; 0 when nothing is wrong."""
    prepare()
    if "--changelog" in sys.argv[1:]:
        # As long as the fragments are kept, all of it follows from them.
        (CHECKOUT / "changelogs/changelog.yaml").unlink(missing_ok=True)
        _run("antsibull-changelog", "release", "--reload-plugins")
        return 0
    for step in (check_changelog, check_references, build_pages, import_collection):
        print(f"site: {step.__doc__}", flush=True)
        step()
    print(f"site: open {PAGES / 'index.html'}")
    return 0


def prepare() -> None:
    """Install the tools when the lock file changed."""
    stamp = ENVIRONMENT / "requirements.lock"
    if stamp.is_file() and stamp.read_bytes() == LOCK.read_bytes():
        return
    print("site: installing the packages of docs/site/requirements.lock", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    _run("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--require-hashes", "--requirement", LOCK)  # fmt: skip
    shutil.copyfile(LOCK, stamp)


def check_changelog() -> None:
    """The fragments of the changelog."""
    _run("antsibull-changelog", "lint")


def check_references() -> None:
    """The documentation of modules and roles, and what it refers to."""
    _run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck",
         "--validate-collection-refs", "self", COLLECTION)  # fmt: skip


def build_pages() -> None:
    """The pages."""
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.rmtree(PAGES, ignore_errors=True)
    _lay_out()
    _run("antsibull-docs", "collection", "--use-current", "--cleanup", "everything",
         "--dest-dir", WORK, "hpcc.notebook")  # fmt: skip
    _run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "-c", CHECKOUT / "docs/site",
         WORK, PAGES)  # fmt: skip


def _lay_out() -> None:
    """Copy the pages written by hand to where they lie in the repository, so that links hold."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md", "hpcc.ini"],
        cwd=CHECKOUT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if name.startswith(("roles/", "docs/site/", ".")):
            continue  # a role's variables are in its reference
        target = WORK / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        shutil.copyfile(CHECKOUT / name, target)
        _copy_sources(CHECKOUT / name)
    for page in ("index.md", "ansible.rst"):
        shutil.copyfile(CHECKOUT / "docs/site" / page, WORK / page)
    WORK.chmod(0o755)  # antsibull-docs refuses a directory that others may write to


def _copy_sources(page: Path) -> None:
    """Copy the files of code that a page points at, so that they can be fetched from there."""
    for link in re.findall(r"\]\(([^)#:]+\.(?:py|sh))\)", page.read_text("utf-8")):
        source = (page.parent / link).resolve()
        target = WORK / source.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        shutil.copyfile(source, target)


def import_collection() -> None:
    """The built collection, by galaxy-importer."""
    built = WORK / "built"
    _run("ansible-galaxy", "collection", "build", "--force", "--output-path", built, CHECKOUT)
    settings = WORK / "importer.cfg"
    settings.write_text(IMPORTER)
    (archive,) = built.glob("hpcc-notebook-*.tar.gz")
    said = _run("python", "-m", "galaxy_importer.main", archive.name, cwd=built,
                GALAXY_IMPORTER_CONFIG=str(settings))  # fmt: skip
    wrong = [line for line in said.splitlines() if line.startswith(("WARNING", "ERROR"))]
    if wrong:
        raise SystemExit("\n".join(wrong))


def _run(program: str, *arguments: str | Path, cwd: Path = COLLECTION, **variables: str) -> str:
    """Run a program of the environment, and end the run with what it printed when it fails."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), **variables}
    environment["PATH"] = f"{ENVIRONMENT / 'bin'}:{environment['PATH']}"
    done = subprocess.run(
        [ENVIRONMENT / "bin" / program, *arguments], check=False, cwd=cwd, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{done.stdout}\nsite: {program} failed")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
