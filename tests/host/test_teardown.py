"""What teardown would remove is found, shown and confirmed before anything happens."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils import _teardown as teardown
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.modules import ipython_profile
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import question
from IPython.core.profiledir import ProfileDir
from modules import run_module

from playbooks import run_playbook

ALL = list(teardown.PARTS)
EVERYTHING = {
    "home": ["/h"],
    "server": ["dev1"],
    "profile": ["/h/.ipython/profile_nbserver"],
    "parallel": ["/h/.ipython/profile_cluster"],
    "modulefile": ["/h/modulefiles/anaconda.lua"],
    "installation": ["/h/anaconda", "/h/anaconda.d"],
    "python": ["yes"],
}


def without(*names):
    return {name: value for name, value in EVERYTHING.items() if name not in names}


@pytest.mark.parametrize(
    ("found", "parts", "going"),
    [
        (EVERYTHING, ALL, ALL),
        (EVERYTHING, ["modulefile"], ["modulefile"]),
        (EVERYTHING, ["profile"], ["server", "profile"]),
        (EVERYTHING, ["installation"], ["server", "installation"]),
        (EVERYTHING, ["server"], ["server"]),
        (without("server"), ALL, ALL),  # a server can run without its record
        (without("installation", "python"), ALL, ["profile", "parallel", "modulefile"]),
        (without("profile", "server"), ALL, ["parallel", "modulefile", "installation"]),
        (EVERYTHING, ["parallel"], ["parallel"]),
        ({"home": ["/h"]}, ALL, []),
        ({"home": ["/h"]}, ["server"], []),
    ],
)
def test_a_part_goes_when_it_is_there_and_the_server_before_what_it_needs(found, parts, going):
    assert teardown.removable(found, parts) == going


def test_the_list_reads_like_the_one_of_the_documentation():
    assert teardown.shown(EVERYTHING, ALL, "alice") == [
        "This is removed for alice:",
        "    server        stopped first, on dev1",
        "    profile       /h/.ipython/profile_nbserver",
        "    parallel      /h/.ipython/profile_cluster",
        "    modulefile    /h/modulefiles/anaconda.lua",
        "    installation  /h/anaconda, /h/anaconda.d",
        "Notebooks stay, and so does whatever else is yours, even inside of these.",
    ]
    assert teardown.shown({}, ALL, "alice") == ["Nothing of ours is left for alice."]


@pytest.mark.parametrize("parts", [[], ["servers"], ["profile", "home"]])
def test_a_part_that_there_is_not_is_refused(parts):
    with pytest.raises(NotebookError, match=r"^teardown_parts: must be of server, profile"):
        teardown.require_parts(parts)


ROLE = Path(__file__).parents[2] / "roles" / "parallel" / "templates"
MANAGED = (ROLE / "ipcluster_config.py.j2").read_text()


@pytest.fixture
def engines(tmp_path, monkeypatch):
    """The profile of role parallel, in which IPython has made its own directories since."""
    monkeypatch.setenv("HOME", str(tmp_path))
    profile = tmp_path / ".ipython" / "profile_cluster"
    ProfileDir(location=str(profile))
    (profile / "ipcluster_config.py").write_text(MANAGED)
    return profile


def test_the_profile_of_the_engines_goes_with_all_that_ipython_put_there(engines):
    assert run_module(ipython_profile, name="cluster", state="absent")["kept"] == []
    assert not engines.exists()


@pytest.mark.parametrize("name", ["startup/mine.py", "security/ipcontroller-client.json"])
def test_what_a_person_put_beside_the_engines_stays(engines, name):
    (engines / name).write_text("x = 1\n")
    run_module(ipython_profile, name="cluster", state="absent")
    left = [str(path.relative_to(engines)) for path in engines.rglob("*") if path.is_file()]
    assert left == [name]


def test_engines_that_a_person_configured_stay(engines):
    (engines / "ipcluster_config.py").write_text("c = get_config()\n")
    assert run_module(ipython_profile, name="cluster", state="absent")["kept"] == [
        "ipcluster_config.py"
    ]


@pytest.fixture
def home(tmp_path):
    """A home with all parts, and beside them things of the same kind that are not ours."""
    made = tmp_path / "home"
    profile = made / ".ipython" / "profile_nbserver"
    for directory in ("run", "security"):
        (profile / directory).mkdir(parents=True)
    (profile / "run" / "dev1.json").write_text("{}")
    for name, head in (("cluster", MANAGED), ("clusters", "# mine\n")):
        (made / ".ipython" / f"profile_{name}").mkdir()
        (made / ".ipython" / f"profile_{name}" / "ipcluster_config.py").write_text(head)
    (made / "modulefiles").mkdir()
    (made / "modulefiles" / "anaconda.lua").write_text("-- Managed by hpcc.notebook\n")
    (made / "modulefiles" / "anaconda").write_text("#%Module of the person\n")
    (made / "anaconda.d" / "markers").mkdir(parents=True)
    (made / "anaconda.d" / "one" / "bin").mkdir(parents=True)
    (made / "anaconda.d" / "one" / "bin" / "python").symlink_to("/bin/true")
    (made / "anaconda").symlink_to("anaconda.d/one")
    return made


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_what_is_ours_is_found_on_the_host_and_nothing_else(shell, home):
    script = teardown.questions("nbserver", "~/modulefiles/anaconda", "~/anaconda", "cluster")
    asked = question({}, text=script)
    said = subprocess.run(
        [shell, "-s"], input=asked.program, env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stderr == ""
    assert asked.answers(said.stdout) == {
        "home": [str(home)],
        "server": ["dev1"],
        "profile": [f"{home}/.ipython/profile_nbserver"],
        "parallel": [f"{home}/.ipython/profile_cluster"],
        "modulefile": [f"{home}/modulefiles/anaconda.lua"],
        "installation": [f"{home}/anaconda", f"{home}/anaconda.d"],
        "python": ["yes"],
    }


def ask(directory, *options, **arguments):
    task = {"hpcc.notebook.confirm_removal": arguments, "register": "answer"}
    show = {"ansible.builtin.debug": {"msg": "goes: {{ answer.remove | join(' ') }}."}}
    return run_playbook(directory, {"tasks": [task, show]}, *options)


def test_without_a_terminal_nothing_is_removed_unless_that_was_confirmed(home, tmp_path):
    assert home.exists()
    refused = ask(tmp_path)
    assert refused.code != 0
    assert "Nothing was removed" in refused.output
    assert "    modulefile    " in refused.output, "the list was shown all the same"
    confirmed = ask(tmp_path, confirmed=True, parts=["profile", "modulefile"])
    assert "goes: server profile modulefile." in confirmed.output


def test_a_check_run_shows_the_list_and_asks_nothing(home, tmp_path):
    checked = ask(tmp_path, "--check")
    assert (checked.code, checked.changed) == (0, 1)
    assert f"    installation  {home}/anaconda, {home}/anaconda.d" in checked.output
    assert "goes: ." in checked.output


def test_where_nothing_is_left_there_is_nothing_to_ask(tmp_path):
    (tmp_path / "home").mkdir()
    found = ask(tmp_path)
    assert (found.code, found.changed) == (0, 0)
    assert "Nothing of ours is left" in found.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"parts": ["home"]}, "teardown_parts: must be of"),
        ({"profile": "../x"}, "profile: must be"),
        ({"prefix": "/x; id"}, "prefix: must"),
        ({"modulefile": "relative"}, "modulefile: must"),
    ],
)
def test_a_bad_value_is_refused_by_name(arguments, said, tmp_path):
    refused = ask(tmp_path, **arguments)
    assert refused.code != 0
    assert said in refused.output
