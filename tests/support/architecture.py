"""Questions about source text, each answered with a list of complaints."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

COLLECTION = "ansible_collections.hpcc.notebook.plugins"
# A package is any directory here; what it may import of ours. Roles and playbooks are above all.
MAY_IMPORT = {
    "modules": {"module_utils"},
    "action": {"module_utils", "plugin_utils"},
    "filter": {"module_utils", "plugin_utils"},
    "callback": {"module_utils", "plugin_utils"},
    "plugin_utils": {"module_utils", "plugin_utils"},
    "module_utils": {"module_utils"},
}
# Keys of a task that are not the name of an action.
_KEYWORDS = """
    args block always changed_when check_mode delay delegate_to diff environment failed_when
    listen loop loop_control name no_log notify register rescue retries run_once
    tags throttle until vars when
"""
# A login shell may parse what these send, and tcsh takes no newline in a quoted word.
_QUOTED = {f"ansible.builtin.{name}" for name in ("raw", "shell", "command", "script", "expect")}
FORBIDDEN_WORDS = {
    "become": "nobody is root on a cluster",
    "ignore_errors": "a failure is not to be ignored",
    "set_fact": "a fact is no return value",
    "|| true": "a failure is not to be ignored",
}


def imports(source: str) -> set[str]:
    """Every module that is imported anywhere in the source, `from a import b` as both."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
        elif _imports_by_name(node):
            found.add(node.args[0].value)  # type: ignore[attr-defined]
    return found


def _imports_by_name(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__")
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
    )


def ours(source: str) -> set[str]:
    """The files of this collection that are imported, such as module_utils/_rules/rules."""
    prefix = f"{COLLECTION}."
    found = (name[len(prefix) :] for name in imports(source) if name.startswith(prefix))
    return {name.replace(".", "/") for name in found}


def wrong_direction(package: str, source: str) -> list[str]:
    """What a file of a package imports from above itself."""
    packages = {name.split("/")[0] for name in ours(source)} & set(MAY_IMPORT)
    relative = sorted(name for name in imports(source) if name.startswith("."))
    above = sorted(packages - MAY_IMPORT[package])
    return [f"imports {name}" for name in [*above, *relative]]


def foreign_packages(package: str, source: str, allowed: Iterable[str] = ()) -> list[str]:
    """What runs on the cluster and is neither the standard library nor ours nor allowed."""
    known = {*sys.stdlib_module_names, "ansible_collections", *allowed}
    if package == "modules":
        known.add("ansible.module_utils.basic")
    used = imports(source)
    names = {n for n in used if n not in known and n.split(".")[0] not in known}
    return sorted(n for n in names if n.rpartition(".")[0] not in known and n != "ansible")


def impure(source: str, side_effects: Mapping[str, str], touching: Iterable[str]) -> list[str]:
    """What a pure file imports that touches files, processes or the network."""
    used = imports(source)
    touched = sorted(name for name in used if name in set(touching))
    return touched + sorted(name for name in ours(source) if name in side_effects)


def too_new(source: str) -> list[str]:
    """Grammar that Python 3.8 cannot read."""
    try:
        tree = ast.parse(source, feature_version=(3, 8))
    except SyntaxError as error:
        return [f"line {error.lineno}: {error.msg}"]
    return [] if _has_lazy_annotations(tree) else ["lacks from __future__ import annotations"]


def _has_lazy_annotations(tree: ast.Module) -> bool:
    future = (n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__")
    return any(alias.name == "annotations" for node in future for alias in node.names)


def long_functions(source: str, limits: Mapping[str, int]) -> list[str]:
    """Functions of a name that are longer than the limit for it."""
    functions = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef))
    lengths = ((n.name, (n.end_lineno or n.lineno) - n.lineno + 1) for n in functions)
    return [f"{n}: {length} lines" for n, length in lengths if length > limits.get(n, length)]


def constant(source: str, name: str) -> str:
    """The text that a module assigns to a name at its top level, or nothing."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return str(ast.literal_eval(node.value))
    return ""


def bad_examples(source: str) -> list[str]:
    """What is wrong with a module's EXAMPLES, as YAML that people copy."""
    try:
        tasks = yaml.safe_load(constant(source, "EXAMPLES"))
    except yaml.YAMLError as error:
        return [f"EXAMPLES is no YAML: {error}"]
    return [] if isinstance(tasks, list) and tasks else ["has no EXAMPLES"]


def tasks(documents: object) -> Iterator[dict[str, Any]]:
    """Every task of a file, those within blocks and plays too."""
    for task in documents if isinstance(documents, list) else []:
        inner = [task.get(k) for k in ("block", "rescue", "always", "tasks", "pre_tasks", "roles")]
        if "block" not in task and "hosts" not in task and isinstance(task, dict):
            yield task
        for part in inner:
            yield from tasks([t for t in part or [] if isinstance(t, dict)])


def short_names(text: str) -> list[str]:
    """Actions that are not written with the name of their collection."""
    actions = (set(task) - set(_KEYWORDS.split()) for task in tasks(yaml.safe_load(text)))
    return sorted(n for names in actions for n in names if n.count(".") < 2 and n != "role")


def quoted_commands(text: str) -> list[str]:
    """Actions that quote a command for a login shell; ours go to `sh -s` by standard input."""
    return sorted(_QUOTED & {name for task in tasks(yaml.safe_load(text)) for name in task})


def homes_that_a_shell_expands(text: str) -> list[str]:
    """Paths with ~ for Ansible's own modules, which take what login files print for the home."""
    found = (
        str(value)
        for task in tasks(yaml.safe_load(text))
        for action, options in task.items()
        if action.startswith("ansible.builtin.") and isinstance(options, dict)
        for value in options.values()
    )
    return sorted(value for value in found if value.startswith("~"))


def own_commands(source: str) -> list[str]:
    """Commands that an action sends by itself, but for one that does nothing."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    sent = [
        ast.unparse(call)
        for call in calls
        if "_low_level_execute_command" in ast.unparse(call.func)
    ]
    return [call for call in sent if not call.endswith("(':')")]


def unexplained_connections(source: str) -> list[str]:
    """Connections that fail in Ansible's own words: all that reach a host go through one class."""
    tree = ast.parse(source)
    calls = (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))
    past = [
        call for call in calls if re.search(r"_connection\.(exec_command|(put|fetch)_file)", call)
    ]
    direct = "_low_level_execute_command" in source or "_execute_module" in source
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and direct)
    own = [node.name for node in classes if "ActionBase" in map(ast.unparse, node.bases)]
    return [*past, *own]


def untyped_messages(source: str) -> list[str]:
    """What an action says of an error, with commands that lack the inventory of the call."""
    return re.findall(r"(?<!typed\()str\(error\)", source)


def forbidden_words(text: str) -> list[str]:
    """Words that no file of a role may contain outside of comments."""
    lines = "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in text.splitlines())
    return [f"{word}: {why}" for word, why in FORBIDDEN_WORDS.items() if word in lines]


def other_roles(text: str, own: str, roles: Iterable[str]) -> list[str]:
    """Roles that a role's file uses or depends on."""
    patterns = {
        r: rf"(hpcc\.notebook\.{r}\b|(^|[\s{{])(role|name): {r}$)" for r in roles if r != own
    }
    return [role for role, pattern in patterns.items() if re.search(pattern, text, re.M)]


def code_lines(text: str) -> int:
    """The number of lines that are neither empty nor a comment."""
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") for line in text.splitlines()
    )


def unreachable(files: Iterable[str], sources: Iterable[str]) -> list[str]:
    """Files (such as module_utils/_rules/rules) that none of the sources imports."""
    imported = set().union(*map(ours, sources)) if sources else set()
    return sorted(set(files) - imported)
