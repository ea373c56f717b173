"""The balanced view of `cluster_view`, whose `map` is quick with tiny calls, too.

A message to an engine and its answer cost some milliseconds. Calls that take less go in batches,
as many as take a hundredth of a second together; what takes longer goes one by one. How long
they take is measured, and an engine gives back what turns out to take longer, so that no engine
waits while another has more than one call before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol

from ipyparallel import AsyncResult, LoadBalancedView
from ipyparallel.error import RemoteError, collect_exceptions, unwrap_exception
from ipyparallel.serialize import PrePickled

from cluster_helper.batch import work_off
from cluster_helper.request import Request

_WORTH = 0.01  # seconds of work for which a message pays
_MOST_CALLS, _MOST_BYTES = 100, 2**20  # in one batch
_WORK_OFF = PrePickled(work_off)
_REMEMBERED = 20  # messages from which the duration of a call is estimated


@dataclass(frozen=True)
class Cost:
    """What a message has taken."""

    calls: int
    seconds: float
    """On the engine, from unpacking to packing."""
    bytes: int
    """Of the arguments."""


def batch_size(costs: Collection[Cost], waiting: int, engines: int) -> int:
    """How many of the waiting calls go into the next message; one while nothing is known. Pure."""
    calls = sum(cost.calls for cost in costs)
    if not calls:
        return 1
    seconds = sum(cost.seconds for cost in costs) / calls
    size = sum(cost.bytes for cost in costs) / calls
    share = -(-waiting // engines)
    most = min(_WORTH / max(seconds, 1e-6), _MOST_BYTES / max(size, 1), _MOST_CALLS, share)
    return max(1, int(most))


class Cluster(Protocol):
    """What a view has to know about its engines."""

    request: Request

    def refuse_without_engines(self) -> None:
        """Raise ClusterError when there will be none any more."""


class BalancedView(LoadBalancedView):  # type: ignore[misc]
    """ipyparallel's view of all engines, each of which gets work when it has none."""

    cluster: Cluster

    def map(
        self,
        f: Callable[..., Any],
        *sequences: Any,
        block: bool | None = None,
        chunksize: int | None = None,
        **options: Any,
    ) -> Any:
        """The results of `f` for the elements of one or more sequences, as a list.

        With `block=False`, `chunksize` or another option it is ipyparallel's own `map`.
        """
        if not sequences:
            raise TypeError("map needs a function and at least one sequence")
        waits = self.block if block is None else block
        if waits and chunksize is None and not options:
            return Mapping(self, f, sequences).results()
        result = super().map(f, *sequences, block=False, chunksize=chunksize or 1, **options)
        return result.get() if waits and isinstance(result, AsyncResult) else result

    def _really_apply(self, *arguments: Any, **options: Any) -> Any:
        """Nothing is sent when nobody will ever take it."""
        self.cluster.refuse_without_engines()
        sent = super()._really_apply(*arguments, **options)
        self.cluster.refuse_without_engines()
        return sent


class Mapping:
    """One call of `map` that waits for its results."""

    def __init__(
        self, view: BalancedView, function: Callable[..., Any], sequences: Iterable[Iterable[Any]]
    ) -> None:
        self.view = view
        self.function = PrePickled(function)
        self.name = getattr(function, "__name__", str(function))
        self.calls = list(zip(*sequences, strict=False))
        self.waiting = deque(range(len(self.calls)))
        self.failed: deque[int] = deque()
        """Those that are to be tried again, each alone."""
        self.found: dict[int, Any] = {}
        self.errors: dict[int, Exception] = {}
        self.arrived: SimpleQueue[tuple[AsyncResult, list[int], int]] = SimpleQueue()
        self.under_way = 0
        self.costs: deque[Cost] = deque(maxlen=_REMEMBERED)

    def results(self) -> list[Any]:
        """All of them, in order. Errors are raised when every other call has been made, too."""
        while self.failed or self.waiting or self.under_way:
            while (self.failed or self.waiting) and self.under_way < 2 * self._engines():
                self._send_next()
            self._receive(*self.arrived.get())
        self._raise_errors()
        return [self.found[number] for number in range(len(self.calls))]

    def _engines(self) -> int:
        """Those that are up, and those that may come at any moment."""
        return max(self.view.cluster.request.count, len(self.view.client.ids))

    def _send_next(self) -> None:
        if self.failed:
            return self._send_one(self.failed.popleft(), self.view.retries - 1)
        size = batch_size(self.costs, len(self.waiting), self._engines())
        if size == 1:
            return self._send_one(self.waiting.popleft(), self.view.retries)
        numbers = [self.waiting.popleft() for _each in range(size)]
        arguments = map(list, zip(*(self.calls[number] for number in numbers), strict=True))
        return self._send(numbers, _WORK_OFF, [self.function, *map(PrePickled, arguments)])

    def _send_one(self, number: int, retries: int) -> None:
        self._send([number], self.function, list(map(PrePickled, self.calls[number])), retries)

    def _send(
        self, numbers: list[int], function: PrePickled, arguments: list[PrePickled],
        retries: int | None = None,
    ) -> None:  # fmt: skip
        answer = self.view._really_apply(function, arguments, {}, block=False, retries=retries)
        size = sum(memoryview(part).nbytes for each in arguments for part in each.buffers)
        self.under_way += 1
        answer.add_done_callback(lambda _done: self.arrived.put((answer, numbers, size)))

    def _receive(self, answer: AsyncResult, numbers: list[int], size: int) -> None:
        self.under_way -= 1
        try:
            reply = answer.get()
        except Exception as error:  # whatever the function raised, and what became of the engine
            self.errors[numbers[0]] = error
            return
        failure, *results = (None, reply) if len(numbers) == 1 else reply
        self.found.update(zip(numbers, results, strict=False))
        left = numbers[len(results) :]
        if failure is not None:
            self._failed(left.pop(0), unwrap_exception(failure))
        self.waiting.extendleft(reversed(left))
        made = len(numbers) - len(left)
        self.costs.append(Cost(made, answer.serial_time, size * made // len(numbers)))

    def _failed(self, number: int, error: Exception) -> None:
        """In a batch, where ipyparallel does not see it and cannot try again."""
        if self.view.retries:
            self.failed.append(number)
        else:
            self.errors[number] = error

    def _raise_errors(self) -> None:
        errors = [self.errors[number] for number in sorted(self.errors)]
        for error in errors:
            if not isinstance(error, RemoteError):
                raise error
        collect_exceptions(errors, self.name)
