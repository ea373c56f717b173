"""What the doctor asks of a node leads into no trap that another user of it has laid."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import file_systems
import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.checks import questions
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import question

SCRIPTS = Path(__file__).parents[2] / "plugins/plugin_utils/_node/scripts"
LOOK = SCRIPTS / "doctor" / "look.sh"
SERVER = SCRIPTS / "shared" / "server.sh"
NEIGHBOUR = 64901
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed")


@dataclass
class Victim:
    """An account on this machine whose doctor looks around."""

    home: Path
    uid: int = 64902
    profile: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}")
    path: str = os.environ["PATH"]

    @property
    def local(self) -> Path:
        return Path(f"/tmp/{self.profile}-{self.uid}")

    def shell(self, shell: str = "dash", *behind: str) -> subprocess.Popen[str]:
        """A shell whose pid is known before it is told what to do, as a neighbour may guess it."""
        become = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        clean = ["env", "-i", f"HOME={self.home}", f"PATH={self.path}"]
        argv = [*behind, *become, *clean, shell, *(["sh"] if shell == "busybox" else []), "-s"]
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
        )

    def look(self, shell: subprocess.Popen[str]) -> dict[str, str]:
        """What is seen: name → value."""
        settings = {"PREFIX": "~/none", "PROFILE": self.profile, "MODULE": "m", "PORT": 1,
                    "MODULES": "~/m", "ASKED": "localhost", "LOOK": "",
                    "QUESTIONS": questions(), "OWNER": ""}  # fmt: skip
        asked = question(settings, SERVER, LOOK)
        try:
            said = shell.communicate(asked.program, timeout=60)[0]
        finally:
            shell.kill()
        return {name: values[0] for name, values in asked.answers(said).items()}


@pytest.fixture
def victim() -> Iterator[Victim]:
    home = Path(tempfile.mkdtemp(prefix="look", dir="/tmp"))
    made = Victim(home)
    os.chown(home, made.uid, made.uid)
    yield made
    for path in (home, made.local):
        shutil.rmtree(path, ignore_errors=True)


def planted(path: Path, content: str = "", mode: int = 0o755) -> Path:
    path.write_text(content)
    path.chmod(mode)
    os.chown(path, NEIGHBOUR, NEIGHBOUR)
    return path


@contextlib.contextmanager
def listening(directory: Path, name: str, mode: int = 0o755) -> Iterator[socket.socket]:
    """A directory of the neighbour with a socket where she listens."""
    directory.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(directory / name))
        held.listen(8)
        held.settimeout(0.2)
        (directory / name).chmod(0o777)
        for path in (directory / name, directory):
            os.chown(path, NEIGHBOUR, NEIGHBOUR)
        directory.chmod(mode)
        yield held


def was_asked(held: socket.socket) -> bool:
    try:
        held.accept()[0].close()
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("shell", SHELLS)
def test_a_planted_program_is_never_run(victim: Victim, shell: str) -> None:
    held = victim.shell(shell)
    proof = victim.home / "hijacked"
    trap = Path(f"/tmp/.nbserver-try.{held.pid}.sh")
    planted(trap, f"#!/bin/sh\n: >{proof}\n")
    try:
        assert victim.look(held)["tmp_exec"] == "yes"
    finally:
        trap.unlink(missing_ok=True)
    assert not proof.exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_planted_link_is_never_written_through(victim: Victim, shell: str) -> None:
    thesis = victim.home / "thesis"
    thesis.write_text("three years")
    os.chown(thesis, victim.uid, victim.uid)
    held = victim.shell(shell)
    trap = Path(f"/tmp/.nbserver-try.{held.pid}")
    trap.symlink_to(thesis)
    try:
        assert victim.look(held)["tmp_write"] == "yes"
    finally:
        trap.unlink(missing_ok=True)
    assert thesis.read_text() == "three years"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("mode", [0o755, 0o777, 0o700])
def test_the_tmux_of_a_foreign_directory_is_not_asked(
    victim: Victim, shell: str, mode: int
) -> None:
    with listening(victim.local, "tmux.sock", mode) as held:
        found = victim.look(victim.shell(shell))
        assert not was_asked(held)
    assert (found["local_dir_state"], found["session"]) == ("foreign", "lost")


def test_the_foreign_tmux_of_a_directory_that_was_open_is_not_asked(victim: Victim) -> None:
    with listening(victim.local, "tmux.sock") as held:
        victim.local.chmod(0o700)
        os.chown(victim.local, victim.uid, victim.uid)
        found = victim.look(victim.shell())
        assert not was_asked(held)
    assert (found["local_dir_state"], found["session"]) == ("mixed", "lost")


def test_a_link_to_a_directory_of_ones_own_is_foreign(victim: Victim) -> None:
    victim.local.symlink_to(victim.home)
    try:
        assert victim.look(victim.shell())["local_dir_state"] == "foreign"
    finally:
        victim.local.unlink()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_full_file_system_is_told_and_nothing_is_run(victim: Victim, shell: str) -> None:
    script = 'mount -t tmpfs -o size=64k,mode=1777 none "$1"; head -c 99999 /dev/zero >"$1/x" || :'
    with file_systems.mounted(Path("/tmp"), script) as full:
        found = victim.look(victim.shell(shell, *full.behind))
    assert "No space left" in found["tmp_write"]
    assert "tmp_exec" not in found, "what cannot be written says nothing of noexec"


@pytest.mark.parametrize("owner", ["ours", "a neighbour's"])
def test_a_tmux_beside_python_is_found_as_start_finds_it(victim: Victim, owner: str) -> None:
    """The advice for a node without tmux is to install one there, with conda."""
    programs = victim.home / "programs"
    programs.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name != "tmux":
            (programs / program.name).symlink_to(program)
    beside = victim.home / "none" / "bin"
    beside.mkdir(parents=True)
    tmux = planted(beside / "tmux", "#!/bin/sh\necho tmux 3.9\n")
    mine = [victim.home / "none", beside, *([tmux] if owner == "ours" else [])]
    for path in mine:
        os.chown(path, victim.uid, victim.uid)
    victim.path = str(programs)
    seen = victim.look(victim.shell("/bin/dash"))
    assert seen["tmux"] == ("tmux 3.9" if owner == "ours" else "missing")


# What a login file prints, and what a program that it starts leaves without an end of the line.
NOISE = {
    "an answer": "echo modules=Lmod 99.9; echo module_python=/evil/python; echo module_file=/evil",
    "an answer behind another mark": "echo hpcc-0123456789abcdef modules=Lmod 99.9",
    "an answer at the end": "trap 'echo modules=Lmod 99.9' EXIT",
    "half a line": "printf 'modules=Lmod 99.9 '",
    "control characters": "printf 'x\\rmodules=Lmod 99.9\\fmodules=Lmod 99.9\\n'",
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_what_login_files_print_is_no_answer_about_modules(
    victim: Victim, noise: str, shell: str
) -> None:
    own = "module() { :; }\nLMOD_VERSION=8.7\n_LMFILES_=/a:/b.lua\n"
    (victim.home / "m").mkdir()
    planted(victim.home / "m" / "m.lua", mode=0o644)
    planted(victim.home / ".bash_profile", f"{noise}\n{own}", mode=0o644)
    seen = victim.look(victim.shell(shell))
    assert seen["modules"] == "Lmod 8.7"
    assert seen["module_file"] == "/b.lua"
    assert "evil" not in seen["module_python"]


def test_nothing_stays_behind(victim: Victim) -> None:
    victim.look(victim.shell())
    stays = left(victim)
    time.sleep(3 if stays else 0)  # another run of these tests may be at work with the same number
    assert not stays & left(victim)
    assert list(victim.home.iterdir()) == []


def left(victim: Victim) -> set[Path]:
    mine = set()
    for path in Path("/tmp").glob(".nbserver-try*"):
        with contextlib.suppress(FileNotFoundError):
            mine |= {path} if path.stat().st_uid == victim.uid else set()
    return mine
