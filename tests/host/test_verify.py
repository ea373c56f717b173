"""A new installation is tried by importing what was asked for, before anybody relies on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

INSTALL = Path(__file__).parents[2] / "plugins/plugin_utils/_node/scripts/installation/install.sh"
PROGRAM = f"""
phase() {{ :; }}
fail() {{ printf '%s\\n' "$*"; exit 1; }}
. {INSTALL}
export TREE={sys.prefix}
PACKAGES=$1
verify "$2"
"""


def verify(place: Path, *packages: str) -> subprocess.CompletedProcess[str]:
    argv = ["sh", "-c", PROGRAM, "verify", "\n".join(packages), str(place)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def install(place: Path, name: str, text: str) -> None:
    metadata = place / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (place / f"{name}.py").write_text(text)


@pytest.mark.parametrize("requirement", ["one", "one>=1", "one==1.0", "one<2", "one~=1.0"])
def test_a_package_that_cannot_be_imported_is_found(tmp_path: Path, requirement: str) -> None:
    install(tmp_path, "one", "import nowhere_to_be_found\n")
    done = verify(tmp_path, requirement)
    assert done.returncode == 1
    assert "the new Python cannot import what was installed" in done.stdout
    assert "nowhere_to_be_found" in done.stderr


def test_what_can_be_imported_and_what_has_no_module_of_its_name_will_do(tmp_path: Path) -> None:
    install(tmp_path, "one", "print('imported')\n")
    done = verify(tmp_path, "one>=1", "lang-pack")
    assert (done.returncode, done.stdout) == (0, "imported\n")


def test_the_grammar_that_no_server_imports_is_left_alone(tmp_path: Path) -> None:
    shown = "import sys, jsonschema, jsonschema._format\nprint('lark' in sys.modules)\n"
    install(tmp_path, "one", shown)
    assert verify(tmp_path, "one").stdout == "False\n"
