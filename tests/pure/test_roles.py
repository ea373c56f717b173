"""What a role declares, presets, explains and checks is one and the same set of variables."""

from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parents[2] / "roles"
# Types whose values can be wrong in more ways than by their type.
OPEN_TYPES = ("str", "path", "list", "dict", "int")


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None


def specifications(role):
    parts = read(role / "meta" / "argument_specs.yml")["argument_specs"].values()
    return {name: option for part in parts for name, option in part["options"].items()}


def checked(role):
    """The variables that the preflight of a role has rules for."""
    tasks = read(role / "tasks" / "preflight.yml") or []
    found = (task.get("hpcc.notebook.check_variables", {}).get("rules", {}) for task in tasks)
    return {name for rules in found for name in rules}


def without_a_default(role):
    """Specified defaults that defaults/main.yml does not have, or has otherwise, and its own."""
    specified = {n: s["default"] for n, s in specifications(role).items() if "default" in s}
    preset = read(role / "defaults" / "main.yml") or {}
    names = specified.keys() | preset.keys()
    return sorted(n for n in names if repr(specified.get(n, n)) != repr(preset.get(n, [n])))


def unchecked(role):
    """Variables that could hold anything: no rule, no choices."""
    specs = specifications(role).items()
    wide = {n for n, s in specs if s["type"] in OPEN_TYPES and "choices" not in s}
    return sorted(wide - checked(role))


def undeclared(role):
    """Rules for what the role does not declare; how a host is reached is Ansible's to declare."""
    strangers = checked(role) - specifications(role).keys()
    return sorted(name for name in strangers if not name.startswith("ansible_"))


def unexplained(role):
    readme = role / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    return sorted(name for name in specifications(role) if f"`{name}`" not in text)


def foreign_names(role):
    names = specifications(role)
    return sorted(name for name in names if not name.startswith(f"{role.name}_"))


def without_a_preflight(role):
    tasks = read(role / "tasks" / "main.yml")
    first = tasks[0].get("ansible.builtin.import_tasks") if tasks else None
    return [] if first == "preflight.yml" else ["tasks/main.yml"]


def without_a_play(role):
    readme = role / "README.md"
    head = readme.read_text(encoding="utf-8").splitlines()[:15] if readme.exists() else []
    return [] if any("hpcc.notebook." in line for line in head) else ["README.md"]


def secrets_that_ansible_reads(role):
    """Ansible's own check templates all of an entry point, and shows the source where it cannot."""
    specs = read(role / "meta" / "argument_specs.yml")["argument_specs"]
    tasks = {path.stem for path in (role / "tasks").glob("*.yml")}
    read_by_it = (spec["options"] for entry, spec in specs.items() if entry in tasks)
    return sorted(n for options in read_by_it for n, o in options.items() if o.get("no_log"))


QUESTIONS = [
    secrets_that_ansible_reads,
    without_a_default,
    unchecked,
    undeclared,
    unexplained,
    foreign_names,
    without_a_preflight,
    without_a_play,
]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("role", sorted(ROLES.iterdir()), ids=lambda role: role.name)
def test_a_role_is_of_one_piece(role, question):
    assert question(role) == []


@pytest.fixture
def wrong_role(tmp_path):
    """A role in which everything is wrong that is asked about above."""
    files = {
        "meta/argument_specs.yml": """
            argument_specs: {main: {options: {
              wrong_path: {type: str, default: 1},
              wrong_word: {type: str, no_log: true, choices: [x]},
              other_flag: {type: bool, default: false}}}}
            """,
        "defaults/main.yml": "{wrong_path: '1', wrong_extra: true}",
        "tasks/main.yml": "[]",
        "tasks/preflight.yml": "- hpcc.notebook.check_variables: {rules: {wrong_extra: path}}",
        "README.md": "# wrong",
    }
    for name, text in files.items():
        path = tmp_path / "wrong" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "wrong"


@pytest.mark.parametrize(
    ("question", "complaints"),
    [
        (without_a_default, ["other_flag", "wrong_extra", "wrong_path"]),
        (unchecked, ["wrong_path"]),
        (undeclared, ["wrong_extra"]),
        (unexplained, ["other_flag", "wrong_path", "wrong_word"]),
        (secrets_that_ansible_reads, ["wrong_word"]),
        (foreign_names, ["other_flag"]),
        (without_a_preflight, ["tasks/main.yml"]),
        (without_a_play, ["README.md"]),
    ],
)
def test_each_question_finds_what_it_asks_for(wrong_role, question, complaints):
    assert question(wrong_role) == complaints
