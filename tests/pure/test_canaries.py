"""The search for secrets finds them in every form; otherwise it would show nothing."""

from __future__ import annotations

import base64
import json
import sys
import urllib.parse
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "safety"))
from canaries import found

SECRET = 'pä"ss/wörd & ünd mehr'


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps({"password": SECRET}),
        json.dumps({"password": SECRET}, ensure_ascii=False),
        json.dumps(json.dumps({"password": SECRET})),
        f"https://x/?token={urllib.parse.quote(SECRET)}",
        f"https://x/?token={urllib.parse.quote(SECRET, safe='')}",
        f"password={urllib.parse.quote_plus(SECRET)}&x=y",
        repr({"password": SECRET}),
        repr(SECRET.encode()),
        SECRET.encode().hex(),
        *(base64.b64encode(b"user:xyz"[:n] + SECRET.encode() + b"\n").decode() for n in range(6)),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_found_in_this_form(text):
    assert found({"password": SECRET.encode()}, {"a log": text.encode()}) == ["password in a log"]


def test_nothing_is_found_where_nothing_is():
    harmless = json.dumps({"password": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "x": SECRET[:8]})
    assert found({"password": SECRET.encode()}, {"a log": harmless.encode()}) == []
