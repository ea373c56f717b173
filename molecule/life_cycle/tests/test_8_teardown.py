"""After teardown: what we made is gone, and what the person made is there."""

import pytest
from playing import twice

HOME = "/home/alice"


@pytest.fixture(scope="module", autouse=True)
def played(host):
    # Something of the person's own, inside of what is removed.
    host.check_output(
        "echo '{}' > ~/work.ipynb && echo '-- mine' > ~/modulefiles/mine.lua"
        " && echo 'answer = 42' > ~/.ipython/profile_nbserver/startup/mine.py"
    )
    twice("teardown")


@pytest.mark.fault("F80 stopped first")
def test_nothing_runs(host):
    assert host.run("pgrep -u alice -f profile_nbserver").rc == 1


@pytest.mark.parametrize(
    "path",
    [
        f"{HOME}/anaconda",
        f"{HOME}/anaconda.d",
        f"{HOME}/modulefiles/anaconda.lua",
        f"{HOME}/.ipython/profile_nbserver/security",
        f"{HOME}/.ipython/profile_nbserver/jupyter_server_config.json",
        f"{HOME}/.ipython/profile_nbserver/log",
        f"{HOME}/.ipython/profile_nbserver/run",
        "/tmp/nbserver-1001",
    ],
)
def test_what_was_made_is_gone(host, path):
    assert host.run("test ! -e %s && test ! -L %s", path, path).rc == 0


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (f"{HOME}/work.ipynb", "{}"),
        (f"{HOME}/.ipython/profile_nbserver/startup/mine.py", "answer = 42"),
        (f"{HOME}/modulefiles/mine.lua", "-- mine"),
    ],
)
def test_what_is_the_persons_stays(host, path, content):
    assert host.file(path).content_string.strip() == content


def test_of_the_profile_only_what_is_the_persons_is_left(host):
    left = host.check_output(f"find {HOME}/.ipython/profile_nbserver -type f")
    assert left == f"{HOME}/.ipython/profile_nbserver/startup/mine.py"
