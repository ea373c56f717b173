"""Every playbook is run by a scenario of Molecule, which looks at what came of it."""

from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parents[2]
MOLECULE = CHECKOUT / "molecule"
PLAYBOOKS = sorted(path.stem for path in (CHECKOUT / "playbooks").glob("*.yml"))


def imported(converge):
    """The playbooks that a scenario runs."""
    plays = yaml.safe_load(converge.read_text(encoding="utf-8"))
    paths = [Path(play.get("ansible.builtin.import_playbook", "")) for play in plays]
    return {path.stem for path in paths if path.parent == Path("../../playbooks")}


def scenarios(playbook):
    """The scenarios that run a playbook and then look."""
    converging = MOLECULE.glob("*/converge.yml")
    running = [path.parent for path in converging if playbook in imported(path)]
    return [scenario.name for scenario in running if list(scenario.glob("tests/test_*.py"))]


@pytest.mark.parametrize("name", ["lab.yml", "lab.ini"])
def test_the_guide_for_a_lab_shows_the_very_files_and_the_playbook_is_a_scenario(name):
    shown = (CHECKOUT / "docs/lab.md").read_text(encoding="utf-8")
    assert f"\n{(CHECKOUT / 'docs/lab' / name).read_text(encoding='utf-8')}```\n" in shown
    scenario = yaml.safe_load((MOLECULE / "lab/molecule.yml").read_text(encoding="utf-8"))
    assert scenario["ansible"]["playbooks"]["converge"] == "../../docs/lab/lab.yml"


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_playbook_has_a_scenario_of_its_name_or_is_part_of_the_whole_job(playbook):
    own = "default" if playbook in ("setup", "start") else playbook
    assert own in scenarios(playbook)


def test_a_playbook_that_nobody_runs_would_be_found():
    assert scenarios("no_such_playbook") == []
