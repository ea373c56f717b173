"""The one exception that a person meets."""

from __future__ import annotations


class ClusterError(Exception):
    """Says what is wrong and what to do about it, in one line."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(f"{what}: {todo}" if todo else what)

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter show instead of a traceback."""
        return [f"ClusterError: {self}"]
