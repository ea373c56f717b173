"""Write the tables of variables: docs/variables.md, and between the marks of each README.

    tests/document.py            write what is stale
    tests/document.py --check    only say what is stale, and fail then

What a role's variables mean is said in its meta/argument_specs.yml, and what a playbook's
variables mean in the documentation of the module or filter that the playbook hands them to.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[1]
ESCAPED_BAR = r"\|"
BEGIN, END = "<!-- variables -->", "<!-- /variables -->"
_TO_MODULE = re.compile(r"\{\{ (\w+) \| default\(omit\) \}\}")
_TO_FILTER = re.compile(r"\| hpcc\.notebook\.(\w+)\((.*)\)")
_ARGUMENT = re.compile(r"(?:(\w+)=\()?(\w+) \| default\(\w*\)\)?")
_MARKUP = re.compile(r"\b[A-Z]\((?:[a-z_]+:)?([^)#]*)(?:#\w+)?\)")
_HEAD = "| variable | default | meaning |\n| --- | --- | --- |\n"


@dataclass(frozen=True)
class Table:
    """The variables of one role or playbook."""

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
    main = specs["argument_specs"]["main"]
    return Table(f"Role `{role.name}`", f"{main['short_description']}.", main["options"])


def playbook_table(playbook: Path, roles: list[Table]) -> Table:
    """Read the variables of a playbook that are not those of a role."""
    known = {name for table in roles for name in table.options}
    play = yaml.safe_load(playbook.read_text("utf-8"))[0]
    handed = [pair for task in play.get("tasks", []) for pair in _handed_over(task)]
    found = {name: option for name, option in handed if name not in known}
    return Table(f"Playbook `{playbook.stem}`", f"{play['name']}.", found)


def _handed_over(task: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every variable that a task hands to an option, and what is documented about that option."""
    for action, arguments in task.items():
        if not action.startswith("hpcc.notebook.") or not isinstance(arguments, dict):
            continue
        for option, value in arguments.items():
            for variable in _TO_MODULE.findall(str(value)):
                yield variable, _documentation(action.split(".")[-1])["options"][option]
            for name, values in _TO_FILTER.findall(str(value)):
                yield from _filtered(_documentation(name), values)


def _filtered(documentation: dict[str, Any], values: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same for the arguments of a filter, by their name or by their place."""
    places = documentation.get("positional", "").split(", ")
    for place, value in enumerate(values.split(",")):
        found = _ARGUMENT.fullmatch(value.strip())
        if found:
            yield found[2], documentation["options"][found[1] or places[place]]


def _documentation(name: str) -> dict[str, Any]:
    """What a module or filter of ours says about itself."""
    paths = (CHECKOUT / "plugins" / kind / f"{name}.py" for kind in ("modules", "filter"))
    tree = ast.parse(next(path for path in paths if path.exists()).read_text("utf-8"))
    named = (n for n in tree.body if isinstance(n, ast.Assign))
    text = next(n.value for n in named if ast.unparse(n.targets[0]) == "DOCUMENTATION")
    found: dict[str, Any] = yaml.safe_load(ast.literal_eval(text))
    return found


def _row(name: str, option: dict[str, Any]) -> str:
    cells = (f"`{name}`", _default(option), _meaning(option))
    return f"| {' | '.join(cell.replace('|', ESCAPED_BAR) for cell in cells)} |\n"


def _default(option: dict[str, Any]) -> str:
    default = option.get("default")
    if default is None:
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
    playbooks = sorted((CHECKOUT / "playbooks").glob("*.yml"))
    every = roles + [t for t in (playbook_table(path, roles) for path in playbooks) if t.options]
    head = "# Variables\n\nWritten by `make docs` from the specifications; changes go there.\n\n"
    wanted = {CHECKOUT / "docs" / "variables.md": head + "\n".join(t.markdown(2) for t in every)}
    sections = {CHECKOUT / "README.md": "\n".join(table.markdown(3) for table in every)}
    sections |= {CHECKOUT / "roles" / t.title.split("`")[1] / "README.md": t.rows() for t in roles}
    for path, section in sections.items():
        if path.exists() and BEGIN in path.read_text("utf-8"):
            wanted[path] = fill(path.read_text("utf-8"), section)
    return wanted


def fill(text: str, section: str) -> str:
    """Put a section between the marks of a text."""
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{section}\n{END}{rest.split(END, 1)[1]}"


def stale() -> dict[Path, str]:
    """Give the files that are not as they should be."""
    return {
        path: text
        for path, text in documents().items()
        if not path.exists() or path.read_text("utf-8") != text
    }


def main(arguments: list[str]) -> int:
    """Write, or only check."""
    check = arguments == ["--check"]
    for path, text in (found := stale()).items():
        print(f"{path.relative_to(CHECKOUT)} {'is stale: run make docs' if check else 'written'}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
