"""Find names in directories that everybody may write to, which a neighbour can take first.

shared_names.py [FILE …]   every shell, Python and YAML file of the product; exit 1 with complaints

A predictable name below /tmp can be planted by another user: as a program that is run, a link that
is written through, a socket that is talked to. So everything there happens inside a directory that
`mktemp -d` or `tempfile` has just made, or whose owner and mode were verified.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
PRODUCT = ("plugins", "roles", "playbooks")
ENDINGS = {".sh": "shell", ".py": "python", ".yml": "shell", ".j2": "shell"}
# Lines that may name one, and why. One that is no longer there is a complaint, too.
ALLOWED = {
    ("plugins/module_utils/_profile/kernel_trial.py", "/tmp"): "where tempfile makes a directory",
    (
        "plugins/module_utils/_profile/kernel_trial.py",
        "tempfile.gettempdir",
    ): "where tempfile makes a directory, unless others could rename it",
    (
        "plugins/module_utils/_job/entrance.py",
        "f'/proc/{os.getpid()}/root'",
    ): "the kernel's own, of this process",
    ("plugins/plugin_utils/_ssh/askpass.py", "/tmp"): "only where tempfile makes a directory",
    ("plugins/module_utils/_server/layout.py", "/tmp/"): "owner and mode are verified",
    ("plugins/module_utils/_server/layout.py", "/tmp/nb-"): "made from a secret, and verified",
    ("plugins/module_utils/_rules/paths.py", "/tmp"): "refused as a place, never used",
    ("plugins/module_utils/_rules/paths.py", "/var/tmp"): "refused as a place, never used",
    ("plugins/module_utils/_rules/paths.py", "/dev/shm"): "refused as a place, never used",
    (
        "plugins/plugin_utils/_node/scripts/doctor/look.sh",
        "/tmp/$PROFILE-$(id -u)",
    ): "owner and mode are verified",
    (
        "plugins/plugin_utils/_node/scripts/doctor/look.sh",
        "$TMPDIR/.",
    ): "the directory itself, which is judged",
}
SHARED = r"(?:/tmp|/var/tmp|/dev/shm|/run/lock|\$TMPDIR|\$\{TMPDIR(?::-[^}]*)?\})"
_BELOW = re.compile(rf"(?<![\w./$}}-]){SHARED}/[^\s\"';()]*(?:\([^)]*\))?")
_PID = re.compile(r"[^\s\"'=(]*[^\s\"'=($]\$\$|\$\$[^\s\"')]+|\$\{\$\}")
_UNSAFE = re.compile(r"\bmktemp\b[^;|&)]*\s(?:-u|--dry-run|-\w*u\w*)\b|\btempfile\b(?=\s+-)")
_MAKES = re.compile(r"\bmktemp\s+(?:-\w+\s+)*-d\b")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_DOCUMENTS = ("DOCUMENTATION", "EXAMPLES", "RETURN")


def in_shell(text: str) -> Iterator[tuple[int, str]]:
    """Line and name of each predictable one in a shell program."""
    for number, line in enumerate(text.splitlines(), 1):
        code = _COMMENT.sub("", line)
        yield from ((number, found[0]) for found in _PID.finditer(code))
        yield from ((number, found[0]) for found in _UNSAFE.finditer(code))
        if not _MAKES.search(code):
            yield from ((number, found[0]) for found in _BELOW.finditer(code))


def in_python(text: str) -> Iterator[tuple[int, str]]:
    """The same for Python, and for the shell programs in its strings."""
    tree = ast.parse(text)
    prose = set(_prose(tree))
    for node in ast.walk(tree):
        if node not in prose:
            yield from ((getattr(node, "lineno", 0), name) for name in _in_node(node))


def _in_node(node: ast.AST) -> Sequence[str]:
    """The predictable names that one node of the tree makes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _in_string(node.value)
    if isinstance(node, ast.JoinedStr):
        return [ast.unparse(node)] if _names_a_pid(node) else []
    if isinstance(node, ast.Attribute):
        return [name for name in [ast.unparse(node)] if _careless(name)]
    if isinstance(node, ast.ImportFrom):
        return [each.name for each in node.names if _careless(f"{node.module}.{each.name}")]
    return []


def _prose(tree: ast.Module) -> Iterator[ast.AST]:
    """Docstrings, and the documentation of a module."""
    nodes = list(ast.walk(tree))
    yield from (node.value for node in nodes if isinstance(node, ast.Expr) and _is_text(node.value))
    for node in nodes:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in _DOCUMENTS:
            yield node.value


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _in_string(value: str) -> list[str]:
    """A whole path, or a shell program."""
    if re.fullmatch(rf"{SHARED}(?:/\S*)?", value) or value == "TMPDIR":
        return [value]
    return [name for _line, name in in_shell(value)] if "\n" in value or " " in value else []


def _names_a_pid(node: ast.JoinedStr) -> bool:
    """A path that only the process id makes one's own."""
    parts = [
        ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)
    ]
    text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    return any("getpid()" in part for part in parts) and bool(re.search(r"[/.]", text))


def _careless(name: str) -> bool:
    return name in ("tempfile.mktemp", "tempfile.gettempdir", "tempfile.tempdir", "os.tmpnam")


def complaints(files: Sequence[Path]) -> list[str]:
    """What is wrong, and which exception is no longer needed."""
    said, used = [], set()
    for path in files:
        name = str(path.relative_to(CHECKOUT))
        look = in_python if ENDINGS[path.suffix] == "python" else in_shell
        for line, found in look(path.read_text(encoding="utf-8")):
            used.add((name, found))
            if (name, found) not in ALLOWED:
                said.append(f"{name}:{line}: {found}: a neighbour can take this name first")
    return said + [
        f"{name}: {found} is allowed but not there" for name, found in ALLOWED.keys() - used
    ]


def product() -> list[Path]:
    """Every file of the product in which a name can stand."""
    found = (path for top in PRODUCT for path in sorted((CHECKOUT / top).rglob("*")))
    return [path for path in found if path.suffix in ENDINGS and _own(path)]


def _own(path: Path) -> bool:
    """Not what a link brings in a second time: the checkout is below playbooks, too."""
    inside = path.relative_to(CHECKOUT).parts
    return path.is_file() and "collections" not in inside[:2] and "__pycache__" not in inside


if __name__ == "__main__":
    wrong = complaints(product())
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))
