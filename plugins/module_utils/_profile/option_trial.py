# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: ask the Jupyter that is installed whether it takes a configuration.

Runs as a program of its own, `python -I -c SOURCE`, with JUPYTER_CONFIG_DIR set to a copy of the
configuration, and the options to judge on standard input; without them, those are judged that it
found there itself. Prints the reason against them as JSON.
"""

from __future__ import annotations

import difflib
import importlib
import json
import logging
import re
import sys
from typing import Any, Iterable, Mapping

# What the configuration of the server is also for, and what is imported when it is asked for only.
LATE = ("nbconvert.exporters", "nbconvert.preprocessors", "jupyter_server.gateway.managers")
ARGUMENTS = (
    "--ServerApp.open_browser=False",
    "--ServerApp.certfile=",
    "--ServerApp.keyfile=",
    "--ServerApp.allow_root=True",
    "--PasswordIdentityProvider.hashed_password=argon2:$argon2id$v=19$trial",
)


class Last(logging.Handler):
    """Remembers what was logged as an error, the first one first."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage().strip())


def main() -> None:
    """Judge the options; the last line that is printed is the answer."""
    asked = json.load(sys.stdin)
    failure = initialised(asked["cookie_secret"])
    judged = asked["options"] if "options" in asked else known_of_config()
    sys.stdout.write(json.dumps({"reason": reason(judged, failure)}) + "\n")


def known_of_config() -> dict[str, Any]:
    """What the configuration says of classes that are known; the others may be of any extension."""
    app = importlib.import_module("jupyter_server.serverapp").ServerApp.instance()
    known, plain = classes(), (bool, int, float, str, list, dict, type(None))
    return {
        f"{section}.{name}": value
        for section, values in app.config.items()
        for name, value in (values.items() if section in known else ())
        if isinstance(value, plain)
    }


def _jupyter_server() -> Any:
    """The server's module, without the half of its start that parses a grammar of addresses.

    jsonschema does so for a check that no option needs, and does without where it is not installed.
    """
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("jupyter_server.serverapp")
    finally:
        del sys.modules["rfc3987_syntax"]  # whatever an option imports may need it


def initialised(cookie_secret: str) -> str | None:
    """Do all that a server does before it listens; why it could not."""
    app = _jupyter_server().ServerApp.instance()
    last = Last()
    app.log.addHandler(last)
    argv = [*ARGUMENTS, f"--ServerApp.cookie_secret_file={cookie_secret}"]
    try:
        app.initialize(argv, new_httpserver=False)
    except SystemExit:
        return last.said[-1] if last.said else "Jupyter ended without a word"
    except Exception as error:  # whatever an option made it do
        return f"{type(error).__name__}: {error}"
    return None


def reason(options: Mapping[str, Any], failure: str | None) -> str | None:
    """The option to blame, or what Jupyter itself says; None when all is well."""
    known = classes()
    for name, value in options.items():
        section, trait = name.split(".")
        wrong = mismatch(owner(known, section, trait), trait, value) if section in known else None
        if wrong:
            return f"{name}: {wrong}"
    if failure:
        return failure
    unknown = [name for name in options if name.split(".")[0] not in known]
    return _unknown_class(unknown[0], known) if unknown else None


def classes() -> dict[str, Any]:
    """Every class that can be configured, by name: of the server and what extends it."""
    for name in LATE:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    found: dict[str, Any] = {}
    left = [importlib.import_module("traitlets.config").Configurable]
    while left:
        each = left.pop()
        found.setdefault(each.__name__, each)
        left += each.__subclasses__()
    return found


def owner(known: Mapping[str, Any], section: str, trait: str) -> Any:
    """The class that has the option: what is said of a class holds for those derived from it."""
    named = known[section]
    derived = (each for each in known.values() if issubclass(each, named))
    having = (each for each in (named, *derived) if trait in each.class_traits(config=True))
    return next(having, named)


def mismatch(section: Any, name: str, value: object) -> str | None:
    """Why a class does not take this value."""
    traits = section.class_traits(config=True)
    if name not in traits:
        return f"{section.__name__} has no such option{_meant(name, traits)}"
    trait = traits[name]
    if value is None and trait.allow_none:
        return None
    try:
        trait.validate(section.__new__(section), value)
    except importlib.import_module("traitlets").TraitError as error:
        return re.sub(r"<(?:\w+\.)*(\w+) object at \w+>", r"\1", str(error))
    return None


def _unknown_class(name: str, known: Iterable[str]) -> str:
    section = name.split(".")[0]
    return f"{name}: Jupyter has no class {section}{_meant(section, known)}"


def _meant(word: str, words: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean {close[0]}?" if close else ""


if __name__ == "__main__":
    main()
