"""A profile that was made under another name of the home is neither rewritten nor started."""

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.home import refuse_other_home
from ansible_collections.hpcc.notebook.plugins.modules import ipython_profile
from modules import ModuleFailed, run_module
from servers import refusal

HOMES = ["/home/carol", "/home/o'neil", '/home/"q"', "/home/é", "/net/a b/carol"]


def written(home, **options):
    return profile.server_config(profile.Layout(home, "nb"), "~", options).encode()


@pytest.mark.parametrize("home", HOMES)
def test_the_home_that_a_profile_was_made_in_is_told_from_another(home):
    path = profile.Layout(home, "nb").at(profile.SERVER_CONFIG)
    refuse_other_home(path, written(home))
    with pytest.raises(NotebookError) as refused:
        refuse_other_home(path, written("/users/carol"))
    assert f"called /users/carol; on this host it is {home}" in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"c = 1\n", b"c.ServerApp.certfile = 'x\n", b"c.ServerApp.certfile = '\\x'\n",
     b"c.ServerApp.certfile = '/etc/ssl/site.crt'\n"],
)  # fmt: skip
def test_a_configuration_that_says_nothing_of_a_home_is_not_judged(content):
    refuse_other_home("/home/carol/.ipython/profile_nb/jupyter_server_config.py", content)


def test_setup_does_not_rewrite_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run_module(ipython_profile)
    config = tmp_path / ".ipython" / "profile_nbserver" / profile.SERVER_CONFIG
    before = config.read_text().replace(str(tmp_path), "/users/carol")
    config.write_text(before)
    with pytest.raises(ModuleFailed, match=f"called /users/carol; on this host it is {tmp_path}"):
        run_module(ipython_profile)
    assert config.read_text() == before
    for home in (
        f"{tmp_path}/",
        f"/{tmp_path}",
        f"{tmp_path}/.",
    ):  # as a list of accounts may write it
        config.write_text(before.replace("/users/carol", str(tmp_path)))
        monkeypatch.setenv("HOME", home)
        assert not run_module(ipython_profile)["changed"], home
    config.unlink()
    assert run_module(ipython_profile)["changed"]


def test_start_refuses_it_and_names_both(owner):
    text = profile.server_config(profile.Layout("/users/carol", owner.profile), "~", {})
    owner.write(owner.directory / profile.SERVER_CONFIG, text)
    said = refusal(owner)
    assert f"called /users/carol; on this host it is {owner.home}" in said
