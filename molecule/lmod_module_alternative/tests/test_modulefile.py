"""The Tcl twin, under another name in another place, with a description that looks like code."""

HOME = "/home/dave"
USE = "module use ~/software/modulefiles && module load miniforge/26.3.2-3"


def login(host, command):
    return host.run("bash -lc %s", command)


def test_the_tcl_modulefile_stands_under_its_name(host):
    modulefile = host.file(f"{HOME}/software/modulefiles/miniforge/26.3.2-3")
    assert modulefile.content_string.startswith("#%Module")


def test_module_load_brings_the_library_paths_that_were_asked_for(host):
    shown = login(host, f"{USE} && env").stdout.splitlines()
    assert "ANACONDA_HOME=/opt/site/anaconda" in shown
    assert any(line.startswith("LD_LIBRARY_PATH=/opt/site/anaconda/lib") for line in shown)


def test_the_description_is_text_and_stays_text(host):
    shown = login(host, f"{USE} && module whatis miniforge/26.3.2-3 2>&1")
    assert "os.exit()" in shown.stdout
