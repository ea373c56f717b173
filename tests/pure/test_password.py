"""Where Jupyter keeps a password and when it changes, as tables."""

from __future__ import annotations

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import password
from hypothesis import given
from hypothesis import strategies as st

GOOD = "argon2:$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"
OURS, FIRST = "IdentityProvider", "PasswordIdentityProvider"
JSON = st.dictionaries(
    st.sampled_from([OURS, FIRST, "ServerApp", "LabApp"]),
    st.dictionaries(st.sampled_from(["hashed_password", "password", "x"]), st.text() | st.none())
    | st.integers()
    | st.none(),
)


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({}, ""),
        ({OURS: {}}, ""),
        ({OURS: None}, ""),
        ({OURS: {"hashed_password": ""}}, ""),
        ({OURS: {"hashed_password": GOOD}}, GOOD),
        ({OURS: {"hashed_password": "b"}, FIRST: {"hashed_password": "a"}}, "a"),
        ({"ServerApp": {"password": "c"}, OURS: {"hashed_password": "b"}}, "b"),
        ({"ServerApp": {"password": "c"}}, "c"),
    ],
)
def test_the_hash_that_jupyter_would_use_is_found(config, found):
    assert password.stored_hash(config) == found


@given(config=JSON)
def test_a_new_hash_is_the_only_one_and_the_rest_is_kept(config):
    changed = password.with_hash(config, GOOD)
    assert password.stored_hash(changed) == GOOD
    assert password.stored_hash(password.without_hash(changed)) == ""
    assert str(changed).count(GOOD) == 1
    for section, content in config.items():
        if section == "LabApp":
            assert changed[section] == content
        elif isinstance(content, dict) and "x" in content:
            assert changed[section]["x"] == content["x"]


@pytest.mark.parametrize(
    ("stored", "matches", "reason"),
    [
        ("", True, "no password is stored"),
        (GOOD, True, None),
        (GOOD, False, "the password is another one"),
        ("sha1:0e112c3ddfce:a68df6", True, "the stored hash must be argon2id, not an old hash"),
        (GOOD.replace("65536,t=3", "8,t=1"), True, "the stored hash is too weak with m=8,t=1,p=4"),
        (GOOD.replace("argon2id", "argon2i"), True, "the stored hash must be"),
    ],
)
def test_every_reason_is_named(stored, matches, reason):
    found = password.why_change(stored, lambda _stored: matches)
    assert (found or "").startswith(reason or "")
    assert (found is None) == (reason is None)


@given(salt=st.binary(min_size=8, max_size=64), digest=st.binary(min_size=16, max_size=64))
def test_a_hash_taken_apart_and_put_together_is_the_same(salt, digest):
    one = password.Hash(password.Cost(19456, 2, 1), salt, digest)
    assert password.parse(str(one)) == one


def test_what_is_no_hash_is_not_taken_apart():
    with pytest.raises(NotebookError, match="is not an argon2id hash"):
        password.parse("argon2:$argon2id$v=19$m=8")


@pytest.mark.parametrize(
    ("given_text", "arrives"),
    [("e\u0301te\u0301", "\u00e9t\u00e9"), ("\u00e9", "\u00e9"), (" a b ", "a b"), ("ﬁ", "ﬁ")],
)
def test_it_arrives_as_browser_and_jupyter_pass_it_on(given_text, arrives):
    assert password.arriving(given_text) == arrives
