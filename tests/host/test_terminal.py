"""What is said to the person comes out whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.person import Person


def test_no_line_of_another_host_gets_between_those_of_one(monkeypatch) -> None:
    """Each host of a play has a process of its own, and they speak at any time."""
    written: list[str] = []
    monkeypatch.setattr(terminal._DISPLAY, "display", lambda text, **_more: written.append(text))
    Person().tell("a report", "of two\x1b\nand three lines")
    terminal.say()
    assert written == ["a report\nof two?\nand three lines"]


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
            # The process of a task has no other thread that could get it.
            signal.pthread_kill(threading.get_ident(), number)
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
