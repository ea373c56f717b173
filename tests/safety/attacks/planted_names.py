"""Something of a stranger lies at every name that the product uses below /tmp.

Each playbook has to do its work all the same: a planted thing costs nothing but its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from people import done, root
from report import Report

from attacks.kinds import KINDS, SHORT, Kind
from attacks.names import NAMES, SEEN_PATTERN, Name
from attacks.scene import LOCAL, NODE, STRANGER, UID, VICTIM, evidence, planted, set_up
from attacks.screen import Screen, play

PLAYBOOKS = (
    "doctor", "setup --check", "setup", "start", "doctor", "status", "connect --check", "restart",
    "parallel", "stop", "teardown --check",
)  # fmt: skip
ROUNDS = 7  # more than the product has had names of this kind
SHORT_PLAYBOOKS = ("doctor", "start", "status", "stop")


def names_below_tmp(report: Report, *, short: bool = False) -> None:
    """Every kind at every name, under every playbook."""
    done("setup")
    for kind in KINDS:
        if not short or kind.called in SHORT:
            _attacked(report, kind, SHORT_PLAYBOOKS if short else PLAYBOOKS)


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
                what = f"{round_number} seen names taken, {line}"
                report.note(what, *unworkable(screen, line), *evidence(*taken))
        root(NODE, f"rm -rf {SEEN_PATTERN}")
        taken += [path for path in new.split() if path not in taken]


def _attacked(report: Report, kind: Kind, playbooks: Sequence[str]) -> None:
    done("stop")
    VICTIM.says(f"rm -rf {LOCAL}")
    set_up()
    things = [(kind.called, name.path, _label(kind, name)) for name in NAMES]
    paths = [name.path for name in NAMES]
    for name in NAMES:
        _require_dangerous(kind, name)
    with planted(things):
        for line in playbooks:
            screen = play(*line.split())
            found = [*unworkable(screen, line), *evidence(*paths)]
            for name in NAMES:
                of_it = [text for text in found if _speaks_of(text, name, kind)]
                report.note(f"{kind.called} as {name.called}, {line}", *of_it)


def _require_dangerous(kind: Kind, name: Name) -> None:
    """The attack works against a program that does not look."""
    with planted([(kind.called, name.path, _label(kind, name))]):
        careless = f"set -- {name.path}; {kind.careless}"
        worked = VICTIM.run(f"timeout 20 bash -c '{careless}'", "")
        seen = [*evidence(name.path), *(["blocked"] if worked.returncode else [])]
    assert any(kind.shows in line for line in seen), f"{kind.called} as {name.called}: {seen}"


def unworkable(screen: Screen, line: str) -> list[str]:
    """What keeps a person from working: a playbook that does not end, or ends badly.

    The doctor may end badly: it is there to say what is wrong.
    """
    if screen.code is None:
        return ["blocked: it does not end"]
    said = [text for text in screen.raw.splitlines() if "ERROR" in text or "FAILED" in text]
    controls = [f"control characters: {' '.join(screen.controls)}"] if screen.controls else []
    failed = screen.code and line != "doctor"
    return controls + ([f"blocked: {' '.join(said)[:160]}"] if failed else [])


def _label(kind: Kind, name: Name) -> str:
    return f"{kind.called}-{name.called}".replace(" ", "_").replace("'", "")


def _speaks_of(text: str, name: Name, kind: Kind) -> bool:
    """What cannot be told apart is held against the first name."""
    others = [each for each in NAMES if each is not name]
    if any(_label(kind, each) in text.split() or _stem(each) in text for each in others):
        return False
    return name is NAMES[0] or _label(kind, name) in text or _stem(name) in text


def _stem(name: Name) -> str:
    return name.path.replace("$(id -u)", "1001").partition("$$")[0] + name.path.partition("$$")[2]
