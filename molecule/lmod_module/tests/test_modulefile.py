"""The modulefile in the site's own Lmod, and before lua's own parser."""

import pytest

HOME = "/home/dave"
MODULEFILE = f"{HOME}/modulefiles/anaconda.lua"
USE = "module use ~/modulefiles"


def login(host, command):
    return host.run("bash -lc %s", command)


def test_lua_accepts_it(host):
    assert host.run(f"luac -p {MODULEFILE} || luac5.3 -p {MODULEFILE}").rc == 0


@pytest.mark.threat(31)
def test_module_load_sets_home_and_path_and_nothing_of_the_linker(host):
    shown = login(host, f"{USE} && module load anaconda && env").stdout.splitlines()
    assert f"ANACONDA_HOME={HOME}/anaconda" in shown
    path = next(line for line in shown if line.startswith("PATH="))
    assert path.startswith(f"PATH={HOME}/anaconda/bin:")
    assert not [line for line in shown if line.startswith(("LD_LIBRARY_PATH=", "LIBRARY_PATH="))]


def test_module_avail_and_help_show_it(host):
    shown = login(host, f"{USE} && module avail 2>&1 && module help anaconda 2>&1")
    assert shown.rc == 0
    assert "anaconda" in shown.stdout
