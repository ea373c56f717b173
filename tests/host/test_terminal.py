"""What is said to the person comes out whole."""

from __future__ import annotations

import os
import signal
from types import FrameType

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("speak", [terminal.say, terminal.warn, terminal.draw])
def test_a_signal_waits_until_a_line_is_out(
    speak: object, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        happened.append("interrupted")

    class Queue:
        """As Ansible's: whoever ends between these two leaves a lock that nobody opens."""

        def display(self, *_text: object, **_more: object) -> None:
            happened.append("locked")
            os.kill(os.getpid(), number)
            happened.append("unlocked")

        warning = display

    monkeypatch.setattr(terminal, "_DISPLAY", Queue())
    before = signal.signal(number, interrupted)
    try:
        assert callable(speak)
        speak("a line")
    finally:
        signal.signal(number, before)
    assert happened == ["locked", "unlocked", "interrupted"]
