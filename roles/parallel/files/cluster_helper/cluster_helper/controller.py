"""ipyparallel's controller with one habit changed: `python -m cluster_helper.controller`.

It tries a failed task again on another engine, and where every engine has tried already it waits
for a new one to come: for ever, as a rule. Here the engines that are there get another try.
"""

from __future__ import annotations

from typing import Any

from ipyparallel.controller import app
from ipyparallel.controller.task_scheduler import TaskScheduler


class PatientScheduler(TaskScheduler):  # type: ignore[misc]
    """The scheduler of tasks."""

    def maybe_run(self, job: Any) -> bool:
        tried_again = self.retries.get(job.msg_id, 0) < job.metadata.get("retries", 0)
        if tried_again and job.blacklist.issuperset(self.targets):
            job.blacklist.clear()
        return bool(super().maybe_run(job))


def main() -> None:
    app.TaskScheduler = PatientScheduler
    app.main()


if __name__ == "__main__":
    main()
