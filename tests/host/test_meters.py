"""What processes use of what they may: cgroups of this kernel, limits of this kernel."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import meters, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._server.usage import measured

MIB = 1 << 20
LIMIT = 128 * MIB
# Where each version is mounted here, and what its limit is called.
PLACES = {
    Path("/sys/fs/cgroup/memory"): "memory.limit_in_bytes",
    Path("/sys/fs/cgroup"): "memory.max",
}
OCCUPIES = f"held = bytearray(40 * {MIB}); print('ready', flush=True); import sys; sys.stdin.read()"


@contextmanager
def limited() -> Iterator[Path]:
    """A cgroup with a limit, of whichever version this kernel has; one that has none in it."""
    for top, name in PLACES.items():
        outer = top / f"test-{secrets.token_hex(4)}"
        try:
            outer.mkdir()
        except OSError:
            continue
        inner = outer / "inner"
        try:
            if (outer / name).exists():
                (outer / name).write_text(str(LIMIT))
                inner.mkdir()
                yield inner
                return
        finally:
            for directory in (inner, outer):
                if directory.exists():
                    directory.rmdir()
    pytest.skip("no cgroup can be made here")


@contextmanager
def running(*argv: str) -> Iterator[subprocess.Popen[str]]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(argv, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def test_memory_is_told_against_the_limit_of_the_cgroup_that_is_met_first() -> None:
    with limited() as inner:
        into = f"open('{inner}/cgroup.procs', 'w').write('0'); {OCCUPIES}"
        with running(sys.executable, "-c", into) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            found, usage = meters.memory(process.pid), measured(process.pid, said=4 * LIMIT)
        deadline = time.monotonic() + 10
        while (inner / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert found
    assert found.limit == usage.memory_limit == LIMIT
    assert 40 * MIB <= found.used < LIMIT
    assert usage.memory > 40 * MIB


def test_a_scheduler_that_grants_less_than_the_cgroup_is_believed() -> None:
    with limited() as inner:
        into = f"open('{inner}/cgroup.procs', 'w').write('0'); {OCCUPIES}"
        with running(sys.executable, "-c", into) as process:
            assert process.stdout
            process.stdout.readline()
            usage = measured(process.pid, said=LIMIT // 2)
        time.sleep(0.5)
    assert usage.memory_limit == LIMIT // 2
    assert usage.memory_used == usage.memory


def tree(top: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(content)


SLURM = "system.slice/slurmstepd.scope/job_5"


@pytest.mark.parametrize(
    ("line", "files", "found"),
    [
        (
            f"0::/{SLURM}/step_batch/user/task_0",
            {
                f"{SLURM}/memory.max": f"{300 * MIB}\n",
                f"{SLURM}/memory.current": f"{200 * MIB}\n",
                f"{SLURM}/memory.stat": f"anon 7\ninactive_file {50 * MIB}\nactive_file 3\n",
                f"{SLURM}/step_batch/user/memory.max": "max\n",
                f"{SLURM}/step_batch/user/memory.current": "5\n",
            },
            meters.Memory(150 * MIB, 300 * MIB),
        ),
        (
            "4:memory:/slurm/uid_7/job_5/step_batch",
            {
                "memory/slurm/uid_7/job_5/memory.limit_in_bytes": f"{300 * MIB}\n",
                "memory/slurm/uid_7/job_5/memory.usage_in_bytes": f"{90 * MIB}\n",
                "memory/slurm/uid_7/memory.limit_in_bytes": "9223372036854771712\n",
                "memory/slurm/uid_7/memory.usage_in_bytes": f"{900 * MIB}\n",
            },
            meters.Memory(90 * MIB, 300 * MIB),
        ),
        (
            "0::/user.slice/user-7.slice/session-1.scope",
            {"user.slice/user-7.slice/memory.max": "max", "user.slice/memory.current": "1"},
            None,
        ),
        ("0::/../../outside", {"memory.max": "1000", "memory.current": "?"}, None),
        ("0::/", {}, None),
    ],
    ids=["slurm, version 2", "slurm, version 1", "no limit", "another namespace", "nothing"],
)
def test_cgroups_are_read_in_both_versions(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    files: dict[str, str],
    found: meters.Memory | None,
) -> None:
    tree(tmp_path / "cgroup", files)
    tree(tmp_path / "proc", {"7/cgroup": f"{line}\n"})
    monkeypatch.setattr(meters, "MOUNTED", tmp_path / "cgroup")
    monkeypatch.setattr(processes, "PROC", tmp_path / "proc")
    assert meters.memory(7) == found


def test_cpu_time_is_told_of_the_process_that_is_nearest_to_its_limit() -> None:
    busy = "import time; print('ready', flush=True)\nwhile time.process_time() < 60: pass"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    limits = "--cpu=2000:4000"
    with running("prlimit", limits, sys.executable, "-c", child) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 60
        while (usage := measured(process.pid)).cpu_used < 1 and time.monotonic() < deadline:
            time.sleep(0.1)
        (busy_one,) = processes.children(process.pid)
        assert processes.family(process.pid) == [process.pid, busy_one.pid]
        os.kill(busy_one.pid, 9)
    assert (usage.cpu_limit, usage.cpu_hard) == (2000, 4000)
    assert usage.cpu_used >= 1


@pytest.mark.parametrize(
    ("of_kernel", "said", "both"),
    [
        (["--cpu=2000:4000"], 1500, (1500, 1500)),
        (["--cpu=2000:4000"], 3000, (2000, 4000)),
        (["--cpu=2000:4000"], 0, (2000, 4000)),
        ([], 7200, (7200, 7200)),
        ([], 0, (0, 0)),
    ],
    ids=["sooner", "later", "not said", "alone", "no limit"],
)
def test_a_site_may_end_processes_by_a_rule_that_the_kernel_does_not_know(
    of_kernel: list[str], said: int, both: tuple[int, int]
) -> None:
    argv = ["prlimit", "--nofile=64", *of_kernel, "sh", "-c", "echo ready; exec sleep 60"]
    with running(*argv) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        usage = measured(process.pid, cpu_said=said)
    assert (usage.cpu_limit, usage.cpu_hard) == both


def test_a_process_that_is_gone_uses_nothing() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert processes.cpu_seconds(gone.pid) == 0
    assert processes.cpu_limits(gone.pid) == (0, 0)
    assert meters.memory(gone.pid) is None
