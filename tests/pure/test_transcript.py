"""The page of a first session: the README's commands, and nothing of Ansible's inner life."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "transcript.md").read_text(encoding="utf-8")
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
PICTURES = CHECKOUT / "docs" / "pictures"
MOST = 150_000  # bytes of a picture
# Words that only somebody who knows Ansible understands.
INNER = (
    "PLAY RECAP", "PLAY [", "TASK [", "fatal:", "[ERROR]", "Origin:", "ok=", "changed=",
    "skipping:", "ok: [", "changed: [", "=> {", "Traceback", "interrupted execution", "[WARNING]",
    "[DEPRECATION",
)  # fmt: skip


def typed(text: str) -> list[str]:
    """The commands of all examples, without what is said about them."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = (line for block in blocks for line in block.splitlines() if line.startswith("$ "))
    return [line[2:].partition("  ")[0].strip() for line in lines]


def test_it_has_the_commands_of_its_program() -> None:
    program = runpy.run_path(str(CHECKOUT / "tests" / "transcript.py"))
    assert typed(PAGE) == program["commands"]()


def test_every_command_for_the_product_is_one_of_the_readme() -> None:
    ours = [command for command in typed(PAGE) if "ansible-playbook" in command]
    assert {*ours} <= {*typed(README)}
    assert len(ours) >= 6


@pytest.mark.parametrize("word", INNER)
def test_no_line_needs_knowledge_of_ansibles_inner_life(word: str) -> None:
    assert word not in PAGE


def test_it_ends_as_it_should() -> None:
    for said in (
        "Connected: JupyterLab",
        "goes on running",
        " 0 wrong.",
        "was stopped",
        "Remove it?",
    ):
        assert said in PAGE
    assert "failed  " not in PAGE
    assert str(CHECKOUT) not in PAGE
    assert "/tmp/home" not in PAGE


def test_pictures_are_small_and_each_is_shown() -> None:
    shown = README + "".join(p.read_text(encoding="utf-8") for p in CHECKOUT.glob("docs/*.md"))
    pictures = [path for path in PICTURES.iterdir() if path.suffix in (".png", ".svg")]
    assert len(pictures) >= 5
    for path in pictures:
        assert path.stat().st_size < MOST
        assert f"pictures/{path.name}" in shown
    for name in re.findall(r"pictures/([\w.-]+)", shown):
        assert (PICTURES / name).exists(), name
