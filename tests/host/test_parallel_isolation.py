"""In a directory that others write to, none of our processes runs what they have put there."""

import subprocess
import sys
from pathlib import Path

import pytest
from cluster_helper import commands, python
from local_sessions import BEGIN, SOURCE, Session

pytestmark = pytest.mark.timeout(300)

# What a neighbour hopes that somebody imports: ours, what it stands on, and Python's own.
NAMES = [
    "cluster_helper", "ipyparallel", "zmq", "psutil", "tornado", "traitlets", "IPython",
    "ipykernel", "json", "runpy", "subprocess", "selectors", "sitecustomize", "usercustomize",
    "uuid", "fcntl", "ipcontroller_config", "ipython_config", "startup",
]  # fmt: skip
PLANT = """
import os, sys
line = f"{os.getpid()} {open('/proc/self/cmdline').read()!r}\\n"
os.write(os.open(%r, os.O_WRONLY | os.O_APPEND), line.encode())
"""


@pytest.fixture
def planted(tmp_path):
    """A directory with all of that; `ran` lists the processes that have run any of it."""
    directory = tmp_path / "everybodys"
    directory.mkdir(mode=0o777)
    (directory / "ran").touch()
    for name in NAMES:
        (directory / f"{name}.py").write_text(PLANT % str(directory / "ran"), encoding="utf-8")
    return directory


@pytest.fixture
def home(tmp_path):
    made = tmp_path / "home"
    made.mkdir()
    return made


def ran(planted):
    return (planted / "ran").read_text(encoding="utf-8")


def test_a_careless_start_of_python_runs_what_was_planted(planted):
    subprocess.run([sys.executable, "-m", "cluster_helper"], cwd=planted, check=False)
    assert ran(planted)


WORK = """
    def f(n):
        import platform_that_nobody_has
    try:
        view.map(f, [1])
    except Exception as error:
        print("failed with", error)
    print(view.map(lambda n: __import__("os").getcwd(), [1]))
"""


def test_a_planted_program_is_never_run_by_a_script_from_elsewhere(home, planted):
    session = Session(home, WORK, script=home / "script.py", cwd=planted)
    printed = session.end()
    assert f"['{planted}']" in printed, "engines work where the script was started"
    assert "No module named 'platform_that_nobody_has'" in printed
    assert ran(planted) == ""
    session.leaves_nothing()


def test_an_empty_entry_of_pythonpath_leads_none_of_our_processes_there(home, planted):
    begin = f"import sys; sys.path.remove({str(planted)!r})\n"
    (planted / "sitecustomize.py").unlink()  # Python itself would run it before the script begins.
    (planted / "usercustomize.py").unlink()
    session = Session(
        home, WORK, script=home / "script.py", cwd=planted, PYTHONPATH=f":{SOURCE}",
        begin=begin + BEGIN.format(engines=1),
    )  # fmt: skip
    assert "failed with" in session.end()
    assert not [line for line in ran(planted).splitlines() if "cluster_helper." in line]


def test_engines_import_what_lies_beside_the_script_as_the_script_does(home, tmp_path):
    (home / "mine.py").write_text("NAME = 'beside the script'\n", encoding="utf-8")
    (home / "colorsys.py").write_text("NAME = 'instead of Python'\n", encoding="utf-8")
    session = Session(home, """
        import mine, colorsys
        def f(n):
            import mine, colorsys
            return mine.NAME, colorsys.NAME
        print(view.map(f, [1]) == [(mine.NAME, colorsys.NAME)], mine.NAME, colorsys.NAME)
    """, script=home / "script.py", cwd=tmp_path)  # fmt: skip
    assert "True beside the script instead of Python" in session.end()


def test_what_a_notebook_imports_from_its_directory_its_engines_import_too(home, tmp_path):
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    (notebooks / "mine.py").write_text("NAME = 'beside the notebook'\n", encoding="utf-8")
    session = Session(home, """
        def f(n):
            import mine
            return mine.NAME
        print(view.map(f, [1]))
    """, cwd=notebooks)  # fmt: skip
    assert "['beside the notebook']" in session.end()


def test_the_path_is_handed_on_in_order_and_absolute():
    path = ["", "/a", "lib", Path("/not/text"), "/a", "/b.zip"]
    assert python.import_path(path, Path("/w")) == ["/w", "/a", "/w/lib", "/b.zip"]


@pytest.mark.parametrize("path", [":/usr/bin", ".:/usr/bin", "bin:/usr/bin", "/usr/bin:"])
def test_a_schedulers_command_is_never_one_of_the_working_directory(tmp_path, monkeypatch, path):
    for place in (tmp_path, tmp_path / "bin"):
        place.mkdir(exist_ok=True)
        (place / "squeue").write_text("#!/bin/sh\n", encoding="utf-8")
        (place / "squeue").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", path)
    found = commands.find_program("squeue")
    assert found is None or found.startswith("/usr/bin/")


def test_python_is_started_in_one_place_only():
    package = SOURCE / "cluster_helper"
    starts = [
        f"{path.name}: {line.strip()}"
        for path in package.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "sys.executable" in line and path.name != "python.py"
    ]
    assert starts == ["plan.py: path=str(Path(pinned(sys.executable)).parent),"]
