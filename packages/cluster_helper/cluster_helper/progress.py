"""What the person sees while engines come: one line that changes, in notebook and terminal."""

from __future__ import annotations

import sys
from typing import Any, Protocol

_WIDTH = 24


def progress_bar(up: int, asked: int, note: str = "") -> str:
    """`[######      ] 2 of 5 engines  Priority`; why, as long as some are missing."""
    filled = _WIDTH * up // asked
    text = f"[{'#' * filled:{_WIDTH}}] {up} of {asked} engines"
    return f"{text}  {note}" if note and up < asked else text


class Line(Protocol):
    """A line that can change."""

    def show(self, text: str) -> None: ...

    def finish(self) -> None: ...


class NotebookLine:
    """An output of its own, which changes in its place while other things are printed."""

    def __init__(self) -> None:
        self.handle: Any = None

    def show(self, text: str) -> None:
        from IPython.display import display

        bundle = {"text/plain": text}
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self.handle.update(bundle, raw=True)

    def finish(self) -> None:
        return


class TerminalLine:
    """The last line of the terminal, until work begins."""

    def __init__(self) -> None:
        self.shown = ""
        self.finished = False

    def show(self, text: str) -> None:
        if self.finished or text == self.shown:
            return
        sys.stderr.write(f"\r{text:{len(self.shown)}}")
        sys.stderr.flush()
        self.shown = text

    def finish(self) -> None:
        if self.shown and not self.finished:
            sys.stderr.write("\n")
            sys.stderr.flush()
        self.finished = True


class LogLine:
    """Where nobody watches: how many there were when work began."""

    def __init__(self) -> None:
        self.text = ""
        self.finished = False

    def show(self, text: str) -> None:
        self.text = text

    def finish(self) -> None:
        if self.text and not self.finished:
            print(self.text, file=sys.stderr, flush=True)
        self.finished = True


def line() -> Line:
    """The one that fits the place."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None and hasattr(shell, "kernel"):
        return NotebookLine()
    return TerminalLine() if sys.stderr.isatty() else LogLine()
