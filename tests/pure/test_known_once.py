"""What has one home in plugins/ is written nowhere else there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
# Words by which the knowledge would be written again → the files that may.
HOMES = {
    "who listens on a port": (r"net/tcp|\"0A\"", {"module_utils/_edges/processes.py"}),
    "the fingerprint": (r"hexdigest\(\)\.upper\(\)", {"module_utils/_server/certificates.py"}),
    "where the password's hash stands": (
        r"\"hashed_password\"",
        {"module_utils/_profile/password.py"},
    ),
    "which hash is strong enough": (r"19456|47104", {"module_utils/_rules/secrets.py"}),
    "what can be printed": (
        r"isprintable",
        {
            "module_utils/_common/printable.py",
            "module_utils/_profile/environment_kernels.py",  # the server loads it, alone
        },
    ),
    "when a process was started": (r"\.split\(\)\[19\]", set()),
    "the boot": (
        r"random/boot_id",
        {
            "module_utils/_edges/processes.py",
            "plugin_utils/_node/scripts/shared/server.sh",
            "plugin_utils/_node/scripts/installation/common.sh",  # sent without the one above
        },
    ),
    "whether Ansible lives": (r"getppid\(", {"plugin_utils/_present/terminal.py"}),
    "the names of distributions": (
        r"[\"' =](miniforge|miniconda)[\"' ]*[:=;)&]",
        {"module_utils/_installation/installers.py"},
    ),
    "the names of front ends": (r"\"nbclassic\"", {"module_utils/_server/layout.py"}),
    "how a sent text is loaded": (r"def find_spec", {"module_utils/_edges/execution.py"}),
}


def code(path: Path) -> str:
    """Without comments, documentation of modules and docstrings."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        text = re.sub(r'r?"""(?s:.*?)"""', "", text)
    return re.sub(r"(^|\s)#.*", "", text, flags=re.MULTILINE)


def holders(pattern: str) -> set[str]:
    files = (p for p in PLUGINS.rglob("*") if p.suffix in (".py", ".sh"))
    found = (p for p in files if re.search(pattern, code(p)))
    return {str(path.relative_to(PLUGINS)) for path in found}


@pytest.mark.parametrize("what", HOMES)
def test_it_is_known_in_its_home_alone(what: str) -> None:
    pattern, homes = HOMES[what]
    assert holders(pattern) == homes


@pytest.mark.parametrize("word", ["boot_id", "find_spec", "isprintable"])
def test_a_second_place_would_be_found(word: str) -> None:
    assert holders(word)
