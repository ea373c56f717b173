"""The role alone: a live distribution under a stable path, and nothing left over."""

HOME = "/home/bob"


def test_the_prefix_is_a_relative_link_to_the_generation(host):
    assert host.check_output(f"readlink {HOME}/anaconda").startswith("anaconda.d/")


def test_python_and_conda_of_the_distribution_run(host):
    assert (
        host.run(f"{HOME}/anaconda/bin/python -c 'import jupyterlab, notebook, ipyparallel'").rc
        == 0
    )
    assert host.run(f"{HOME}/anaconda/bin/conda --version").rc == 0


def test_jupyter_server_has_no_known_hole(host):
    version = host.check_output(
        f"{HOME}/anaconda/bin/python -c 'import jupyter_server; print(jupyter_server.__version__)'"
    )
    assert tuple(map(int, version.split(".")[:2])) >= (2, 21)


def test_no_installer_and_no_lock_is_left(host):
    # The worker still compiles the packages for a while, under its lock, when the role has ended.
    host.run(f"timeout 60 sh -c 'while [ -L {HOME}/anaconda.d/lock ]; do sleep 0.1; done'")
    assert host.check_output(f"find {HOME}/anaconda.d -maxdepth 2 -name '*.sh' -o -name lock") == ""


def test_the_rc_files_of_the_person_are_untouched(host):
    for name in (".bashrc", ".profile"):
        assert host.run(f"cmp {HOME}/{name} /etc/skel/{name}").rc == 0


def test_the_packages_came_by_uv_and_pip_goes_on_with_them(host):
    said = host.check_output(f"cat {HOME}/anaconda.d/logs/*.log")
    assert "uv has installed the packages" in said
    assert host.run(f"{HOME}/anaconda/bin/python -m pip check").rc == 0
    assert host.check_output(f"find {HOME}/anaconda.d/work -name 'uv*'") == ""
