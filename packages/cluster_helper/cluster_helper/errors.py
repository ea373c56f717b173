"""The one exception that a person meets, and what it may be inside."""

from __future__ import annotations


class ClusterError(Exception):
    """Says what is wrong and what to do about it, in one line."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(f"{what}: {todo}" if todo else what)

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter show instead of a traceback."""
        return [f"ClusterError: {self}"]


class JobGone(ClusterError):  # noqa: N818 - an end, not an error
    """The scheduler does not know the job any more: it has ended."""
