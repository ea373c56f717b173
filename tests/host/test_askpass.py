"""What ssh asks reaches the person, and the answer reaches ssh and nobody else."""

import os
import subprocess

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present.person import Person
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.askpass import Askpass


@pytest.fixture
def asked():
    return []


@pytest.fixture
def askpass(tmp_path, asked):
    answers = {"Password: ": 'pä"ss $(id)', "Touch": ""}

    def ask(question, kind):
        asked.append((question, kind))
        return answers.get(question)

    service = Askpass(tmp_path, ask)
    yield service
    service.close()


def program(askpass, *arguments, **more):
    """Run the program as ssh does."""
    environment = {**askpass.environment(), **more}
    return subprocess.run(
        [environment["SSH_ASKPASS"], *arguments], env=environment, capture_output=True,
        check=False, timeout=60,
    )  # fmt: skip


def test_the_answer_is_printed_for_ssh(askpass, asked):
    done = program(askpass, "Password: ")
    assert (done.returncode, done.stdout.decode()) == (0, 'pä"ss $(id)\n')
    assert asked == [("Password: ", "")]


def test_a_question_without_an_answer_fails(askpass):
    done = program(askpass, "Unknown? ")
    assert (done.returncode, done.stdout) == (1, b"")


def test_the_kind_of_question_is_told(askpass, asked):
    assert program(askpass, "Touch", SSH_ASKPASS_PROMPT="none").returncode == 0
    assert asked == [("Touch", "none")]


def test_no_answer_lies_in_a_file_or_an_environment(askpass, tmp_path):
    program(askpass, "Password: ")
    texts = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    texts.append("".join(askpass.environment().values()).encode())
    assert not [text for text in texts if b"$(id)" in text]


def test_openssh_asks_by_it_for_the_passphrase_of_a_key(askpass, asked, tmp_path):
    key = tmp_path / "key"
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "something else", "-f", str(key)]
    subprocess.run(make, check=True)
    read = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(key)], env=askpass.environment(), capture_output=True,
        check=False, stdin=subprocess.DEVNULL, start_new_session=True, timeout=60,
    )  # fmt: skip
    assert "passphrase" in asked[0][0]
    assert read.returncode != 0, "that question has no answer here"


def test_the_display_of_the_person_is_kept(askpass, monkeypatch):
    monkeypatch.setitem(os.environ, "DISPLAY", ":7")
    assert askpass.environment()["DISPLAY"] == ":7"


def test_an_unknown_host_key_is_never_accepted_by_a_prompt():
    person = Person()
    question = (
        "The authenticity of host 'x' …\nAre you sure you want to continue connecting (yes/no)? "
    )
    assert person.ask(question, "") is None
    assert person.refused == [question]
