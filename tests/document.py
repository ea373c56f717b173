"""Write what follows from tables and specifications: choices, docs/variables.md, parts of READMEs.

    tests/document.py            write what is stale
    tests/document.py --check    only say what is stale, and fail then

What a variable means is said in one place: the meta/argument_specs.yml of its role.
What follows from a table in the code is in tests/tables.py.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import picture
import tables
import yaml

CHECKOUT = Path(__file__).parents[1]
ESCAPED_BAR = r"\|"
# The variables that people change; docs/variables.md has all.
CHANGED = (
    "anaconda_distribution",
    "anaconda_accept_terms",
    "anaconda_packages",
    "nbserver_frontend",
    "nbserver_transport",
    "nbserver_tunnel",
    "nbserver_modules",
    "nbserver_local_port",
    "nbserver_profile_root_dir",
    "parallel_queue",
)
BEGIN, END = "<!-- variables -->", "<!-- /variables -->"
_MARKUP = re.compile(r"\b[A-Z]\((?:[a-z_]+:)?([^)#]*)(?:#\w+)?\)")
_HEAD = "| variable | default | meaning |\n| --- | --- | --- |\n"


@dataclass(frozen=True)
class Table:
    """The variables of one role."""

    title: str
    lead: str
    options: dict[str, dict[str, Any]]

    def markdown(self, level: int) -> str:
        """Render a heading, one sentence and the table."""
        rows = "".join(_row(name, option) for name, option in self.options.items())
        return f"{'#' * level} {self.title}\n\n{self.lead}\n\n{_HEAD}{rows}"

    def rows(self) -> str:
        """Render the table alone."""
        return _HEAD + "".join(_row(name, option) for name, option in self.options.items())


def role_table(role: Path) -> Table:
    """Read the variables of a role."""
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text("utf-8"))
    parts = specs["argument_specs"]
    options = {name: option for part in parts.values() for name, option in part["options"].items()}
    return Table(f"Role `{role.name}`", f"{parts['main']['short_description']}.", options)


def _row(name: str, option: dict[str, Any]) -> str:
    cells = (f"`{name}`", _default(option), _meaning(option))
    return f"| {' | '.join(cell.replace('|', ESCAPED_BAR) for cell in cells)} |\n"


def _default(option: dict[str, Any]) -> str:
    default = option.get("default")
    if default is None or default == "":
        return "required" if option.get("required") else ""
    if isinstance(default, list) and default:
        return ", ".join(f"`{item}`" for item in default)
    return f"`{default}`".lower() if isinstance(default, bool) else f"`{default}`"


def _meaning(option: dict[str, Any]) -> str:
    description = option["description"]
    text = " ".join(description) if isinstance(description, list) else description
    text = _MARKUP.sub(r"`\1`", " ".join(text.split()))
    choices = ", ".join(f"`{choice}`" for choice in option.get("choices", []))
    return f"{text} One of {choices}." if choices else text


def documents() -> dict[Path, str]:
    """Give every file with a generated part, and what it should contain."""
    roles = [role_table(path) for path in sorted((CHECKOUT / "roles").iterdir())]
    head = "# Variables\n\nWritten by `make docs` from the specifications; changes go there.\n\n"
    wanted = {CHECKOUT / "docs" / "variables.md": head + "\n".join(t.markdown(2) for t in roles)}
    sections = {CHECKOUT / "README.md": often_changed(roles)}
    sections |= {CHECKOUT / "roles" / t.title.split("`")[1] / "README.md": t.rows() for t in roles}
    sections[CHECKOUT / "docs" / "parallel.md"] = tables.schedulers().rstrip("\n")
    sections[CHECKOUT / "docs" / "jobs.md"] = tables.job_resources().rstrip("\n")
    sections[CHECKOUT / "docs" / "architecture.md"] = picture.picture()
    for path, section in sections.items():
        if path.exists() and BEGIN in path.read_text("utf-8"):
            wanted[path] = fill(path.read_text("utf-8"), section)
    return wanted


def often_changed(roles: list[Table]) -> str:
    """Render the rows that the README shows."""
    options = {name: option for table in roles for name, option in table.options.items()}
    return _HEAD + "".join(_row(name, options[name]) for name in CHANGED).rstrip("\n")


def choices() -> dict[Path, str]:
    """Give every file that repeats a table of the code, and what it should contain."""
    files = (path for pattern in tables.HOLDERS for path in sorted(CHECKOUT.glob(pattern)))
    return {path: tables.filled(path.read_text("utf-8")) for path in files}


def fill(text: str, section: str) -> str:
    """Put a section between the marks of a text."""
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{section}\n{END}{rest.split(END, 1)[1]}"


def stale(wanted: Mapping[Path, str]) -> dict[Path, str]:
    """Give the files that are not as they should be."""
    return {
        path: text
        for path, text in wanted.items()
        if not path.exists() or path.read_text("utf-8") != text
    }


def main(arguments: list[str]) -> int:
    """Write, or only check."""
    check = arguments == ["--check"]
    # The tables of variables are made from what the first step has written.
    found = [path for step in (choices, documents) for path in _put_right(stale(step()), check)]
    return 1 if check and found else 0


def _put_right(found: Mapping[Path, str], check: bool) -> list[Path]:
    for path, text in found.items():
        print(f"{path.relative_to(CHECKOUT)} {'is stale: run make docs' if check else 'written'}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    return list(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
