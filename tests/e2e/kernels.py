"""A person's server on a node and its kernels, spoken to by commands that she types there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "safety"))
from people import Person
from two_generations import ASK

_CURL = """
cd ~/.ipython/profile_nbserver/security
curl -sSf --unix-socket /tmp/nbserver-$(id -u)/notebook.sock --cacert notebook.crt \
  -H "Authorization: token $(cat token)" {words} https://localhost{path}
"""


def server_says(person: Person, path: str, words: str = "") -> str:
    """What the person's server answers; `words` are more of curl's."""
    return person.says(_CURL.format(words=words, path=path))


class Kernel:
    """A new one of the person's server, by what it says of itself.

    Its connection file is the server's, and so is the Python that reads it: that of its generation.
    """

    def __init__(self, person: Person, generation: str) -> None:
        made = json.loads(server_says(person, "/api/kernels", "-d '{}'"))
        self._person = person
        file = f"/tmp/nbserver-$(id -u)/runtime/kernel-{made['id']}.json"
        self._ask = f'{generation}/bin/python - "{file}"'

    def computes(self, expression: str) -> str:
        return self._person.says(f"{self._ask} '{expression}'", stdin=ASK).strip("'")
