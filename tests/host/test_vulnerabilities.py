"""What gets installed has no known vulnerability, as far as that can be asked from here."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

DEFAULTS = Path(__file__).parents[2] / "roles" / "anaconda" / "defaults" / "main.yml"
# CVE-2026-40934, -44727, -86049
SAFE_SINCE = "2.21.0"
SERVED = ("jupyter_server", "jupyterlab", "notebook", "nbclassic", "ipykernel", "tornado",
          "jinja2", "nbconvert", "cryptography", "jupyterlab_server")  # fmt: skip


@pytest.mark.threat(19)
def test_the_role_installs_no_server_with_the_vulnerabilities_that_we_know():
    packages = yaml.safe_load(DEFAULTS.read_text())["anaconda_packages"]
    wanted = {Requirement(text).name: Requirement(text).specifier for text in packages}
    assert not wanted["jupyter_server"].contains("2.20.9")
    assert wanted["jupyter_server"].contains(SAFE_SINCE)


def test_what_these_tests_run_with_is_what_a_host_gets():
    packages = yaml.safe_load(DEFAULTS.read_text())["anaconda_packages"]
    for requirement in map(Requirement, packages):
        if requirement.name in SERVED:
            assert requirement.specifier.contains(version(requirement.name)), requirement


@pytest.mark.threat(19)
@pytest.mark.timeout(300)
def test_pip_audit_knows_of_nothing(tmp_path):
    pinned = tmp_path / "requirements.txt"
    pinned.write_text("".join(f"{name}=={version(name)}\n" for name in SERVED))
    command = [
        str(Path(sys.executable).parent / "pip-audit"), "--requirement", str(pinned),
        "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off",
    ]  # fmt: skip
    asked = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    if not asked.stdout.startswith("{"):
        pytest.skip(f"pip-audit could not ask: {asked.stderr.strip()[-200:]}")
    found = json.loads(asked.stdout)["dependencies"]
    unknown = [each["skip_reason"] for each in found if "skip_reason" in each]
    assert [each for each in found if each.get("vulns")] == []
    if unknown:
        pytest.skip(f"{len(unknown)} of {len(found)} could not be audited here: {unknown[0]}")
