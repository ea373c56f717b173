"""What a start refuses, in one line, and leaves nothing running."""

import json
import os
import re
import socket
import time

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import MANAGED
from modules import ModuleFailed
from servers import refusal

pytestmark = pytest.mark.timeout(300)  # several starts, on a machine that may be busy
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to act as a second user")


@pytest.mark.fault("F59 of another")
@pytest.mark.threat(3)
def test_a_squatted_port_is_refused_with_its_owner(owner, free_port):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", free_port))
        squatter.listen()
        said = refusal(owner, transport="tcp", port=free_port)
        assert f"127.0.0.1:{free_port}: taken by uid {os.geteuid()} (" in said
        assert not owner.local.exists(), "it was seen before anything was made"


def _lose(name):
    return lambda owner: (owner.directory / name).unlink()


def _write(name, content, mode=0o600):
    return lambda owner: owner.write(owner.directory / name, content, mode)


def _certificate(**options):
    return lambda owner: owner.make_certificate(**options)


def _password(hashed):
    text = json.dumps({"PasswordIdentityProvider": {"hashed_password": hashed}})
    return _write("jupyter_server_config.json", text)


def _mismatch(owner):
    key = (owner.security / "notebook.key").read_bytes()
    owner.make_certificate()
    owner.write(owner.security / "notebook.key", key)


def _fifo(name):
    def replace(owner):
        (owner.directory / name).unlink()
        os.mkfifo(owner.directory / name, 0o600)
        os.chown(owner.directory / name, owner.uid, -1)

    return replace


READ = (
    *("security/notebook.crt", "security/notebook.key", "security/token"),
    *("jupyter_server_config.py", "jupyter_server_config.json"),
)


@pytest.mark.fault("F66 expired, too early", "F67 key", "a FIFO")
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda a: (a.directory).rename(a.home / "away"), "the profile is not ready: missing"),
        (lambda a: a.directory.chmod(0o755), "the profile is not ready: mode 0755"),
        (_lose("security/notebook.crt"), "notebook.crt: No such file"),
        (_lose("security/notebook.key"), "notebook.key: is missing or empty"),
        (_lose("security/token"), "token: is missing or empty"),
        (_lose("jupyter_server_config.py"), "config.py: is missing or empty"),
        (_lose("jupyter_server_config.json"), "config.json: is missing or empty"),
        (_write("security/notebook.crt", "garbage"), "notebook.crt: "),
        (_write("security/notebook.key", "garbage"), "no browser would accept it"),
        (_mismatch, "key values mismatch"),
        *((_fifo(name), f"{name.rpartition('/')[2]}: is not a regular file") for name in READ),
        (
            lambda a: (a.security / "notebook.key").chmod(0o644),
            "others may have read it (mode 0644)",
        ),
        (_certificate(rsa=1024), "ee key too small"),
        (_certificate(days=(-3, -1)), "certificate has expired"),
        (_certificate(days=(1, 3)), "certificate is not yet valid"),
        (_certificate(name="elsewhere.example"), "not valid for 'localhost'"),
        (_write("jupyter_server_config.py", "c = get_config("), "config.py: is damaged"),
        (_write("jupyter_server_config.py", b"c\0"), "config.py: is damaged"),
        (_write("jupyter_server_config.json", '{"PasswordIdentityP'), "config.json: is damaged"),
        (_write("jupyter_server_config.json", "[]"), "config.json: holds no password"),
        (_write("security/token", "cut"), "token: is cut off: 3 bytes of at least 32"),
        (_write("security/cookie_secret", "cut"), "cookie_secret: is cut off"),
        (
            _write("jupyter_server_config.py", f"{MANAGED}\nc = get_config()\n"),
            "its end is missing",
        ),
        (_write("jupyter_server_config.json", b"\xef\xbb\xbf{}"), "config.json: is damaged"),
        (_write("jupyter_server_config.json", "[" * 20000), "config.json: is damaged"),
        (_password("sha1:0:1"), "the stored hash must be argon2id, not an old hash"),
        (_password("argon2:$argon2id$v=19$m=10240"), "the stored hash must be a complete"),
        (
            _write("jupyter_server_config.json", '{"PasswordIdentityProvider": {}}'),
            "config.json: holds no password",
        ),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_damaged_profile_is_refused_before_anything_is_made(owner, damage, said, check):
    damage(owner)
    before = owner.tree()
    message = refusal(owner, check=check)
    assert said in message
    assert message.endswith(("Run setup.yml.", "Move it away"))
    assert owner.tree() == before


@pytest.mark.fault("F69 misspelt option")
@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ("raise RuntimeError('damaged here')", "the server ended: .*damaged here"),
        ("c.ServerApp.pasword = 'x'", "Config option `pasword` not recognized by `ServerApp`"),
        (
            "from jupyter_server.auth.identity import PasswordIdentityProvider as P\n"
            "P.auth_enabled = False\nP.get_user = lambda *_: __import__('jupyter_server.auth')"
            ".auth.User('anybody')",
            "a stranger was answered with 200 instead of 403",
        ),
        (
            "import os\nraise SystemExit(open(os.environ['JUPYTER_TOKEN_FILE']).read())",
            r"the server ended: .*\(token\)",
        ),
    ],
)
def test_a_configuration_that_only_jupyter_can_judge_leaves_no_server(owner, configuration, said):
    config = owner.directory / "jupyter_server_config.py"
    owner.write(config, f"c = get_config()\n{configuration}\n")
    assert re.search(said, refusal(owner))
    assert not (owner.local / "notebook.sock").exists()
    owner.write(config, "c = get_config()\n")
    assert owner.server()["changed"] is True, "without the damage the next start works"


def test_a_server_that_hangs_is_ended_when_its_time_is_up(owner):
    config = owner.directory / "jupyter_server_config.py"
    owner.write(config, "import time\nprint('waiting', flush=True)\ntime.sleep(60)\n")
    began = time.monotonic()
    assert "no answer within 30 seconds: waiting. Give it more time" in refusal(owner, timeout=30)
    assert time.monotonic() - began < 55


def test_modules_that_the_site_does_not_have_are_refused_before_anything_is_made(owner):
    before = owner.tree()
    said = refusal(owner, modules=["no-such-module"])
    assert said.startswith("module load no-such-module: cannot be loaded: ")
    assert owner.tree() == before


@as_root
def test_root_is_refused(owner):
    owner.uid = 0
    assert "must not run as root" in refusal(owner, check=True)


@pytest.mark.fault("F49 no tmux")
def test_without_tmux_nothing_is_made(owner):
    before = owner.tree()
    with pytest.raises(ModuleFailed, match="tmux: no such program on this host"):
        owner.finish(owner.begin(environment={"PATH": "/nonexistent"}))
    assert owner.tree() == before


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"profile": "../x"}, "profile: "),
        ({"profile": ""}, "profile: "),
        ({"session": "a.b:c"}, "session: "),
        ({"session": "#(touch x)"}, "session: "),
        ({"port": 0}, "port: "),
        ({"port": 99999}, "port: "),
        ({"timeout": 0}, "timeout: "),
        ({"frontend": "vim"}, "value of frontend must be one of"),
    ],
)
def test_a_bad_value_is_refused_by_name(owner, params, said):
    assert said in refusal(owner, **params)
