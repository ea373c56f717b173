"""The stage of the attacks: victim and stranger on one node, and what became of the victim."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from people import Person, root

NODE = "dev1"
VICTIM, STRANGER = Person("alice", NODE), Person("mallory", NODE)
UID = 1001
HIDEOUT = "/var/tmp/hijack"
REAL = "/opt/site/anaconda/bin/python"
LOCAL = f"/tmp/nbserver-{UID}"

_STAGE = f"""
rm -rf {HIDEOUT}; mkdir -m 755 {HIDEOUT} && mkdir -m 777 {HIDEOUT}/proofs {HIDEOUT}/open &&
chmod 777 {HIDEOUT}/proofs {HIDEOUT}/open && : >{HIDEOUT}/heard && chmod 666 {HIDEOUT}/heard
"""
_CANARIES = """
rm -rf ~/canary; mkdir -m 700 ~/canary; chmod 700 ~
umask 077; echo 'secret of the victim' >~/canary/secret; echo 'years of work' >~/thesis.txt
"""
# What only the stranger sees, and then forgets.
_TAKEN = f"""
find {HIDEOUT}/proofs -user {UID} -printf 'code ran: %f\\n'
sort -u {HIDEOUT}/heard
find {HIDEOUT}/open PATHS -user {UID} -type f -readable -printf 'can be read: %p\\n' 2>/dev/null
find PATHS -user {UID} -printf 'made at a name of the stranger: %p\\n' 2>/dev/null
find PATHS -user mallory -type f -perm -666 -size +0 -printf 'was written into: %p\\n' 2>/dev/null
rm -rf {HIDEOUT}/proofs/* {HIDEOUT}/open/*; : >{HIDEOUT}/heard
"""
# What the victim finds when coming back.
_LOST = """
[ "$(cat ~/thesis.txt 2>&1)" = 'years of work' ] || echo 'a file of the victim was changed'
[ "$(stat -c %a ~)" = 700 ] || echo 'the home was opened'
find ~/canary -name 'made-*' -printf 'a file was made through a link: %f\\n'
"""


def set_up() -> None:
    """The stranger's hideout, and what the victim has to lose."""
    root(NODE, f"rm -rf {HIDEOUT} {LOCAL}*")
    STRANGER.says(_STAGE)
    VICTIM.says(_CANARIES)


@contextmanager
def planted(things: Sequence[tuple[str, str, str]]) -> Iterator[None]:
    """Kind, path and label of each; all of it is gone afterwards."""
    spelled = [[kind, _spelled(path), label] for kind, path, label in things]
    with STRANGER.running("attacks/planter.py", said=json.dumps(spelled)):
        try:
            yield
        finally:
            _clear([path for _kind, path, _label in things])


def _clear(paths: Sequence[str]) -> None:
    """What the victim has put into something of the stranger's keeps that from being removed."""
    patterns = " ".join(map(_pattern, paths))
    if STRANGER.says(f"ls -d {patterns} 2>/dev/null || true"):
        root(NODE, f"rm -rf {patterns}")


def evidence(*paths: str) -> list[str]:
    """What the stranger has got out of the victim since the last look."""
    taken = _TAKEN.replace("PATHS", " ".join(map(_pattern, paths)) or "/nonexistent")
    seen = [*STRANGER.says(taken).splitlines(), *VICTIM.says(_LOST).splitlines()]
    if seen:
        VICTIM.says(_CANARIES)
    return sorted(set(seen))


def _spelled(path: str) -> str:
    return path.replace("$(id -u)", str(UID))


def _pattern(path: str) -> str:
    return _spelled(path).replace("$$", "*")
