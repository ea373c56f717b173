"""What has one home in plugins/ is written nowhere else there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import leases, own_lease

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
    "what a terminal would obey": (r"x7f-.x9f", {"module_utils/_rules/text.py"}),
    "where Jupyter's configuration lies": (
        r"jupyter_server_config",
        {
            "module_utils/_profile/layout.py",
            "plugin_utils/_node/scripts/doctor/look.sh",  # may be sent where no Python is
        },
    ),
    "how a certificate begins and ends": (
        r"(BEGIN|END) CERTIFICATE",
        {"module_utils/_common/pem.py"},
    ),
    "how a moment is written": (
        r"%Y-%m-%dT%H",
        {
            "module_utils/_common/moments.py",
            # Before there is a Python.
            "plugin_utils/_node/scripts/installation/lock.sh",
            "plugin_utils/_node/scripts/installation/worker.sh",
        },
    ),
    "what the person goes on with": (r"ipython_kernel_config", {"module_utils/_profile/layout.py"}),
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
    "where a lease is": (
        r"\.lease-",
        {
            "plugin_utils/_installation/own_lease.py",  # lies in each generation, alone
            "plugin_utils/_node/scripts/installation/common.sh",
            "plugin_utils/_node/scripts/doctor/look.sh",  # sent without the one above
        },
    ),
    "how a sent text is loaded": (r"def find_spec", {"module_utils/_edges/execution.py"}),
}


_QUOTED = re.compile(
    r'''(^\s*(?:(?:DOCUMENTATION|EXAMPLES|RETURN) = )?)?r?"""(?s:.*?)"""''', re.MULTILINE
)


def code(path: Path) -> str:
    """Without comments, documentation of modules and docstrings, but with programs in quotes."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        text = _QUOTED.sub(lambda found: found[0] if found[1] is None else "", text)
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


def test_shell_and_python_mean_the_same_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    common, look = (
        (PLUGINS / "plugin_utils/_node/scripts" / name).read_text("utf-8")
        for name in ("installation/common.sh", "doctor/look.sh")
    )
    place = "/lab/anaconda.d/one/lib/python3.13/site-packages/hpcc_notebook_lease.py"
    monkeypatch.setattr(own_lease, "__file__", place)
    inside = own_lease.path().removeprefix("/lab/anaconda.d")
    assert f"LEASE_OF=$ROOT.d{inside.removesuffix('one')}\n" in common
    assert f'"$prefix.d"{inside.removesuffix("one")}*;' in look


def test_shell_and_python_mean_the_same_answers_about_a_lease() -> None:
    scripts = PLUGINS / "plugin_utils/_node/scripts/installation"
    common = (scripts / "common.sh").read_text("utf-8")
    codes = re.search(r"case \$code in ([\d |]+)\) return", common)
    assert codes
    meant = {0, leases.HELD, leases.UNKNOWN, leases.IN_THE_WAY, leases.WITHOUT_LOCKS}
    assert set(map(int, codes[1].split("|"))) == meant
    asked = [
        code
        for path in scripts.glob("*.sh")
        for code in re.findall(
            r"\(ask_leases [^)]*\)\n +\[ \$\? != (\d+) \]", path.read_text("utf-8")
        )
    ]
    assert asked == [str(leases.HELD)] * 3
    prune = (scripts / "prune.sh").read_text("utf-8")
    assert re.findall(r"\[ \$\? = (\d+) \]", prune) == [str(leases.WITHOUT_LOCKS)]
