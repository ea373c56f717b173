"""Deciding on a certificate, as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import certificate

NOW = datetime(2026, 7, 18, 12, tzinfo=UTC)
WANTED = certificate.Wanted("ec", 256, certificate.names_for([]), 365, 30)
FOUND = certificate.Found(
    key_type="ec",
    key_size=256,
    names=WANTED.names,
    not_before=NOW - timedelta(days=100, hours=1),
    not_after=NOW + timedelta(days=265),
    key_matches=True,
    for_server=True,
    fingerprint="3F:A2",
)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (FOUND, None),
        ("notebook.key: missing", "notebook.key: missing"),
        (replace(FOUND, key_matches=False), "key and certificate do not belong together"),
        (replace(FOUND, key_type="rsa", key_size=1024), "the key is rsa 1024, not ec 256"),
        (replace(FOUND, key_size=384), "the key is ec 384, not ec 256"),
        (
            replace(FOUND, names=frozenset()),
            "the names are none, not DNS:localhost, IP:127.0.0.1, IP:::1",
        ),
        (replace(FOUND, for_server=False), "it is not a certificate for a server"),
        (replace(FOUND, digest="sha1"), "it is signed by sha1, which browsers refuse"),
        (
            replace(FOUND, not_before=NOW - timedelta(days=200)),
            "it is valid for longer than 365 days",
        ),
        (
            replace(FOUND, not_before=NOW + timedelta(seconds=1)),
            "it is not valid before 2026-07-18 12:00 UTC",
        ),
        (replace(FOUND, not_after=NOW + timedelta(days=30)), None),
        (
            replace(FOUND, not_after=NOW + timedelta(days=30) - timedelta(seconds=1)),
            "it expires in 29 days",
        ),
        (replace(FOUND, not_after=NOW), "it expires in 0 days"),
        (replace(FOUND, not_after=NOW - timedelta(seconds=1)), "it has expired"),
    ],
)
def test_every_reason_is_named(found, reason):
    assert certificate.why_renew(found, WANTED, NOW) == reason


def test_names_are_typed_in_one_spelling_and_once():
    names = certificate.names_for(["LAB.example.org", "10.0.0.7", "0:0:0:0:0:0:0:1", "localhost"])
    assert names == {
        "DNS:lab.example.org",
        "DNS:localhost",
        "IP:10.0.0.7",
        "IP:127.0.0.1",
        "IP:::1",
    }


@pytest.mark.parametrize(
    ("kind", "size", "days", "renew_days", "reason"),
    [
        ("ec", 256, 365, 30, None),
        ("rsa", 3072, 31, 30, None),
        ("ec", 256, 30, 30, "renew_days (30) must be less than days (30)"),
        (
            "rsa",
            1024,
            365,
            30,
            "key_size must be 2048 or 3072 or 4096 for the key type rsa, got 1024",
        ),
        ("ec", 2048, 365, 30, "key_size must be 256 or 384 for the key type ec, got 2048"),
    ],
)
def test_options_that_do_not_go_together_are_named(kind, size, days, renew_days, reason):
    assert certificate.why_unfit(kind, size, days, renew_days) == reason


def test_the_intention_says_nothing_that_differs_from_run_to_run():
    expected = "key: ec 256\nnames: DNS:localhost, IP:127.0.0.1, IP:::1, self-signed\n"
    expected += "new, valid for 365 days\n"
    assert certificate.intention(WANTED) == expected
