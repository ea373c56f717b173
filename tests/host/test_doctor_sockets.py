"""The doctor speaks to no socket of another user, not even a greeting."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import inside
from ansible_collections.hpcc.notebook.plugins.module_utils._server import probe


@pytest.mark.parametrize("whose", ["ours", "a neighbour's"])
def test_a_greeting_is_for_a_socket_of_ones_own(
    whose: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "notebook.sock")
    if whose != "ours":
        monkeypatch.setattr(probe, "peer", lambda _connection: (1, os.geteuid() + 1))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        inside.shown(SimpleNamespace(transport="socket", socket=path, port=0))
        heard = listener.accept()[0].recv(4096)
    assert bool(heard) == (whose == "ours")
    assert "served_error=" in capsys.readouterr().out
