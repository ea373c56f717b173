"""Every escaper against the real reader of its language."""

import ast
import subprocess

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.quoting import (
    lua_string,
    python_literal,
    shell_path,
    shell_word,
    tcl_word,
)
from examples import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st

# What people have in their paths, and what each of the languages has a meaning for.
AWKWARD = [
    "",
    "anaconda",
    '/home/u/it\'s "x"',
    "]] os.exit() --[[",
    '"); os.exit() --',
    "\\",
    "\\n\\065",
    "a\n1",
    "\r\n",
    "\t",
    "}; exit; {",
    "[exit] $::env(HOME) ${x}",
    "`id` $(id) ; id & id | id",
    "-n",
    "~root",
    "ü 日本 😀",
    "%(x)s {{ x }} #",
    "\x7f\x1b[31m",
]
# Names of files are bytes; those that are no UTF-8 reach Python as surrogates.
FILE_NAMES = st.binary().map(lambda name: name.decode("utf-8", "surrogateescape"))
PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ONE_LINE = FILE_NAMES.filter(lambda name: not set(name) & set("\0\n\r"))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | FILE_NAMES,
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=20,
)


def _bytes(texts: list[str]) -> list[bytes]:
    return [text.encode("utf-8", "surrogateescape") for text in texts]


def _hexadecimal_lines(argv: list[str], program: str) -> list[bytes]:
    """Run a program that prints each of its strings as one line of hexadecimal digits."""
    done = subprocess.run(argv, input=program.encode("ascii"), capture_output=True, check=True)
    return [bytes.fromhex(line) for line in done.stdout.decode().splitlines()]


@settings(max_examples=examples(10), deadline=None)
@given(st.lists(FILE_NAMES, min_size=1, max_size=50))
@example(AWKWARD)
def test_lua_reads_back_the_bytes_of_any_file_name(names):
    hexadecimal = 'function(c) return ("%02x"):format(c:byte()) end'
    show = f'function show(s) print((s:gsub(".", {hexadecimal}))) end'
    calls = [f"show({lua_string(name)})" for name in names]
    assert _hexadecimal_lines(["lua5.4", "-"], "\n".join([show, *calls])) == _bytes(names)


@settings(max_examples=examples(10), deadline=None)
@given(st.lists(PLAIN_TEXT, min_size=1, max_size=50))
@example(AWKWARD)
def test_tcl_reads_back_any_text(texts):
    show = "proc show s { puts [binary encode hex [encoding convertto utf-8 $s]] }"
    # Within braces as well, because the modulefile has its help text in the body of a procedure.
    calls = [f"proc body {{}} {{\n    show {tcl_word(text)}\n}}\nbody" for text in texts]
    assert _hexadecimal_lines(["tclsh"], "\n".join([show, *calls])) == _bytes(texts)


def test_tcl_refuses_bytes_that_it_cannot_name():
    with pytest.raises(ValueError, match="not UTF-8"):
        tcl_word("\udcff")


@settings(max_examples=examples(10), deadline=None)
@given(st.lists(ONE_LINE, min_size=1, max_size=50))
@example([text for text in AWKWARD if not set(text) & set("\r\n")])
def test_a_shell_reads_back_any_line(words):
    script = f"printf '%s\\0' {' '.join(map(shell_word, words))}".encode("utf-8", "surrogateescape")
    done = subprocess.run(["sh"], input=script, capture_output=True, check=True)
    assert done.stdout.split(b"\0")[:-1] == _bytes(words)


@pytest.mark.parametrize("text", ["a\nb", "a\n", "\r", "a\0b"])
def test_a_shell_word_holds_no_line_end(text):
    with pytest.raises(ValueError, match="line end or NUL"):
        shell_word(text)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("~", "/home/a b"),
        ("~/x $y", "/home/a b/x $y"),
        ("/opt/~", "/opt/~"),
        ("~root/x", "~root/x"),
        ("$HOME", "$HOME"),
    ],
)
def test_a_shell_finds_home_only_where_the_path_begins_with_it(path, meant):
    done = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {shell_path(path)}"],
        env={"HOME": "/home/a b"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == meant


@settings(max_examples=200, deadline=None)
@given(JSON)
@example(AWKWARD)
@example({"a": [True, 1, 1.0, None, -0.0, "\u2028"]})
def test_python_reads_back_any_plain_value(value):
    literal = python_literal(value)
    assert literal.isascii()
    assert len(literal.splitlines()) == 1
    read = ast.literal_eval(literal)
    assert repr(read) == repr(value)  # tells True from 1 and 0.0 from -0.0


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {1: 2}, {None: 1}, b"x", {"a": {1}}, object(), 1j]
)
def test_python_refuses_what_is_no_plain_value(value):
    with pytest.raises(ValueError, match="no plain Python literal"):
        python_literal(value)


def test_python_does_not_trust_the_repr_of_a_subclass():
    class Text(str):
        __slots__ = ()

        def __repr__(self):
            return "__import__('os')"

    assert python_literal(Text("x")) == "'x'"
