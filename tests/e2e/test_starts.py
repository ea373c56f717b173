"""The campaign of `make starts`, as short as it can be: each front end and each transport once."""

from __future__ import annotations

import sys

import pytest
from terminal import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "tests"))

import starts


@pytest.mark.timeout(900)
def test_every_start_that_is_called_one_leads_to_a_login(
    account: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert account == "alice"
    assert starts.campaign(len(starts.WAYS)) == len(starts.WAYS), capsys.readouterr().out
