# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One escaper for each language that we render; each is tested with the language's own reader.

Text that Python cannot decode (file names of any bytes) arrives as surrogateescape and leaves as
the same bytes: escaped where the language has byte escapes, refused where it has none.
"""

from __future__ import annotations

import math
import shlex


def lua_string(text: str) -> str:
    """A string literal of Lua 5.1 and later, plain ASCII, for the bytes of the text."""
    return '"{}"'.format("".join(map(_lua_byte, _bytes(text))))


def _lua_byte(byte: int) -> str:
    # Three digits always, because a digit may follow; the long form [[…]] has no escapes at all.
    char = chr(byte)
    return char if _harmless(byte) and char not in '"\\' else f"\\{byte:03d}"


def tcl_word(text: str) -> str:
    """A quoted word of Tcl 8.5 and later, plain ASCII, for the characters of the text."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("Tcl cannot name bytes that are not UTF-8")
    return '"{}"'.format("".join(map(_tcl_character, text)))


def _tcl_character(char: str) -> str:
    if _harmless(ord(char)) and char not in '"\\$[]{}':
        return char
    if ord(char) > 0xFFFF:
        # Tcl 8 stops at \uffff, but reads the two halves as the one character.
        high, low = divmod(ord(char) - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{ord(char):04x}"


def shell_word(text: str) -> str:
    """One word of a POSIX shell, on one line: what ssh carries and what people paste.

    Line ends are refused: a pasted one runs what stands before it. So is NUL, which no argument
    can hold.
    """
    if any(char in text for char in "\0\n\r"):
        raise ValueError("a word of a command line cannot hold a line end or NUL")
    return shlex.quote(text)


def python_literal(value: object) -> str:
    """The plain value (what JSON knows) as Python source, plain ASCII, on one line."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str):
        return ascii(str(value))
    if isinstance(value, int):
        return repr(int(value))
    if isinstance(value, float) and math.isfinite(value):
        return repr(float(value))
    if isinstance(value, (list, tuple)):
        return "[{}]".format(", ".join(map(python_literal, value)))
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        pairs = (f"{python_literal(k)}: {python_literal(v)}" for k, v in value.items())
        return "{{{}}}".format(", ".join(pairs))
    raise ValueError(f"{type(value).__name__} has no plain Python literal")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _harmless(code: int) -> bool:
    return 0x20 <= code < 0x7F


def shell_path(text: str) -> str:
    """A path for a POSIX shell, whose home directory is meant by ~ or ~/ at its beginning."""
    if text == "~" or text.startswith("~/"):
        return f'"$HOME"{shell_word(text[1:]) if text[1:] else ""}'
    return shell_word(text)
