"""The module notebook_password, with real files and verified with Jupyter's own check."""

from __future__ import annotations

import json
import os
import stat
import sys
import unicodedata

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import crypto, password
from ansible_collections.hpcc.notebook.plugins.modules import notebook_password
from jupyter_server.auth.security import passwd, passwd_check, set_password
from modules import ModuleFailed, four_beats, run_module

GOOD = "pä😀 \"'$`\\{{x}}% long"
OTHER = "quite another one"
WEAK_HASH = "argon2:$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"


@pytest.fixture(autouse=True)
def profile(tmp_path, monkeypatch):
    """Where the profile lies in the home directory of a new account."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "alice-of-the-lab")
    return tmp_path / ".ipython" / "profile_nbserver"


@pytest.fixture
def config(profile):
    return profile / "jupyter_server_config.json"


def prepare(config, content: object) -> None:
    """Put a file of Jupyter or of a person there."""
    config.parent.mkdir(parents=True, mode=0o700)
    config.write_text(content if isinstance(content, str) else json.dumps(content))
    config.chmod(0o600)


def stored(config) -> str:
    return str(json.loads(config.read_text())["IdentityProvider"]["hashed_password"])


def test_four_beats(config):
    beats = four_beats(notebook_password, password=GOOD)
    assert beats[1]["reason"] == "no password is stored"
    assert passwd_check(stored(config), GOOD)
    assert not passwd_check(stored(config), OTHER)


def test_four_beats_with_a_hash_made_elsewhere(config):
    hashed = passwd(GOOD)
    four_beats(notebook_password, password_hash=hashed)
    assert stored(config) == hashed


def test_four_beats_of_another_password(config):
    run_module(notebook_password, password=GOOD)
    beats = four_beats(notebook_password, password=OTHER)
    assert beats[1]["reason"] == "the password is another one"
    assert passwd_check(stored(config), OTHER)


def test_a_check_run_changes_nothing_on_the_disk(tmp_path):
    run_module(notebook_password, check=True, password=GOOD)
    assert list(tmp_path.iterdir()) == []


def test_deciding_on_a_new_account_needs_no_cryptography(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert run_module(notebook_password, check=True, password=GOOD)["changed"]
    with pytest.raises(ModuleFailed, match="cannot be imported"):
        run_module(notebook_password, password=GOOD)


def test_a_hash_that_jupyter_itself_wrote_is_recognised(config):
    config.parent.mkdir(parents=True, mode=0o700)
    set_password(GOOD, str(config))
    assert not run_module(notebook_password, password=GOOD)["changed"]
    assert not run_module(notebook_password)["changed"]


@pytest.mark.threat(10)
@pytest.mark.parametrize(
    "weak",
    [passwd(GOOD, "sha1"), WEAK_HASH, WEAK_HASH.replace("argon2id", "argon2i"), "garbage"],
    ids=["sha1", "argon2id with too little memory", "argon2i", "garbage"],
)
def test_a_weak_or_old_hash_is_replaced_even_for_the_same_password(config, weak):
    prepare(config, {"IdentityProvider": {"hashed_password": weak}})
    with pytest.raises(
        ModuleFailed, match=r"nbserver_profile_password: the stored hash (must|is too)"
    ):
        run_module(notebook_password)
    assert "the stored hash" in run_module(notebook_password, password=GOOD)["reason"]
    assert stored(config).startswith("argon2:$argon2id$v=19$m=65536,t=3,p=4$")
    assert not run_module(notebook_password, password=GOOD)["changed"]


@pytest.mark.parametrize("section", ["PasswordIdentityProvider", "ServerApp"])
def test_no_older_place_is_left_to_win_over_the_new_hash(config, section):
    name = "password" if section == "ServerApp" else "hashed_password"
    prepare(config, {section: {name: passwd(OTHER), "kept": 1}, "LabApp": {"x": [1]}})
    run_module(notebook_password, password=GOOD)
    content = json.loads(config.read_text())
    assert content.pop("IdentityProvider").keys() == {"hashed_password"}
    assert content == {section: {"kept": 1}, "LabApp": {"x": [1]}}


def test_every_salt_is_another_one(profile, config):
    run_module(notebook_password, password=GOOD)
    first = stored(config)
    run_module(notebook_password, password=GOOD, profile="other")
    other = profile.with_name("profile_other") / config.name
    assert stored(other) != first


def test_without_any_password_it_says_which_variable_to_set():
    expected = (
        r"^nbserver_profile_password: no password is stored, and none was given\. "
        r"Set it in a vault, or run on a terminal to be asked for it$"
    )
    with pytest.raises(ModuleFailed, match=expected):
        run_module(notebook_password)


def test_a_new_password_comes_with_a_new_cookie_secret_and_an_old_one_keeps_it(profile):
    cookie_secret = profile / "security" / "cookie_secret"
    run_module(notebook_password, password=GOOD)
    first = cookie_secret.read_bytes()
    run_module(notebook_password, password=GOOD)
    assert cookie_secret.read_bytes() == first
    run_module(notebook_password, password=OTHER)
    assert cookie_secret.read_bytes() != first
    assert len(first) == 32


@pytest.mark.fault("F71 interrupted")
def test_interrupted_between_both_files_old_cookies_are_refused_and_the_next_run_finishes(
    profile, config, monkeypatch
):
    run_module(notebook_password, password=GOOD)
    cookie_secret = profile / "security" / "cookie_secret"
    before, write = cookie_secret.read_bytes(), files.write_private

    def killed_at_the_hash(path, content):
        if path.endswith(".json"):
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(files, "write_private", killed_at_the_hash)
    with pytest.raises(KeyboardInterrupt):
        run_module(notebook_password, password=OTHER)
    monkeypatch.setattr(files, "write_private", write)
    assert cookie_secret.read_bytes() != before
    assert passwd_check(stored(config), GOOD)
    assert run_module(notebook_password, password=OTHER)["changed"]
    assert passwd_check(stored(config), OTHER)


@pytest.mark.parametrize("damaged", [b"", b"only a few bytes", bytes(31)])
def test_a_cookie_secret_that_is_cut_off_is_replaced_once(profile, config, damaged):
    run_module(notebook_password, password=GOOD)
    before, cookie_secret = config.read_bytes(), profile / "security" / "cookie_secret"
    cookie_secret.write_bytes(damaged)
    beats = four_beats(notebook_password, password=GOOD)
    assert beats[0]["reason"] == "the cookie secret is cut off"
    assert len(cookie_secret.read_bytes()) == 32
    assert config.read_bytes() == before


def test_a_cookie_secret_that_others_could_read_is_replaced(profile):
    run_module(notebook_password, password=GOOD)
    cookie_secret = profile / "security" / "cookie_secret"
    before = cookie_secret.read_bytes()
    cookie_secret.chmod(0o644)
    assert run_module(notebook_password)["reason"] == "cookie secret: mode 0644"
    assert cookie_secret.read_bytes() != before


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_everything_is_private_whatever_the_umask(profile, umask):
    previous = os.umask(umask)
    try:
        run_module(notebook_password, password=GOOD)
    finally:
        os.umask(previous)
    for path in (profile, *profile.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert (path.name, stat.S_IMODE(path.lstat().st_mode)) == (path.name, wanted)


def test_a_file_that_others_can_read_is_narrowed_without_a_new_hash(config):
    run_module(notebook_password, password=GOOD)
    hashed = stored(config)
    config.chmod(0o644)
    assert run_module(notebook_password, password=GOOD)["reason"] == "mode 0644"
    assert (stored(config), stat.S_IMODE(config.stat().st_mode)) == (hashed, 0o600)


def test_an_empty_file_of_a_full_disk_is_healed(config):
    prepare(config, "")
    run_module(notebook_password, password=GOOD)
    assert passwd_check(stored(config), GOOD)


@pytest.mark.parametrize("damaged", ['{"IdentityProvider": {', "[]", "12", "[" * 100_000])
def test_a_damaged_file_is_refused_and_kept(config, damaged):
    prepare(config, damaged)
    with pytest.raises(ModuleFailed, match=r"is not a JSON object\. Repair it or move it away$"):
        run_module(notebook_password, password=GOOD)
    assert config.read_text() == damaged


def test_a_symbolic_link_in_the_place_of_the_file_is_refused(config, tmp_path):
    config.parent.mkdir(parents=True, mode=0o700)
    (tmp_path / "victim").write_text("{}")
    config.symlink_to(tmp_path / "victim")
    with pytest.raises(ModuleFailed, match="is a symbolic link"):
        run_module(notebook_password, password=GOOD)
    assert (tmp_path / "victim").read_text() == "{}"


@pytest.mark.fault("64 NFC, NFD")
def test_letters_are_composed_as_browsers_send_them(config):
    typed = "é combining accents é"
    apart = unicodedata.normalize("NFD", typed)
    warned = run_module(notebook_password, password=apart)
    assert "has accented letters" in str(warned["warnings"])
    assert passwd_check(stored(config), unicodedata.normalize("NFC", typed))
    assert not run_module(notebook_password, password=unicodedata.normalize("NFC", typed))[
        "changed"
    ]


@pytest.mark.fault("62 spaces")
def test_spaces_around_it_are_named_and_dropped_as_jupyter_drops_them(config):
    result = run_module(notebook_password, password=f" {OTHER} ")
    assert "a space, which Jupyter's login page ignores" in str(result["warnings"])
    assert passwd_check(stored(config), OTHER)
    assert not run_module(notebook_password, password=OTHER)["changed"]


def test_neither_password_nor_hash_is_in_result_or_diff(config):
    result = str(run_module(notebook_password, password=OTHER))
    assert OTHER not in result
    assert stored(config) not in result


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"password": ""}, "password: must have at least 12 characters"),
        ({"password": "elevenchars"}, "password: must have at least 12 characters, has 11"),
        ({"password": "password1234"}, "password: is one of the passwords that are tried first"),
        ({"password": "alice-of-the-lab"}, "password: must not be the name of the user"),
        ({"password": "my-long-profile", "profile": "my-long-profile"}, "must not be the name"),
        ({"password": "  eleven char  "}, "password: must have at least 12 characters, has 11"),
        ({"password": "long enough and a line end\n"}, "password: must not contain line ends"),
        ({"password": "long enough\nbut two lines"}, "password: must not contain line ends"),
        ({"password": "long enough but \udc80 broken"}, "password: must be valid Unicode text"),
        (
            {"password_hash": "sha1:0e112c3ddfce:a68df677475c2b47b6e86d0467eec97ac5f4b85a"},
            "argon2id",
        ),
        ({"password_hash": WEAK_HASH}, "password_hash: is too weak"),
        ({"password_hash": WEAK_HASH.replace("argon2id", "argon2d")}, "password_hash: must be"),
        ({"password_hash": WEAK_HASH.replace("m=8", "m=4194304")}, "password_hash: costs too much"),
        ({"password": GOOD, "password_hash": passwd(GOOD)}, "mutually exclusive"),
        ({"password": GOOD, "profile": ".."}, "profile: must be a name"),
    ],
)
def test_bad_input_is_refused_before_any_change_and_never_shown(tmp_path, option, message):
    with pytest.raises(ModuleFailed) as failure:
        run_module(notebook_password, **option)
    assert message in str(failure.value)
    assert list(tmp_path.iterdir()) == []


def test_four_beats_of_removal_keep_what_is_not_ours(config, profile):
    run_module(notebook_password, password=GOOD)
    content = {**json.loads(config.read_text()), "LabApp": {"x": {}}}
    config.write_text(json.dumps(content))
    four_beats(notebook_password, state="absent")
    assert json.loads(config.read_text()) == {"LabApp": {"x": {}}}
    assert list((profile / "security").iterdir()) == []


def test_our_verification_agrees_with_jupyters():
    hashed = passwd(GOOD)
    assert crypto.verify_password(password.parse(hashed), GOOD)
    assert not crypto.verify_password(password.parse(hashed), OTHER)
