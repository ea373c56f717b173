"""Write a PEP 503 index ("simple/") for the wheels below a directory."""

import hashlib
import html
import re
import sys
from collections import defaultdict
from pathlib import Path


def normalized(wheel: Path) -> str:
    """The project's name as an index spells it."""
    return re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower()


def link(wheel: Path) -> str:
    """One line of a project's page; the hash lets pip notice a damaged file."""
    name = html.escape(wheel.name)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f'<a href="../../wheels/{name}#sha256={digest}">{name}</a><br>\n'


def page(directory: Path, links: list[str]) -> None:
    """One page of the index."""
    directory.mkdir(parents=True)
    text = "<!DOCTYPE html>\n" + "".join(links)
    (directory / "index.html").write_text(text, encoding="utf-8")


def main(root: Path) -> None:
    """The overview and a page for every project."""
    projects = defaultdict(list)
    for wheel in sorted((root / "wheels").glob("*.whl")):
        projects[normalized(wheel)].append(link(wheel))
    page(root / "simple", [f'<a href="{name}/">{name}</a><br>\n' for name in sorted(projects)])
    for name, links in projects.items():
        page(root / "simple" / name, links)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
