"""The modulefile in both languages, as real runs write it and as their readers see it."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.hpcc.notebook.plugins.module_utils._modulefile.text import TEXTS, Module
from examples import examples
from file_systems import mounted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from login_shells import RC_FILES, greet, log_in_with

from playbooks import CHECKOUT, run_playbook

ROLE = {"roles": ["hpcc.notebook.lmod_module"]}
MANAGED = "Managed by hpcc.notebook"
FOREIGN = "-- my own modulefile, by hand\n"

# What Lmod and Tcl Modules offer to a modulefile, reduced to telling what was asked for.
LUA_SITE = """
local function say(...) io.write(table.concat({...}, "\\1"), "\\0") end
function setenv(name, value) say("setenv", name, value) end
function prepend_path(name, value) say("prepend", name, value) end
function set_shell_function() end
function myShellName() return "bash" end
function help(text) say("help", text) end
function whatis(text) say("whatis", text) end
"""
TCL_SITE = """
fconfigure stdout -encoding utf-8 -translation binary
proc say args { puts -nonewline [encoding convertto utf-8 "[join $args \\u0001]\\u0000"] }
proc setenv {name value} { say setenv $name $value }
proc prepend-path {name value} { say prepend $name $value }
proc set-function args {}
proc module-info args { return sh }
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


def read_back(directory, syntax, module, home):
    path = directory / "modulefile"
    path.write_text(TEXTS[syntax](module), encoding="ascii")
    return READERS[syntax](path, home)


@pytest.mark.parametrize("prefix", AWKWARD)
@pytest.mark.parametrize("syntax", ["lua", "tcl"])
def test_any_path_and_text_reach_the_module_command_unchanged(tmp_path, syntax, prefix):
    module = Module("a/1.0", prefix, f"{prefix}\n.", library_paths=True)
    absolute = f"/home/some body{prefix[1:]}" if prefix.startswith("~") else prefix
    asked = read_back(tmp_path, syntax, module, "/home/some body")
    assert asked == wanted(absolute, "a/1.0", f"{prefix}\n.", library=True)


PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\1"), min_size=1)


@pytest.mark.threat(25)
@pytest.mark.parametrize("syntax", ["lua", "tcl"])
@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(prefix=PATHS.map("/{}".format) | PATHS.map("~/{}".format), description=PATHS)
def test_no_path_and_no_text_can_say_anything_else(tmp_path, syntax, prefix, description):
    absolute = f"/home/u{prefix[1:]}" if prefix.startswith("~") else prefix
    asked = read_back(tmp_path, syntax, Module("x", prefix, description), "/home/u")
    assert asked == wanted(absolute, "x", description)


def diff(run):
    """The lines of a diff, headers included."""
    return [line for line in run.output.splitlines() if line[:1] in ("+", "-")]


def test_four_beats(tmp_path):
    path = tmp_path / "home" / "modulefiles" / "anaconda.lua"
    beats, seen = [], []
    for options in (["--check", "--diff"], ["--diff"], ["--check", "--diff"], ["--diff"]):
        beats.append(run_playbook(tmp_path, ROLE, *options, lmod_module_syntax="lua"))
        seen.append((beats[-1].code, beats[-1].changed, path.exists()))
    assert seen == [(0, 1, False), (0, 1, True), (0, 0, True), (0, 0, True)]
    assert diff(beats[0]) == diff(beats[1])
    assert any(MANAGED in line for line in diff(beats[1]))
    assert diff(beats[2]) == diff(beats[3]) == []
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == 0o755
    assert read_lua(path, "/home/u") == wanted("/home/u/anaconda")


@pytest.mark.fault("F50 Tcl or Lmod")
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


LUA = {"lmod_module_syntax": "lua"}


def lay(directory, *names, text=FOREIGN):
    """Modulefiles of the person, in ~/modulefiles."""
    for name in names:
        path = directory / "home" / "modulefiles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def manifest(directory):
    """Every file below ~/modulefiles with its content."""
    files = (directory / "home" / "modulefiles").rglob("*")
    return {str(path): path.read_text() for path in files if path.is_file()}


@pytest.mark.parametrize(
    ("theirs", "given", "words"),
    [
        (["anaconda/2023.09.lua"], LUA, "anaconda/2023.09.lua: is a module of the same name"),
        (["anaconda/2023.09.lua"], {"lmod_module_syntax": "tcl"}, "anaconda: is a directory"),
        (["anaconda.lua/notes"], LUA, "anaconda.lua: is a directory, where the modulefile belongs"),
        (
            ["miniforge.lua"],
            {**LUA, "lmod_module_name": "miniforge/26.3"},
            "miniforge.lua: `module load miniforge` loads this modulefile",
        ),
        (
            ["lab/25.1.lua"],
            {**LUA, "lmod_module_name": "lab/python/26.3"},
            "lab/25.1.lua: `module load lab` loads this modulefile, and would no longer find any",
        ),
        (
            ["lab/python.lua"],
            {**LUA, "lmod_module_name": "lab/python/26.3"},
            "lab/python.lua: `module load lab/python` loads this modulefile, and would load ours",
        ),
        (["lab/python/1.lua"], {**LUA, "lmod_module_name": "lab/python"}, "as lab/python/hpcc, or"),
        (["anaconda/.version"], {"lmod_module_syntax": "tcl"}, "anaconda: is a directory"),
        (["miniforge"], {**LUA, "lmod_module_name": "miniforge/26.3"}, "is not a directory. Move"),
    ],
)
def test_a_module_of_the_person_is_neither_hidden_nor_hides_ours(tmp_path, theirs, given, words):
    lay(tmp_path, *theirs)
    before = manifest(tmp_path)
    run = run_playbook(tmp_path, ROLE, **given)
    assert run.code == 2
    assert words in run.output, run.output
    assert run.output.count("[ERROR]") == 1
    assert manifest(tmp_path) == before


def test_what_is_refused_is_refused_before_setup_changes_anything():
    plays = yaml.safe_load((CHECKOUT / "playbooks" / "setup.yml").read_text())
    roles = [task["ansible.builtin.import_role"] for task in plays[0]["tasks"]]
    order = [(role["name"], role["tasks_from"]) for role in roles]
    looks = order.index(("hpcc.notebook.lmod_module", "look"))
    assert looks < order.index(("hpcc.notebook.anaconda", "apply"))


@pytest.mark.parametrize("name", ["miniforge", "lab/python"])
def test_a_version_beside_those_of_the_person_is_told(tmp_path, name):
    lay(tmp_path, f"{name}/25.1.lua")
    run = run_playbook(tmp_path, ROLE, **LUA, lmod_module_name=f"{name}/26.3")
    assert run.code == 0
    assert f"{name}/26.3.lua comes beside 25.1.lua: `module load {name}` without" in run.output


@pytest.mark.parametrize(
    ("theirs", "name"),
    [("anaconda/3/2023.lua", "anaconda"), ("lab.lua", "lab/python/26.3")],
)
def test_a_module_two_directories_away_is_loaded_as_before(tmp_path, theirs, name):
    lay(tmp_path, theirs)
    before = manifest(tmp_path)
    assert run_playbook(tmp_path, ROLE, **LUA, lmod_module_name=name).code == 0
    assert before.items() <= manifest(tmp_path).items()


def test_what_is_no_modulefile_is_not_in_the_way(tmp_path):
    lay(tmp_path, "anaconda/README", "anaconda/old.lua~", "anaconda/.hidden.lua")
    assert run_playbook(tmp_path, ROLE, **LUA).code == 0


def test_a_modulefile_of_ours_that_the_new_name_hides_goes(tmp_path):
    assert run_playbook(tmp_path, ROLE, **LUA).code == 0
    run = run_playbook(tmp_path, ROLE, **LUA, lmod_module_name="anaconda/26")
    assert (run.code, run.changed) == (0, 1), run.output
    assert list(manifest(tmp_path)) == [str(tmp_path / "home/modulefiles/anaconda/26.lua")]


def test_a_link_of_the_person_is_replaced_and_its_target_stays(tmp_path):
    lay(tmp_path, "dotfiles/mine")
    path = tmp_path / "home" / "modulefiles" / "anaconda.lua"
    path.symlink_to("dotfiles/mine")
    assert run_playbook(tmp_path, ROLE, **LUA).code == 0
    assert not path.is_symlink()
    assert (path.parent / "dotfiles" / "mine").read_text() == FOREIGN


@pytest.fixture
def modules(tmp_path):
    """The person's directory of modulefiles, with one of their own in the place of ours."""
    lay(tmp_path, "anaconda.lua")
    return tmp_path / "home" / "modulefiles"


def on_a_disk(tmp_path, options, script=""):
    """Run the role where ~/modulefiles is a file system of its own; give the run and its files."""
    modules = tmp_path / "home" / "modulefiles"
    mount = f'cp "$1/anaconda.lua" /mnt; mount -t tmpfs -o {options} none "$1"; mv /mnt/*.lua "$1"'
    with mounted(modules, f"mount -t tmpfs none /mnt\n{mount}\n{script}") as disk:
        run = run_playbook(tmp_path, ROLE, behind=disk.behind, **LUA)
        return run, disk.shell(f"cd {modules}; ls -A; cat anaconda.lua")


@pytest.mark.fault("a full directory of modulefiles")
@pytest.mark.usefixtures("modules")
def test_a_full_disk_is_told_in_one_line_and_leaves_what_was_there(tmp_path):
    fill = 'head -c 1M /dev/zero >"$1/filler" || :'
    run, left = on_a_disk(tmp_path, "size=64k", fill)
    assert run.code == 2
    words = "anaconda.lua: no space (or no inode) left on the file system. Free some and run again"
    assert words in run.output, run.output
    assert left == f"anaconda.lua\nfiller\n{FOREIGN}"


@pytest.mark.usefixtures("modules")
def test_a_read_only_directory_is_told_before_anything_is_tried(tmp_path):
    run, left = on_a_disk(tmp_path, "size=64k", 'mount -o remount,ro "$1"')
    assert run.code == 2
    words = "modulefiles: cannot be written to (Read-only file system). Choose another lmod_module"
    assert words in run.output, run.output
    assert left == f"anaconda.lua\n{FOREIGN}"


@pytest.mark.usefixtures("modules")
def test_a_right_modulefile_in_a_read_only_directory_is_right(tmp_path):
    assert run_playbook(tmp_path, ROLE, **LUA).code == 0
    run, _left = on_a_disk(tmp_path, "size=64k", 'mount -o remount,ro "$1"')
    assert (run.code, run.changed) == (0, 0), run.output


def test_a_file_in_the_directorys_place_is_told(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "modulefiles").write_text("notes")
    run = run_playbook(tmp_path, ROLE, **LUA)
    assert run.code == 2
    assert f"{tmp_path}/home/modulefiles: is not a directory. Move it away" in run.output


@pytest.mark.fault("half a modulefile")
def test_nothing_is_seen_of_a_file_before_it_is_whole_and_on_the_disk(tmp_path):
    lay(tmp_path, "anaconda.lua", text=f"-- {MANAGED}, by an earlier version\n")
    trace = tmp_path / "trace"
    calls = ["strace", "-f", "-qq", "-o", str(trace), "-e", "trace=/fsync|rename.*"]
    assert run_playbook(tmp_path, ROLE, behind=calls, **LUA).code == 0
    done = [re.sub(r"^\d+ +", "", line) for line in trace.read_text().splitlines()]
    ours = [c for c in done if "= -1" not in c]
    ours = [c for c in ours if c.startswith("fsync") or "modulefiles/anaconda.lua" in c]
    assert [call.partition("(")[0].rstrip("at2") for call in ours] == ["fsync", "rename", "fsync"]


# Those of RC_FILES read a file then, which may print something.
WITHOUT_A_FILE = ("csh", "dash", "busybox sh", "bash --posix")
SHELLS = [
    *((shell, greeting) for shell in RC_FILES for greeting in (False, True)),
    *((shell, False) for shell in WITHOUT_A_FILE),
]


@pytest.mark.parametrize(("shell", "greeting"), SHELLS)
def test_no_login_shell_parses_what_the_role_sends(tmp_path, shell, greeting):
    home = tmp_path / "home"
    home.mkdir()
    if greeting:
        greet(home, shell)
    env = log_in_with(tmp_path, shell)
    play = {**ROLE, "connection": "ssh"}
    made = run_playbook(tmp_path, play, shell=env, **LUA)
    assert (made.code, made.changed) == (0, 1), made.output
    assert MANAGED in (home / "modulefiles" / "anaconda.lua").read_text()
    gone = run_playbook(tmp_path, play, shell=env, lmod_module_state="absent")
    assert (gone.code, gone.changed) == (0, 1), gone.output
    assert manifest(tmp_path) == {}
