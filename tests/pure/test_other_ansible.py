"""What an environment of another Ansible holds."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import other_ansible


def test_all_but_ansible_itself_is_as_pinned():
    pinned = other_ansible.PINNED.read_text(encoding="utf-8")
    rest = other_ansible.without_ansible(pinned)
    gone = re.findall(r"^(\S+)==", pinned, re.MULTILINE)
    gone = [name for name in gone if not re.search(rf"^{re.escape(name)}==", rest, re.MULTILINE)]
    assert gone == ["ansible-core"]
    lines = set(pinned.splitlines()) - set(rest.splitlines())
    assert all("ansible-core" in line or "--hash" in line for line in lines)
    assert pinned.count("--hash") - rest.count("--hash") == len(lines) - 1


def test_the_machines_own_python_comes_first():
    assert next(other_ansible.pythons("3.13")) == "python3.13"
