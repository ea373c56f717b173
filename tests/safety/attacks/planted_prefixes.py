"""Installations of a stranger at prefixes below directories that others may write to.

What lies there looks complete, and its Python proves that it ran. No playbook may run it, check
mode included, whoever made the directory above it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from people import STATE, done, root
from report import Report

from attacks.scene import HIDEOUT, NODE, REAL, STRANGER, VICTIM, evidence, set_up
from attacks.screen import Screen, play

TOP = "/srv/hijack"
PLACES = {
    "a sticky directory": "install -d -m 1777 {at}",
    "a directory open to all": "install -d -m 777 {at}",
    "a stranger's directory": "install -d -m 755 -o mallory {at}",
    "a directory of a stranger's, far above": "install -d -m 755 -o mallory {at} && "
    "install -d -m 1777 {at}/below/prefix",
}
# Runs as the stranger; $P is the prefix, $G the generation's name, PROGRAM what proves that it ran.
_PROGRAM = (
    'for p in python python3 conda; do printf "#!/bin/sh\\n: >{proof}\\nexec {real} \\"\\$@\\"\\n" '
    '>"$T/bin/$p"; chmod 755 "$T/bin/$p"; done; mkdir -p "$T/conda-meta" "$T/etc" '
    "$T/lib/python3.11/site-packages"
)
_TREE = 'T="$P.d/$G"; mkdir -p "$T/bin" "$P.d/markers"; ' + _PROGRAM
_MARKER = (
    'echo "schema=1 distribution=miniforge version=1.0 sha256={sha256} path=$P.d/$G '
    'date=2026-01-01T00:00:00Z url={url}" >"$P.d/markers/$G"; echo "from= to=$G back=no" '
    '>"$P.d/markers/.turn"'
)
_LINK = 'ln -s "${P##*/}.d/$G" "$P"'
LAYOUTS = {
    "a whole installation": (f"{_TREE}; {_MARKER}; {_LINK}", ""),
    "a store behind the victim's link": (f"{_TREE}; {_MARKER}", _LINK),
    "an adopted directory": (
        f'{_TREE}; {_MARKER}; mv "$P.d/$G" "$P"; mv "$P.d/markers/$G" "$P.d/markers/adopted"; '
        'sed -i "s|path=[^ ]*|path=$P|" "$P.d/markers/adopted"; ln -s "$P" "$P.d/adopted"', "",
    ),
    "a conda directory to adopt": (f'T="$P"; mkdir -p "$T/bin"; {_PROGRAM}', ""),
    "a link to a conda elsewhere": (
        f'T={HIDEOUT}/conda-${{P##*/}}; mkdir -p "$T/bin"; {_PROGRAM}; ln -s "$T" "$P"', "",
    ),
}  # fmt: skip
PLAYBOOKS = (
    "doctor", "setup --check", "setup", "start", "status", "restart", "parallel", "connect --check",
    "stop", "open --check", "teardown --check", "teardown",
)  # fmt: skip
SHORT_PLAYBOOKS = ("doctor", "setup --check", "start")


@dataclass(frozen=True)
class Prefix:
    """One planted installation; its label is the host of the inventory that has it as prefix."""

    place: str
    layout: str
    label: str

    @property
    def path(self) -> str:
        below = "below/prefix/" if "far above" in self.place else ""
        return f"{TOP}/{list(PLACES).index(self.place)}/{below}{self.label}"


PREFIXES = tuple(
    Prefix(place, layout, f"stranger{number}{kind}")
    for number, place in enumerate(PLACES)
    for kind, layout in enumerate(LAYOUTS)
    if (place, layout) != ("a stranger's directory", "a store behind the victim's link")
)


def prefixes(report: Report, *, short: bool = False) -> None:
    """Every layout in every place, under every playbook; all of them are hosts of one run."""
    done("setup")
    set_up()
    _make_places()
    chosen = [each for each in PREFIXES if not short or each.layout == "a whole installation"]
    try:
        for prefix in chosen:
            _plant(prefix)
        _require_dangerous(chosen)
        own = _found(chosen)  # the links of the victim's that some layouts have
        assert len(own) == sum(bool(LAYOUTS[each.layout][1]) for each in chosen), own
        with _inventory(chosen) as inventory:
            for line in SHORT_PLAYBOOKS if short else PLAYBOOKS:
                _attacked(report, line, chosen, inventory, own)
    finally:
        root(NODE, f"rm -rf {TOP}")


def _attacked(
    report: Report, line: str, chosen: Sequence[Prefix], inventory: str, own: Sequence[str]
) -> None:
    more = {"teardown_confirmed": True, "teardown_parts": ["installation"]}
    screen = play(
        *line.split(), "-i", inventory, "--limit", "stranger*",
        **(more if line == "teardown" else {}),
    )  # fmt: skip
    found = [*_endless(screen), *(text for text in _found(chosen) if text not in own)]
    for number, prefix in enumerate(chosen):
        of_it = [text for text in found if prefix.label in text]
        common = [text for text in found if "stranger" not in text] if number == 0 else []
        report.note(
            f"{prefix.layout} in {prefix.place}", *of_it, *common,
            what="an installation of hers at the prefix", line=line,
        )  # fmt: skip


def _found(chosen: Sequence[Prefix]) -> list[str]:
    return evidence(*(f"{each.path}*" for each in chosen))


def _endless(screen: Screen) -> list[str]:
    """A refusal is right here; a run without an end, or one that speaks to the terminal, is not."""
    controls = [f"control characters: {' '.join(screen.controls)}"] if screen.controls else []
    return controls + (["blocked: it does not end"] if screen.code is None else [])


def _make_places() -> None:
    commands = [text.format(at=f"{TOP}/{number}") for number, text in enumerate(PLACES.values())]
    root(NODE, f"rm -rf {TOP}; install -d -m 755 {TOP} && {' && '.join(commands)}")
    for number, place in enumerate(PLACES):
        if "far above" in place:
            root(NODE, f"chmod 755 {TOP}/{number}/below && chown mallory {TOP}/{number}/below")


def _plant(prefix: Prefix) -> None:
    installer = json.loads((STATE / "installer.json").read_text())
    told = {
        "url": installer["url"],
        "sha256": installer["sha256"],
        "real": REAL,
        "proof": f"{HIDEOUT}/proofs/{prefix.label}",
    }
    before = f"set -e; umask 022; P={prefix.path} G=miniforge-1.0-{told['sha256'][:12]}; "
    for person, program in zip((STRANGER, VICTIM), LAYOUTS[prefix.layout], strict=True):
        text = program or ":"
        for name, value in told.items():
            text = text.replace(f"{{{name}}}", value)
        person.says(before + text)


def _require_dangerous(chosen: Sequence[Prefix]) -> None:
    """Whoever runs what lies at the prefix, runs the stranger's program."""
    for prefix in chosen:
        VICTIM.says(f"{prefix.path}/bin/python -I -S -c pass")
    seen = evidence()
    for prefix in chosen:
        assert f"code ran: {prefix.label}" in seen, f"{prefix}: {seen}"


@contextmanager
def _inventory(chosen: Sequence[Prefix]) -> Iterator[str]:
    """The node once for each prefix."""
    adopt = "a conda directory to adopt"
    hosts = {
        each.label: {
            "ansible_host": NODE,
            "anaconda_prefix": each.path,
            "anaconda_adopt": each.layout == adopt,
        }
        for each in chosen
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"hpcc_dev": {"hosts": hosts}}, file)
        file.flush()
        yield file.name
