"""Each entry point of a role has a specification of its own, and it agrees with preflight."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.hpcc.notebook.plugins.module_utils._validation.variables import Variables
from test_rules import ACCEPTED, REFUSED

CHECKOUT = Path(__file__).parents[2]
ROLES = sorted((CHECKOUT / "roles").iterdir())
NAMES = [role.name for role in ROLES]
POINTS = [(role, path.stem) for role in ROLES for path in sorted((role / "tasks").glob("*.yml"))]
PLAYBOOKS = sorted((CHECKOUT / "playbooks").glob("*.yml"))
# Values of each type that no rule has in its table.
OF_A_TYPE = [*("true", "False", "yes", "NO", "on", "off", "0", "007"), False, [], {}, ["server"]]


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@functools.cache
def specifications(role):
    parts = read(role / "meta" / "argument_specs.yml")["argument_specs"]
    return {point: part["options"] for point, part in parts.items()}


@functools.cache
def declared(role):
    return {name: spec for part in specifications(role).values() for name, spec in part.items()}


def secret(role):
    return {name for name, spec in declared(role).items() if spec.get("no_log")}


def text_of(role, point):
    """The tasks of an entry point, those that they import, and the templates that they fill."""
    text = (role / "tasks" / f"{point}.yml").read_text(encoding="utf-8")
    imported = re.findall(r"import_tasks: (\w+)\.yml", text)
    templates = re.findall(r"ansible\.builtin\.template', '([\w.]+)'", text)
    filled = [(role / "templates" / name).read_text(encoding="utf-8") for name in templates]
    return "\n".join([text, *filled, *(text_of(role, other) for other in imported)])


def used(role, point):
    """The variables of the role whose values decide what an entry point does.

    Rules and relations name what preflight judges: for preflight itself that is everything.
    """
    if point == "preflight":
        return declared(role).keys() - secret(role)
    judged = re.compile(
        r"^    (?:rules|relations|also):\n(?:      .*\n)*(?: {8,}.*\n)*", re.MULTILINE
    )
    words = set(re.findall(r"\w+", judged.sub("", text_of(role, point))))
    begun = re.findall(
        r"'(\w+_)' ~ name", text_of(role, point)
    )  # a template that goes through a list
    words |= {f"{begin}{word}" for begin in begun for word in words}
    return words & declared(role).keys() - secret(role)


@pytest.mark.parametrize("role", ROLES, ids=NAMES)
def test_each_entry_point_has_a_specification_and_each_specification_an_entry_point(role):
    points = {point for each, point in POINTS if each == role}
    assert specifications(role).keys() - {"secrets"} == points


@pytest.mark.parametrize(("role", "point"), POINTS, ids=lambda each: getattr(each, "name", each))
def test_a_specification_lists_exactly_the_variables_that_the_entry_point_uses(role, point):
    assert specifications(role)[point].keys() == used(role, point)


@pytest.mark.parametrize("role", ROLES, ids=NAMES)
def test_a_variable_means_the_same_in_each_entry_point(role):
    meanings = declared(role)
    for options in specifications(role).values():
        assert options == {name: meanings[name] for name in options}


def taken(role, name):
    """What preflight takes for a variable, out of the tables of all rules."""
    specs = {name: declared(role)[name]}
    task = read(role / "tasks" / "preflight.yml")[0]["hpcc.notebook.check_variables"]
    demands = {key: rule for key, rule in task["rules"].items() if key == name}
    every = [value for table in (ACCEPTED, REFUSED) for row in table.values() for value in row]
    values = [*every, *OF_A_TYPE, *specs[name].get("choices", [])]
    if "choices" in specs[name]:  # null is "not set" there, but Ansible looks for it in the list
        values = [each for each in values if each is not None]
    return [each for each in values if not Variables({name: each}, specs, demands).problems()]


@pytest.mark.parametrize("role", ROLES, ids=NAMES)
def test_ansible_refuses_nothing_that_preflight_takes(role):
    for name, spec in declared(role).items():
        validator = ArgumentSpecValidator({name: {**spec, "no_log": False}})
        values = taken(role, name)
        assert values, name
        refused = [each for each in values if validator.validate({name: each}).error_messages]
        assert refused == [], name


def imports(playbook):
    """The roles that a playbook imports, in order, and whether Ansible judges their variables."""
    (play,) = read(playbook)
    assert "roles" not in play, "there, Ansible's own check cannot be left out"
    roles = [task["ansible.builtin.import_role"] for task in play["tasks"]]
    return [(each["name"].split(".")[-1], each.get("tasks_from", "main"), each) for each in roles]


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_person_who_runs_a_playbook_reads_preflight_before_anything_and_never_ansible(playbook):
    checked = set()
    for role, point, given in imports(playbook):
        assert given["rolespec_validate"] is False
        own = CHECKOUT / "roles" / role / "tasks" / f"{point}.yml"
        if point == "preflight" or "import_tasks: preflight.yml" in own.read_text("utf-8"):
            checked.add(role)
        assert role in checked, f"{role}: {point} without its preflight"


@pytest.mark.parametrize("playbook", ["setup", "teardown"])
def test_a_playbook_of_several_roles_checks_all_before_it_does_anything(playbook):
    order = [
        (role, point) for role, point, _given in imports(CHECKOUT / "playbooks" / f"{playbook}.yml")
    ]
    checks = [place for place, (_role, point) in enumerate(order) if point == "preflight"]
    assert checks == list(range(len(checks)))
    # The question of teardown is a role of its own, whose main begins with its preflight.
    assert {role for role, _point in order} - {order[place][0] for place in checks} <= {"teardown"}
