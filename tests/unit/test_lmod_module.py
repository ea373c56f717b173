"""The modulefile in both languages, as real runs write it and as their readers see it."""

import os
import subprocess
from pathlib import Path

import jinja2
import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils import quoting
from ansible_collections.hpcc.notebook.plugins.module_utils.modulefile import plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbooks import CHECKOUT, run_playbook

TEMPLATES = CHECKOUT / "roles" / "lmod_module" / "templates"
ROLE = {"roles": ["hpcc.notebook.lmod_module"]}
MANAGED = "Managed by hpcc.notebook"
FOREIGN = "-- my own modulefile, by hand\n"

# What Lmod and Tcl Modules offer to a modulefile, reduced to telling what was asked for.
LUA_SITE = """
local function say(...) io.write(table.concat({...}, "\\1"), "\\0") end
function setenv(name, value) say("setenv", name, value) end
function prepend_path(name, value) say("prepend", name, value) end
function help(text) say("help", text) end
function whatis(text) say("whatis", text) end
"""
TCL_SITE = """
fconfigure stdout -encoding utf-8 -translation binary
proc say args { puts -nonewline [encoding convertto utf-8 "[join $args \\u0001]\\u0000"] }
proc setenv {name value} { say setenv $name $value }
proc prepend-path {name value} { say prepend $name $value }
proc module-whatis text { say whatis $text }
proc hint text { say help $text }
"""


def read_lua(path, home):
    subprocess.run(["luac5.4", "-p", str(path)], check=True)
    return _asked(["lua5.4", "-"], f"{LUA_SITE}\ndofile({str(path)!r})", home)


def read_tcl(path, home):
    assert path.read_text().startswith("#%Module")
    body = path.read_text().replace("puts stderr", "hint")
    return _asked(["tclsh"], f"{TCL_SITE}\n{body}\nModulesHelp", home)


def _asked(argv, program, home):
    environment = {"HOME": home, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        argv, input=program.encode(), env=environment, capture_output=True, check=True
    )
    assert not done.stderr
    return sorted(tuple(said.split("\1")) for said in done.stdout.decode().split("\0")[:-1])


READERS = {"lua": read_lua, "tcl": read_tcl}


def wanted(prefix, name="anaconda", description="Python from a conda distribution", library=False):
    """What a modulefile has to ask for."""
    asked = [
        ("help", description),
        ("whatis", f"Name: {name}"),
        ("whatis", f"Description: {description}"),
        ("setenv", "ANACONDA_HOME", prefix),
        ("prepend", "PATH", f"{prefix}/bin"),
    ]
    if library:
        asked += [
            ("prepend", "LD_LIBRARY_PATH", f"{prefix}/lib"),
            ("prepend", "LIBRARY_PATH", f"{prefix}/lib"),
            ("prepend", "INCLUDE", f"{prefix}/include"),
        ]
    return sorted(asked)


AWKWARD = [
    "~/anaconda",
    '~/it\'s "x" ]] os.exit() --[[',
    "/home/ü/コンダ 😀",
    "/o}{[exit]$x`id`$(id)\\n\\065\\u0041#%",
    "/ leading and trailing ",
    "~/~/$HOME",
    "/a;b, 'c'",
]


@pytest.mark.parametrize("syntax", ["lua", "tcl"])
def test_any_path_and_text_reach_the_module_command_unchanged(tmp_path, syntax):
    template = {
        "src": str(TEMPLATES / f"modulefile.{syntax}.j2"),
        "dest": str(tmp_path / "{{ place }}"),
        "mode": "0644",
    }
    tasks = [
        {
            "ansible.builtin.template": template,
            "vars": {
                "lmod_module_prefix": "{{ item }}",
                "lmod_module_description": "{{ item }}\n.",
            },
            "loop": AWKWARD,
            "loop_control": {"index_var": "place"},
        }
    ]
    given = {"lmod_module_name": "a/1.0", "lmod_module_library_paths": "yes"}
    run = run_playbook(tmp_path, {"tasks": tasks}, **given)
    assert run.code == 0, run.output
    for place, prefix in enumerate(AWKWARD):
        absolute = f"/home/some body{prefix[1:]}" if prefix.startswith("~") else prefix
        asked = READERS[syntax](tmp_path / str(place), "/home/some body")
        assert asked == wanted(absolute, "a/1.0", f"{prefix}\n.", library=True)


PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\1"), min_size=1)


@pytest.mark.parametrize("syntax", ["lua", "tcl"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(prefix=PATHS.map("/{}".format) | PATHS.map("~/{}".format), description=PATHS)
def test_no_path_and_no_text_can_say_anything_else(tmp_path, syntax, prefix, description):
    escaper = {"lua": quoting.lua_string, "tcl": quoting.tcl_word}[syntax]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True, autoescape=False
    )
    environment.filters |= {f"hpcc.notebook.{escaper.__name__}": escaper, "bool": bool}
    rendered = environment.get_template(f"modulefile.{syntax}.j2").render(
        lmod_module_prefix=prefix, lmod_module_name="x", lmod_module_description=description
    )
    (tmp_path / "modulefile").write_text(rendered, encoding="ascii")
    absolute = f"/home/u{prefix[1:]}" if prefix.startswith("~") else prefix
    asked = READERS[syntax](tmp_path / "modulefile", "/home/u")
    assert asked == wanted(absolute, "x", description)


def diff(run):
    """The lines of a diff, without the name of Ansible's own temporary file."""
    lines = run.output.splitlines()
    return [line for line in lines if line[:1] in ("+", "-") and line[:3] != "+++"]


def test_four_beats(tmp_path):
    path = tmp_path / "home" / "modulefiles" / "anaconda.lua"
    beats, seen = [], []
    for options in (["--check", "--diff"], ["--diff"], ["--check", "--diff"], ["--diff"]):
        beats.append(run_playbook(tmp_path, ROLE, *options, lmod_module_syntax="lua"))
        seen.append((beats[-1].code, beats[-1].changed, path.exists()))
    assert seen == [(0, 2, False), (0, 2, True), (0, 0, True), (0, 0, True)]
    assert diff(beats[0]) == diff(beats[1])
    assert any(MANAGED in line for line in diff(beats[1]))
    assert diff(beats[2]) == diff(beats[3]) == []
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == 0o755
    assert read_lua(path, "/home/u") == wanted("/home/u/anaconda")


@pytest.mark.parametrize(
    ("shell", "name"),
    [
        ({"LMOD_CMD": "/x", "MODULESHOME": "/x"}, "anaconda.lua"),
        ({"MODULESHOME": "/x"}, "anaconda"),
    ],
)
def test_the_language_of_the_site_is_found_out(tmp_path, shell, name):
    if Path("/etc/profile.d/lmod.sh").exists() and "LMOD_CMD" not in shell:
        pytest.skip("this machine has Lmod itself, so that its shells cannot be without it")
    assert run_playbook(tmp_path, ROLE, shell=shell).code == 0
    assert [path.name for path in (tmp_path / "home" / "modulefiles").iterdir()] == [name]


def test_everything_set_to_something_else(tmp_path):
    given = {
        "lmod_module_prefix": "/opt/miniforge",
        "lmod_module_dir": str(tmp_path / "my modules"),
        "lmod_module_name": "miniforge/26.3.2-3",
        "lmod_module_description": "Miniforge",
        "lmod_module_syntax": "lua",
        "lmod_module_library_paths": True,
    }
    assert run_playbook(tmp_path, ROLE, **given).code == 0
    path = tmp_path / "my modules" / "miniforge" / "26.3.2-3.lua"
    expected = wanted("/opt/miniforge", "miniforge/26.3.2-3", "Miniforge", library=True)
    assert read_lua(path, "/home/u") == expected


def test_a_modulefile_of_somebody_else_is_kept_as_a_copy(tmp_path):
    path = tmp_path / "home" / "modulefiles" / "anaconda.lua"
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o700)
    path.write_text(FOREIGN)
    for _each in range(2):
        assert run_playbook(tmp_path, ROLE, lmod_module_syntax="lua").code == 0
    copies = [other for other in path.parent.iterdir() if other != path]
    assert [copy.read_text() for copy in copies] == [FOREIGN]
    assert copies[0].name.endswith("~")  # which both module commands pass over
    assert MANAGED in path.read_text()
    assert path.parent.stat().st_mode & 0o777 == 0o700  # a directory of the person stays as it is


def test_a_change_of_ours_leaves_no_copies_and_the_other_language_goes(tmp_path):
    directory = tmp_path / "home" / "modulefiles"
    for other in ({}, {"lmod_module_prefix": "/opt/x"}, {"lmod_module_syntax": "tcl"}):
        run = run_playbook(tmp_path, ROLE, **{"lmod_module_syntax": "lua", **other})
        assert run.code == 0, run.output
    assert [path.name for path in directory.iterdir()] == ["anaconda"]


def test_a_modulefile_that_was_changed_is_put_right(tmp_path):
    path = tmp_path / "home" / "modulefiles" / "anaconda.lua"
    assert run_playbook(tmp_path, ROLE, lmod_module_syntax="lua").code == 0
    right = path.read_text()
    path.chmod(0o600)  # nobody else could load it
    assert run_playbook(tmp_path, ROLE, lmod_module_syntax="lua").changed == 1
    path.write_text(right + "-- something else")
    assert run_playbook(tmp_path, ROLE, lmod_module_syntax="lua").changed == 1
    assert (path.read_text(), path.stat().st_mode & 0o777) == (right, 0o644)


def test_removal_takes_only_what_the_role_wrote(tmp_path):
    directory = tmp_path / "home" / "modulefiles"
    run_playbook(tmp_path, ROLE, lmod_module_syntax="lua")
    (directory / "anaconda").write_text(FOREIGN)
    runs = [run_playbook(tmp_path, ROLE, lmod_module_state="absent") for _each in range(2)]
    assert [(run.code, run.changed) for run in runs] == [(0, 1), (0, 0)]
    assert [path.name for path in directory.iterdir()] == ["anaconda"]


@pytest.mark.parametrize(
    ("words", "wanted_syntax", "syntax", "path"),
    [
        ("lua", "auto", "lua", "/h/m/x.lua"),
        ("tcl", "auto", "tcl", "/h/m/x"),
        ("tcl", "lua", "lua", "/h/m/x.lua"),
        ("lua", "tcl", "tcl", "/h/m/x"),
        ("", "auto", "lua", "/h/m/x.lua"),
    ],
)
def test_the_language_is_that_of_the_site_unless_one_is_asked_for(
    words, wanted_syntax, syntax, path
):
    found = plan(words.split(), "/h", wanted_syntax, "~/m/x")
    assert (found.syntax, found.path) == (syntax, path)


@pytest.mark.parametrize(
    ("words", "wanted_syntax", "backup", "remove"),
    [
        ("lua", "auto", False, ()),
        ("lua ours:lua", "auto", False, ()),
        ("lua other:lua", "auto", True, ()),
        ("lua other:tcl", "auto", False, ()),
        ("lua ours:lua ours:tcl", "auto", False, ("/m/x",)),
        ("lua ours:lua ours:tcl", "tcl", False, ("/m/x.lua",)),
        ("tcl ours:lua ours:tcl", "absent", False, ("/m/x.lua", "/m/x")),
        ("lua other:lua ours:tcl", "absent", True, ("/m/x",)),
    ],
)
def test_what_is_kept_and_what_is_removed(words, wanted_syntax, backup, remove):
    found = plan(words.split(), "/h", wanted_syntax, "/m/x")
    assert (found.backup, found.remove) == (backup, remove)


def test_the_directory_is_made_only_where_there_is_none():
    assert plan(["lua"], "/h", "auto", "/m/x").make_directory
    assert not plan(["lua", "directory"], "/h", "auto", "/m/x").make_directory


@pytest.mark.parametrize(
    ("words", "wanted_syntax", "write"),
    [
        ("lua", "auto", True),
        ("lua ours:lua", "auto", True),
        ("lua ours:lua same:lua", "auto", False),
        ("lua ours:lua same:lua", "tcl", True),
        ("tcl ours:lua same:lua", "auto", True),
        ("lua ours:lua same:lua", "absent", False),
    ],
)
def test_a_file_that_is_as_it_would_be_written_is_not_written(words, wanted_syntax, write):
    assert plan(words.split(), "/h", wanted_syntax, "/m/x").write is write
