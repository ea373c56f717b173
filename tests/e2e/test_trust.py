"""A browser that warns of nothing once it was told, and warns again when that is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import trust
from connecting import GREETING, VARIABLES, connecting
from https_page import visit
from terminal import playbook

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(1500)
WARNING = "ERR_CERT_AUTHORITY_INVALID"


@pytest.fixture
def kept(serving: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A computer of its own, and what setup is given; the others get their certificate back."""
    assert serving
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "home").mkdir()
    yield ["-e", VARIABLES, "-e", "nbserver_profile_authority_kept=true"]
    playbook("setup", "-e", VARIABLES)


@pytest.mark.threat(22)
def test_a_browser_is_told_once_and_told_back(
    options: list[str], kept: list[str], local_port: int
) -> None:
    assert "nbserver_trust=true" in playbook("setup", *kept)
    with connecting(*options) as terminal:
        terminal.expect(GREETING)
        assert WARNING in visit(local_port)
    with connecting(*options, "-e", "nbserver_trust=true") as terminal:
        terminal.expect(trust.NEWLY)
        assert visit(local_port) == "200"
    renewed = playbook(
        "setup", *kept, "-e",
        "nbserver_profile_certificate_days=396 nbserver_profile_certificate_renew_days=395",
    )  # fmt: skip
    assert "certificate: it expires in" in renewed
    with connecting(*options) as terminal:
        terminal.expect(GREETING)
        assert visit(local_port) == "200", "a new certificate, and nobody was told anything"
    with connecting(*options, "-e", "nbserver_trust=false", name="open") as terminal:
        terminal.expect(trust.TAKEN_BACK)
        assert WARNING in visit(local_port)
