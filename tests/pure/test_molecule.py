"""Every playbook is run by a scenario of Molecule, which looks at what came of it."""

import re
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

import scenarios as runs
import topology

CHECKOUT = Path(__file__).parents[2]
MOLECULE = CHECKOUT / "molecule"
PLAYBOOKS = sorted(path.stem for path in (CHECKOUT / "playbooks").glob("*.yml"))


def converged(converge):
    """The playbooks that a scenario runs before it looks."""
    plays = yaml.safe_load(converge.read_text(encoding="utf-8"))
    paths = [Path(play.get("ansible.builtin.import_playbook", "")) for play in plays]
    return {path.stem for path in paths if path.parent == Path("../../playbooks")}


def scenarios(playbook):
    """The scenarios that run a playbook and then look."""
    converging = MOLECULE.glob("*/converge.yml")
    running = [path.parent for path in converging if playbook in converged(path)]
    return [scenario.name for scenario in running if list(scenario.glob("tests/test_*.py"))]


def chapters(playbook):
    """The files of the life cycle that run a playbook and then look."""
    files = sorted((MOLECULE / "life_cycle" / "tests").glob("test_*.py"))
    runs = re.compile(rf"^    (?:once|twice)\(\"{playbook}\"", re.MULTILINE)
    return [path.stem for path in files if runs.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("name", ["lab.yml", "lab.ini"])
def test_the_guide_for_a_lab_shows_the_very_files_and_the_playbook_is_a_scenario(name):
    shown = (CHECKOUT / "docs/lab.md").read_text(encoding="utf-8")
    assert f"\n{(CHECKOUT / 'docs/lab' / name).read_text(encoding='utf-8')}```\n" in shown
    scenario = yaml.safe_load((MOLECULE / "lab/molecule.yml").read_text(encoding="utf-8"))
    assert scenario["ansible"]["playbooks"]["converge"] == "../../docs/lab/lab.yml"


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_playbook_has_a_scenario_of_its_name_or_a_chapter_of_the_life_cycle(playbook):
    if playbook in ("setup", "start"):
        assert "life_cycle" in scenarios(playbook)
    else:
        chapter = [name for name in chapters(playbook) if name.endswith(f"_{playbook}")]
        assert chapter or playbook in scenarios(playbook)


def test_a_playbook_that_nobody_runs_would_be_found():
    assert scenarios("no_such_playbook") == chapters("no_such_playbook") == []


def test_every_scenario_is_run_once_and_those_of_an_account_after_one_another():
    every = [path.parent for path in MOLECULE.glob("*/molecule.yml")]
    found = runs.batches(every)
    assert sorted(name for batch in found for name in batch) == sorted(path.name for path in every)
    accounts = [{runs.account_of(MOLECULE / name) for name in batch} for batch in found]
    assert all(len(each) == 1 for each in accounts)
    assert len(set.union(*accounts)) == len(found)


def test_each_worker_has_a_cluster_and_notes_of_its_own():
    one, other = (runs.environment(worker) for worker in runs.WORKERS)
    for name in ("HPCC_NOTEBOOK_STATE", "MOLECULE_EPHEMERAL_DIRECTORY"):
        assert one[name] != other[name]
    assert topology.state("bookworm", "gw0").name == ".cluster"
    assert topology.suffix("trixie", "gw1") == "-trixie-gw1"
