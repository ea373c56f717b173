"""Times and amounts of memory: read strictly, written as each scheduler wants them. Pure."""

from __future__ import annotations

import re

from cluster_helper.errors import ClusterError

_CLOCK = re.compile(r"(?:([0-9]{1,3})-)?([0-9]{1,4}):([0-5][0-9]):([0-5][0-9])", re.ASCII)
_DAYS = re.compile(r"[0-9]{1,3}-[0-9]{1,2}(:[0-5][0-9])?", re.ASCII)  # D-HH and D-HH:MM, of Slurm
_SHORT = re.compile(r"[0-9]{1,4}:[0-5][0-9]", re.ASCII)
_MEMORY = re.compile(r"([1-9][0-9]{0,11})([kmgt])b?", re.ASCII | re.IGNORECASE)
_IN_KB = {"k": 1, "m": 1024, "g": 1024**2, "t": 1024**3}
_MOST_MB = 1024**3  # a petabyte
_DAY = 24 * 3600


def walltime(text: str, days: bool = False) -> int:
    """Seconds in HH:MM:SS; with days in D-HH:MM:SS, too."""
    if days and _DAYS.fullmatch(text):
        text += ":00" if ":" in text else ":00:00"
    match = _CLOCK.fullmatch(text)
    form = "HH:MM:SS or D-HH:MM:SS" if days else "HH:MM:SS"
    seconds = _seconds(match) if match else 0
    if not seconds or (match and match[1] and not days):
        meant = f"say {text}:00 or 00:{text}" if _SHORT.fullmatch(text) else ""
        raise ClusterError(f"walltime must be {form} and longer than nothing, got {text!r}", meant)
    return seconds


def _seconds(match: re.Match[str]) -> int:
    day, hour, minute, second = (int(part or 0) for part in match.groups())
    if match[1] and hour >= 24:
        return 0
    return day * _DAY + hour * 3600 + minute * 60 + second


def memory(text: str) -> int:
    """Megabytes, rounded up, of an amount with its unit such as 64mb or 2G."""
    match = _MEMORY.fullmatch(text)
    megabytes = -(-int(match[1]) * _IN_KB[match[2].lower()] // 1024) if match else 0
    if not 0 < megabytes <= _MOST_MB:
        raise ClusterError(f"mem must be a number with a unit, such as 64mb or 2gb, got {text!r}")
    return megabytes


def gigabytes(number: object) -> int:
    """Megabytes, rounded up, of the plain number of gigabytes that extra_params['mem'] is."""
    if isinstance(number, bool) or not isinstance(number, (int, float, str)):
        raise ClusterError(f"mem must be a number of gigabytes, got {number!r}")
    try:
        megabytes = float(number) * 1024
    except ValueError:
        megabytes = 0.0
    if not 0 < megabytes <= _MOST_MB or (isinstance(number, str) and not _plain(number)):
        raise ClusterError(f"mem must be a number of gigabytes, got {number!r}")
    return -int(-megabytes // 1)


def _plain(number: str) -> bool:
    return re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,3})?", number, re.ASCII) is not None


def clock(seconds: int) -> str:
    """HH:MM:SS, which Slurm, the PBS family and Grid Engine all understand."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def clock_minutes(seconds: int) -> str:
    """HH:MM, rounded up, for LSF."""
    minutes = -(-seconds // 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"
