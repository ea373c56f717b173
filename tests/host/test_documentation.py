"""The tables of variables say what the specifications say."""

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "tests"))

import document  # noqa: E402


def test_no_table_is_stale():
    argv = [sys.executable, str(CHECKOUT / "tests" / "document.py"), "--check"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_ansible_shows_each_entry_point_of_each_role_and_warns_of_nothing():
    argv = [str(Path(sys.executable).with_name("ansible-doc")), "-t", "role", "-l", "-j"]
    done = subprocess.run(
        [*argv, "hpcc.notebook"], capture_output=True, text=True, check=True,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")},
    )  # fmt: skip
    shown = {name: set(role["entry_points"]) for name, role in json.loads(done.stdout).items()}
    for role in (CHECKOUT / "roles").iterdir():
        points = {path.stem for path in (role / "tasks").glob("*.yml")}
        assert shown[f"hpcc.notebook.{role.name}"] - {"secrets"} == points
    assert done.stderr == ""


def test_a_stale_table_is_found_and_written_again(tmp_path, monkeypatch, capsys):
    role = tmp_path / "roles" / "demo"
    (role / "meta").mkdir(parents=True)
    (tmp_path / "playbooks").mkdir()
    option = (
        "{description: [Where it | goes., 'See C(x) and O(main:y).'], default: false, choices: [a]}"
    )
    (role / "meta" / "argument_specs.yml").write_text(
        f"argument_specs: {{main: {{short_description: A demo, options: {{demo_x: {option}}}}}}}"
    )
    (role / "README.md").write_text("before\n<!-- variables -->\nold\n<!-- /variables -->\nafter\n")
    monkeypatch.setattr(document, "CHECKOUT", tmp_path)
    monkeypatch.setattr(document, "CHANGED", ("demo_x",))
    assert document.main(["--check"]) == 1
    assert document.main([]) == 0
    assert document.main(["--check"]) == 0
    assert "is stale" in capsys.readouterr().out
    row = "| `demo_x` | `false` | Where it \\| goes. See `x` and `y`. One of `a`. |\n"
    readme = (role / "README.md").read_text()
    assert readme.startswith("before\n<!-- variables -->\n\n| variable |")
    assert readme.endswith(f"{row}\n<!-- /variables -->\nafter\n")
    assert row in (tmp_path / "docs" / "variables.md").read_text()
