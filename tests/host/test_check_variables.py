"""Wrong variables end a run before it begins, all at once, and never with a secret."""

import datetime
from textwrap import dedent

import pytest
import yaml
from ansible_collections.hpcc.notebook.plugins.module_utils._validation.variables import (
    Variables,
    misspelt,
    origin,
    unknown,
)

from playbooks import CHECKOUT, run_ours, run_playbook

HERE = "localhost ansible_connection=local"

SPECS = {
    "demo_prefix": {"type": "str", "default": "~/anaconda"},
    "demo_text": {"type": "str", "required": True},
    "demo_kind": {"type": "str", "choices": ["ec", "rsa"], "default": "ec"},
    "demo_on": {"type": "bool", "default": False},
    "demo_days": {"type": "int", "default": 365},
    "demo_items": {"type": "list", "default": []},
    "demo_parts": {"type": "list", "choices": ["a", "b"], "default": ["a", "b"]},
    "demo_map": {"type": "dict", "default": {}},
    "demo_url": {"type": "str", "default": ""},
    "demo_password": {"type": "str", "no_log": True},
}
RULES_OF_DEMO = {"demo_prefix": "prefix", "demo_url": "installer_url", "demo_password": "password"}


def problems(**values):
    values = {"demo_text": "x", **{f"demo_{name}": value for name, value in values.items()}}
    return Variables(values, SPECS, RULES_OF_DEMO, names=("alice-of-wonderland",)).problems()


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"prefix": "x"}, "demo_prefix: must be an absolute path or begin with ~/, got 'x'."),
        ({"text": 1e3}, "demo_text: must be text, got 1000.0 (a number): write it in quotes."),
        ({"text": True}, "demo_text: must be text, got True (a boolean): write it in quotes."),
        (
            {"text": datetime.date(2026, 1, 1)},
            "demo_text: must be text, got 2026-01-01 (a date): write it in quotes.",
        ),
        ({"kind": "dsa"}, "demo_kind: must be one of ec, rsa, got 'dsa'."),
        ({"on": "maybe"}, "demo_on: must be true or false, got 'maybe'."),
        ({"on": 1}, "demo_on: must be true or false, got 1."),
        ({"days": "1e3"}, "demo_days: must be a whole number, got '1e3'."),
        ({"items": "a,b"}, "demo_items: must be a list, got 'a,b'."),
        ({"parts": ["a", "c"]}, "demo_parts: must be one of a, b, got 'c'."),
        ({"parts": "a"}, "demo_parts: must be a list, got 'a'."),
        ({"map": ["a"]}, "demo_map: must be a dictionary, got ['a'] (a list)."),
        ({"password": "short"}, "demo_password: must have at least 12 characters, has 5."),
        (
            {"password": "alice-of-wonderland"},
            "demo_password: must not be the name of the user, the host or the profile.",
        ),
    ],
)
def test_a_variable_is_refused_in_one_line(values, line):
    assert problems(**values) == [line]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"prefix": "/opt/x", "kind": "rsa", "on": "yes", "days": "30", "items": ["a"]},
        {"url": "", "password": None},
        {"parts": ["b"]},
    ],
)
def test_defaults_and_good_values_are_accepted(values):
    assert problems(**values) == []


def test_a_default_of_another_type_is_not_the_default():
    assert problems(on=0) == ["demo_on: must be true or false, got 0."]


def test_a_required_variable_must_be_set():
    assert Variables({}, SPECS).problems() == ["demo_text: must be set."]


def test_a_secret_without_a_rule_is_not_shown_either():
    assert "123456" not in str(Variables({"demo_password": 123456}, SPECS).problems())


def test_a_remark_is_made_only_on_what_is_accepted():
    demands = {"demo_prefix": "prefix", "demo_port": "port"}
    values = {"demo_prefix": "/tmp/x", "demo_port": 70000}
    warnings = Variables(values, demands=demands).warnings()
    assert len(warnings) == 1
    assert warnings[0].startswith("demo_prefix: /tmp/x is in a directory that everybody")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("{{ other_prefix }}", "other_prefix"),
        ("{{ other_prefix | default('~/anaconda') }}", "other_prefix"),
        ("{{other_prefix|default(omit)}}", "other_prefix"),
        ("{{ other_prefix }}/bin/python", None),
        ("{{ other.prefix }}", None),
        ("{{ other_prefix | lower }}", None),
        ("other_prefix", None),
        (8888, None),
    ],
)
def test_a_template_that_only_passes_a_variable_on_is_known(value, name):
    assert origin(value) == name


def test_the_nearest_name_is_offered_for_an_unknown_one():
    names = ["demo_pasword", "demo_result", "demo_zzz", "other_pasword", "demo_password"]
    assert unknown(names, "demo_", [*SPECS, "demo_res*"]) == [
        "demo_pasword is not a variable of this role: did you mean demo_password?",
        "demo_zzz is not a variable of this role.",
    ]


def test_a_name_in_capitals_or_with_a_dash_is_not_silently_ignored():
    names = ["DEMO_ON", "Demo_Kind", "demo-days", "demo_on", "DEMOCRACY", "my_demo_on"]
    assert unknown(names, "demo_", [*SPECS]) == [
        "DEMO_ON is not a variable of this role: did you mean demo_on?",
        "Demo_Kind is not a variable of this role: did you mean demo_kind?",
        "demo-days is not a variable of this role: did you mean demo_days?",
    ]


def test_a_slip_in_the_first_part_of_a_name_is_asked_about():
    names = ["dmo_password", "demoo_prefix", "text_password", "demo_on", "emo_zzz", "ansible_user"]
    assert misspelt(names, "demo_", [*SPECS]) == [
        "dmo_password is not read by this role: did you mean demo_password?",
        "demoo_prefix is not read by this role: did you mean demo_prefix?",
    ]


def test_no_name_of_ours_is_taken_for_a_slip_of_another():
    roles = sorted((CHECKOUT / "roles").iterdir())
    specs = {
        role.name: yaml.safe_load((role / "meta/argument_specs.yml").read_text()) for role in roles
    }
    ours = {
        role: sorted(
            {n for part in spec["argument_specs"].values() for n in part.get("options", {})}
        )
        for role, spec in specs.items()
    }
    every = sorted({name for names in ours.values() for name in names})
    for role, names in ours.items():
        assert len(names) > 3
        assert misspelt(every, f"{role}_", names) == []


# From here on with the real ansible-playbook and a role of its own.


def test_a_slip_before_the_first_line_is_asked_about_by_the_playbooks(tmp_path):
    given = ("-e", "anaconda_distribution=miniforge", "-e", "anconda_prefix=/opt/x")
    run = run_ours(tmp_path, "setup", HERE, *given, "-e", "lmod_module_name=..")
    assert run.code == 2
    assert "anconda_prefix is not read by this role: did you mean anaconda_prefix?" in run.output


def test_setup_leaves_no_profile_without_its_installation(tmp_path):
    """It removed the installation, and failed at the profile with advice that did not fit."""
    given = ("-e", "nbserver_profile_password=a-walk-in-the-woods", "-e", "anaconda_state=absent")
    run = run_ours(tmp_path, "setup", HERE, *given)
    assert run.code == 2
    assert "anaconda_state: cannot be absent while the profile is to be present" in run.output
    assert "the playbook teardown removes all that setup has made." in run.output
    assert "ok=2" in run.output, "nothing was changed"


MODULE = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({})
module.exit_json(ansible_facts={"demo_text": "{{ lookup('pipe', 'touch canary') }}"})
"""


@pytest.fixture
def demo(tmp_path):
    """A play with a role that checks its variables and then says that it goes on."""
    role = tmp_path / "roles" / "demo"
    for part in ("meta", "tasks", "library"):
        (role / part).mkdir(parents=True)
    specs = {"argument_specs": {"main": {"options": SPECS}}}
    (role / "meta" / "argument_specs.yml").write_text(yaml.safe_dump(specs))
    (role / "library" / "hostile_facts.py").write_text(MODULE)
    check = {"rules": RULES_OF_DEMO, "also": ["demo_result"]}
    tasks = [
        {"hpcc.notebook.check_variables": check},
        {"ansible.builtin.debug": {"msg": "WENT ON with {{ demo_text }}"}},
    ]
    (role / "tasks" / "preflight.yml").write_text(yaml.safe_dump(tasks))
    return tmp_path


def play(*before):
    preflight = {"import_role": {"name": "demo", "tasks_from": "preflight"}}
    return {"tasks": [*before, preflight]}


def test_all_problems_of_a_role_are_told_at_once_and_no_host_is_contacted(demo):
    unreachable = {**play(), "hosts": "localhost", "connection": "ssh"}
    run = run_playbook(
        demo,
        unreachable,
        ansible_host="192.0.2.1",
        demo_prefix="relative/dir",
        demo_pasword="c4n4ry",
        demo_password="c4n4ry",
        demo_text=3,
        demo_result="a registered result",
    )
    assert run.code == 2
    expected = """\
        demo_pasword is not a variable of this role: did you mean demo_password?
        demo_password: must have at least 12 characters, has 6.
        demo_prefix: must be an absolute path or begin with ~/, got 'relative/dir'.
        demo_text: must be text, got 3: write it in quotes.
        """
    assert dedent(expected) in run.output, run.output
    assert "WENT ON" not in run.output
    assert "c4n4ry" not in run.output
    assert "Traceback" not in run.output


def test_good_variables_pass_and_templates_are_followed(demo):
    run = run_playbook(demo, play(), demo_text="{{ 'a' ~ 'b' }}", demo_prefix="/tmp/x")
    assert run.code == 0, run.output
    assert "WENT ON with ab" in run.output
    assert "[WARNING]: demo_prefix: /tmp/x is in a directory that everybody" in run.output


def test_a_value_that_is_passed_on_is_told_by_the_name_that_the_person_set(demo):
    default = "{{ other_prefix | default('~/anaconda') }}"
    passed = {**play(), "vars": {"demo_prefix": "{{ between }}", "between": default}}
    run = run_playbook(demo, passed, demo_text="x", other_prefix="relative/dir")
    assert run.code == 2
    assert (
        "other_prefix: must be an absolute path or begin with ~/, got 'relative/dir'." in run.output
    )


@pytest.mark.threat(26)
def test_a_template_that_came_from_the_host_stays_text(demo):
    (demo / "library").symlink_to(demo / "roles" / "demo" / "library")
    run = run_playbook(demo, play({"hostile_facts": {}}))
    assert run.code == 0, run.output
    assert "WENT ON with {{ lookup('pipe', 'touch canary') }}" in run.output
    assert not list(demo.rglob("canary"))


def test_a_template_that_leads_nowhere_is_told_by_the_name_of_its_variable(demo):
    run = run_playbook(demo, play(), demo_text="{{ nowhere }}", demo_password="c4n4ry{{ nowhere }}")
    assert run.code == 2
    assert "demo_text: cannot be worked out: " in run.output
    assert "'nowhere' is undefined" in run.output
    assert "c4n4ry" not in run.output


# Each is a password in which Ansible sees a template, and each stops it in another place.
NO_TEMPLATES = [
    "c4n4ry{{c4n4ryword",
    "c4n4ry{{c4n4ryword}}xx",
    "c4n4ry{% c4n4ryword %}xx",
    "c4n4ry{{ 'a' | c4n4ryword }}",
    "c4n4ry{{ lookup('c4n4ryword') }}",
    "c4n4ry{{ 1 / 0 }}{{ 'c4n4ryword' }}",
    "c4n4ry{#c4n4ryword",
]


def told_of_each(directory, tasks, *names, **given):
    """What is said of hosts that have one of these each in variables of these names."""
    hosts = {f"host{place}": dict.fromkeys(names, each) for place, each in enumerate(NO_TEMPLATES)}
    (directory / "home").mkdir(exist_ok=True)
    (directory / "home" / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    run = run_playbook(
        directory, {**tasks, "hosts": "all:!localhost"}, "-i", "hosts.yml", "-vvv", **given
    )
    assert run.code == 2
    assert "c4n4ry" not in run.output
    said = run.output.partition("PLAY RECAP")[0].split("fatal: [")[1:]
    told = {each.partition("]")[0]: each for each in said}
    assert told.keys() == hosts.keys(), run.output
    return told.values()


def test_no_piece_of_a_password_reaches_a_message(demo):
    for told in told_of_each(demo, play(), "demo_password", demo_text="{{ demo_password }}"):
        assert "demo_password: cannot be worked out as a template: correct it, or mark" in told


def test_no_role_of_ours_lets_ansible_print_a_password(tmp_path):
    role = {"roles": ["hpcc.notebook.nbserver_profile"]}
    secrets = ("nbserver_profile_password", "nbserver_profile_password_hash")
    for told in told_of_each(tmp_path, role, *secrets):
        assert "nbserver_profile_password: cannot be worked out as a template" in told


def test_a_playbook_checks_its_own_variables(demo):
    check = {"rules": {"ansible_user": "ssh_user", "nbserver_transport": ["socket", "tcp"]}}
    task = {"hpcc.notebook.check_variables": {**check, "prefix": "nbserver_"}}
    run = run_playbook(
        demo,
        {"tasks": [task]},
        ansible_user="u;id",
        nbserver_transport="udp",
        nbserver_transprt="tcp",
    )
    assert run.code == 2
    assert "ansible_user: must be a login name" in run.output
    assert "nbserver_transport: must be one of socket, tcp, got 'udp'." in run.output
    assert "did you mean nbserver_transport?" in run.output


def test_variables_of_a_role_beside_it_are_known_by_their_own_names(demo):
    beside = demo / "roles" / "demo_more" / "meta"
    beside.mkdir(parents=True)
    specs = {"argument_specs": {"main": {"options": {"demo_more_name": {"type": "str"}}}}}
    (beside / "argument_specs.yml").write_text(yaml.safe_dump(specs))
    tasks = [{"hpcc.notebook.check_variables": {"roles": ["demo_more"]}}]
    (demo / "roles" / "demo" / "tasks" / "preflight.yml").write_text(yaml.safe_dump(tasks))
    assert run_playbook(demo, play(), demo_text="x", demo_more_name="n").code == 0
    run = run_playbook(demo, play(), demo_text="x", demo_more_nam="n")
    assert run.code == 2
    said = "demo_more_nam is not a variable of this role: did you mean demo_more_name?"
    assert said in run.output


@pytest.mark.parametrize("name", ["stop", "status", "connect"])
def test_no_other_profile_is_taken_for_one_whose_variable_is_misspelt(tmp_path, name):
    run = run_ours(tmp_path, name, HERE, "-e", "nbserver_profile_nam=work")
    assert run.code == 2
    assert "nbserver_profile_nam is not a variable of this role: did you mean" in run.output
    assert "nbserver_profile_name?" in run.output


BECOMING = {
    "ansible.cfg": ([], "[privilege_escalation]\nbecome = true\n", "root"),
    "-b": (["-b"], "", "root"),
    "a variable": (["-e", "ansible_become=yes", "-e", "ansible_become_user=lab"], "", "lab"),
}


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("setup", "ansible.cfg"),
        ("start", "-b"),
        ("parallel", "ansible.cfg"),
        ("connect", "-b"),
        ("teardown", "a variable"),
    ],
)
def test_nobody_becomes_somebody_else(tmp_path, name, how):
    options, configuration, other = BECOMING[how]
    (tmp_path / "own.cfg").write_text(configuration)
    run = run_ours(
        tmp_path, name, HERE, *options, "-e", "anaconda_distribution=miniforge",
        shell={"ANSIBLE_CONFIG": str(tmp_path / "own.cfg")},
    )  # fmt: skip
    assert run.code == 2
    assert f"become: this would work as {other}, and a notebook belongs to" in run.output
    assert "become success" not in run.output


def test_what_the_refusal_of_become_advises_is_enough(tmp_path):
    advised = f"{HERE}\n[all:vars]\nansible_become=false"
    run = run_ours(tmp_path, "start", advised, "-b", shell={"ANSIBLE_BECOME": "true"})
    assert "there is no complete installation" in run.output


@pytest.mark.parametrize("strategy", ["free", "mitogen_linear"])
def test_what_is_done_once_is_done_once_with_every_strategy(tmp_path, strategy):
    hosts = f"one.invalid\ntwo.invalid\n{HERE}"
    run = run_ours(tmp_path, "status", hosts, shell={"ANSIBLE_STRATEGY": strategy})
    assert run.code == 0, run.output
    assert run.output.count("HOST ") == 1
    assert "run_once" not in run.output


ONCE = sorted({*(CHECKOUT / "playbooks").glob("*.yml")} - {CHECKOUT / "playbooks/teardown.yml"})


@pytest.mark.parametrize("playbook", ONCE, ids=lambda playbook: playbook.stem)
def test_a_playbook_says_its_strategy_unless_nothing_in_it_is_done_once(playbook):
    plays = yaml.safe_load(playbook.read_text())
    assert [play["strategy"] for play in plays] == ["linear"] * len(plays)


@pytest.mark.parametrize("name", ["start", "teardown"])
def test_the_port_of_sshd_is_not_one_to_listen_on(tmp_path, name):
    run = run_ours(tmp_path, name, "nowhere.invalid ansible_port=22")
    assert run.code != 0
    assert "only root can listen" not in run.output
