"""Something of a stranger lies at every name that the product uses below /tmp.

Each playbook has to do its work all the same: a planted thing costs nothing but its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from people import done, root
from report import Report

from attacks.kinds import KINDS, SHORT, Kind
from attacks.names import LOCAL_NAME, OLD_NAMES, SEEN_PATTERN, Name
from attacks.scene import LOCAL, NODE, STRANGER, UID, VICTIM, evidence, planted, set_up
from attacks.screen import Screen, play

PLAYBOOKS = (
    "doctor", "setup --check", "setup", "start", "doctor", "status", "connect --check",
    "open --check", "restart", "parallel", "stop", "teardown --check", "teardown",
)  # fmt: skip
REMOVED = {"teardown_confirmed": True, "teardown_parts": ["server", "profile"]}
OLD_PLAYBOOKS = ("doctor", "setup", "start")
OLD_KINDS = ("a program", "a link to a file", "a fifo", "a dangling link")
ROUNDS = 7  # more than the product has had names of this kind
SHORT_PLAYBOOKS = ("doctor", "start", "status", "stop")
AT_ONCE = 3  # profiles; more would only wait for each other


@dataclass(frozen=True)
class Planted:
    """A kind at a name. Each is attacked in a profile of its own, so that all lie there at once."""

    kind: Kind
    name: Name
    profile: str = "nbserver"

    @property
    def path(self) -> str:
        return self.name.path.replace("nbserver", self.profile)

    @property
    def label(self) -> str:
        words = f"{self.profile}-{self.kind.called}-{self.name.called}"
        return words.replace(" ", "_").replace("'", "")  # a program of the shell says it

    @property
    def thing(self) -> tuple[str, str, str]:
        return self.kind.called, self.path, self.label

    def __str__(self) -> str:
        return f"{self.kind.called} as {self.name.called}"

    def is_meant_by(self, text: str) -> bool:
        stem = self.path.replace("$(id -u)", str(UID)).replace("$$", "")
        return self.label in text or (stem in text and "$$" not in self.path)


def names_below_tmp(report: Report, *, short: bool = False) -> None:
    """Every kind at the name of the node-local directory, under every playbook."""
    chosen = [
        Planted(kind, LOCAL_NAME, f"kind{number:02}")
        for number, kind in enumerate(KINDS)
        if not short or kind.called in SHORT
    ]
    done("setup")
    set_up()
    with _profiles(chosen):
        _attacked(report, chosen, SHORT_PLAYBOOKS if short else PLAYBOOKS)


def names_of_old(report: Report, *, short: bool = False) -> None:
    """The product has dropped these names; what was dangerous at them stays planted."""
    done("setup")
    done("stop")
    VICTIM.says(f"rm -rf {LOCAL}")
    set_up()
    for kind in KINDS:
        if kind.called in SHORT[-2:] or (
            not short and kind.called in ("a fifo", "a dangling link")
        ):
            chosen = [Planted(kind, name) for name in OLD_NAMES]
            _attacked(report, chosen, OLD_PLAYBOOKS[: 1 if short else None])


def _attacked(report: Report, chosen: Sequence[Planted], playbooks: Sequence[str]) -> None:
    for each in chosen:
        _require_dangerous(each)
    profiles = list(dict.fromkeys(each.profile for each in chosen))
    _require_well("doctor", profiles)
    with planted([each.thing for each in chosen]):
        for line in playbooks:
            screens = _played(line, profiles)
            found = evidence(*(each.path for each in chosen))
            for number, each in enumerate(chosen):
                of_it = [text for text in found if each.is_meant_by(text)]
                common = [text for text in found if not any(e.is_meant_by(text) for e in chosen)]
                blocked = unworkable(screens[each.profile])
                first = common if not number else []
                report.note(
                    str(each), *blocked, *of_it, *first,
                    what=f"{each.kind.called} at a name in /tmp", line=line,
                )  # fmt: skip


def _played(line: str, profiles: Sequence[str]) -> dict[str, Screen]:
    """One playbook for every profile."""

    more = REMOVED if line == "teardown" else {}

    def played(profile: str) -> Screen:
        return play(*line.split(), nbserver_profile_name=profile, **more)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(profiles, pool.map(played, profiles), strict=True))


def _require_well(line: str, profiles: Sequence[str]) -> None:
    """What ends badly without any attack shows nothing under one."""
    for profile, screen in _played(line, profiles).items():
        assert screen.code == 0, f"{line} of {profile}:\n{screen.raw}"


@contextmanager
def _profiles(chosen: Sequence[Planted]) -> Iterator[None]:
    """A profile for each, and nothing of it afterwards."""
    profiles = [each.profile for each in chosen]
    try:
        _require_well("setup", profiles)
        yield
    finally:
        _played("stop", profiles)
        VICTIM.says(f"cd ~/.ipython && rm -rf {' '.join(f'profile_{each}' for each in profiles)}")
        root(NODE, f"rm -rf /tmp/kind[0-9][0-9]-{UID} {SEEN_PATTERN}")


def _require_dangerous(each: Planted) -> None:
    """The attack works against a program that does not look."""
    with planted([each.thing]):
        careless = f"set -- {each.path}; {each.kind.careless}"
        worked = VICTIM.run(f"timeout 20 bash -c '{careless}'", "")
        seen = [*evidence(each.path), *(["blocked"] if worked.returncode else [])]
    assert any(each.kind.shows in line for line in seen), f"{each}: {seen}"


def unworkable(screen: Screen, *, may_fail: bool = False) -> list[str]:
    """What keeps a person from working: a playbook that does not end, or ends badly.

    It may only where something is really wrong, as a doctor has to say.
    """
    if screen.code is None:
        return ["blocked: it does not end"]
    said = [text for text in screen.raw.splitlines() if "ERROR" in text or "FAILED" in text]
    controls = [f"control characters: {' '.join(screen.controls)}"] if screen.controls else []
    failed = screen.code and not may_fail
    return controls + ([f"blocked: {' '.join(said)[:160]}"] if failed else [])


def names_seen(report: Report, *, short: bool = False) -> None:
    """A patient neighbour takes every name that she has ever seen in use."""
    done("setup")
    done("stop")
    set_up()
    root(NODE, f"rm -rf {LOCAL} {SEEN_PATTERN}")
    taken = [LOCAL]
    for round_number in range(2 if short else ROUNDS):
        with planted([("a directory", path, "seen") for path in taken]):
            for line in ("start", "status", "stop"):
                screen = play(line)
                if line == "start":
                    new = STRANGER.says(
                        f"find {SEEN_PATTERN} -prune -user {UID} 2>/dev/null || true"
                    )
                report.note(
                    f"{round_number} seen names taken", *unworkable(screen), *evidence(*taken),
                    what="a directory at every name that was seen", line=line,
                )  # fmt: skip
        root(NODE, f"rm -rf {SEEN_PATTERN}")
        taken += [path for path in new.split() if path not in taken]
