"""What the matrix expects the doctor to say of broken nodes is what the doctor says today."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[2]
SOURCES = [
    *(CHECKOUT / "plugins" / "module_utils").rglob("*.py"),
    *(CHECKOUT / "plugins" / "plugin_utils").rglob("*.py"),
]


def loaded() -> ModuleType:
    """The table, without its directory on the path of all tests."""
    place = CHECKOUT / "tests" / "matrix" / "breakages.py"
    spec = importlib.util.spec_from_file_location("breakages_of_the_matrix", place)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TABLE = loaded()
OF_THE_SYSTEM = ("Read-only file system", "No space left on device")


@pytest.mark.parametrize("breakage", TABLE.BREAKAGES, ids=lambda breakage: breakage.name)
def test_the_words_that_are_waited_for_stand_in_the_product(breakage: object) -> None:
    """Whole lines hold values and what the system says; the runs of words are the doctor's."""
    said, broken = str(vars(breakage)["said"]), str(vars(breakage)["broken"])
    runs = [run.strip(" >-") for run in re.split(r"[\\^$.|?*+(){}\[\]0-9:,\"]|\\n", said)]
    texts = [broken, *(path.read_text(encoding="utf-8") for path in SOURCES)]
    told = [run for run in runs if len(run.split()) > 2 and run not in OF_THE_SYSTEM]
    assert [run for run in told if not any(run in text for text in texts)] == []


def test_each_breakage_is_taken_back() -> None:
    left = [each.name for each in TABLE.BREAKAGES if each.mended == ":" and not each.mounts]
    assert left == []
