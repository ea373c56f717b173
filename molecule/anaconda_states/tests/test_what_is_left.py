"""After an upgrade, a step back and the removal: nothing of ours, and all of the person's."""

HOME = "/home/bob"


def test_nothing_of_ours_is_left_but_the_identity_of_what_stays(host):
    assert host.check_output(f"ls -A {HOME}/anaconda.d").split() == [".hpcc-notebook-store", "envs"]
    assert not host.file(f"{HOME}/anaconda").exists


def test_the_environment_of_the_person_is_left(host):
    assert host.file(f"{HOME}/anaconda.d/envs/mine/pyvenv.cfg").exists


def test_the_rc_files_of_the_person_are_untouched(host):
    for name in (".bashrc", ".profile"):
        assert host.run(f"cmp {HOME}/{name} /etc/skel/{name}").rc == 0
