"""A browser is opened where a window can appear, and never in the terminal."""

import os
import time

import pytest
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import browser

ADDRESS = "https://127.0.0.1:8888"


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A PATH on which every browser of a terminal or of Windows writes down what it is given."""
    path = tmp_path / "bin"
    path.mkdir()
    for name in ("www-browser", "lynx", "w3m", "links", "elinks", "wslview"):
        program = path / name
        program.write_text(f'#!/bin/sh\necho "{name} $1" >>{tmp_path}/told\n')
        program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{path}:{os.environ['PATH']}")
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "told"


@pytest.mark.parametrize(
    ("environment", "platform", "appears"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "freebsd14", False),
        ({}, "darwin", True),
    ],
)
def test_where_a_window_can_appear(environment, platform, appears):
    assert browser.graphical(environment, platform) == appears


def test_without_a_display_nothing_is_started(told):
    assert not browser.opened(ADDRESS)
    assert not told.exists()


def written(path):
    until = time.monotonic() + 20
    text = ""
    while not text.endswith("\n") and time.monotonic() < until:
        time.sleep(0.05)
        text = path.read_text() if path.exists() else ""
    return text


def test_in_wsl_the_browser_of_windows_is_opened(told, monkeypatch):
    monkeypatch.setenv("WSL_DISTRO_NAME", "Debian")
    assert browser.opened(ADDRESS)
    assert written(told) == f"wslview {ADDRESS}\n"


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ("lynx", f"lynx {ADDRESS}"),
        ("lynx %s", f"lynx {ADDRESS}"),
        ("w3m '%s#top' &", f"w3m {ADDRESS}#top"),
        ("/no/such/program:links", f"links {ADDRESS}"),
    ],
)
def test_the_browser_that_the_person_has_named_is_taken_first(named, shown, told, monkeypatch):
    monkeypatch.setenv("WSL_DISTRO_NAME", "Debian")
    monkeypatch.setenv("BROWSER", named)
    assert browser.opened(ADDRESS)
    assert written(told) == f"{shown}\n"


def test_where_the_named_browser_is_missing_none_is_started_in_the_terminal(told, monkeypatch):
    monkeypatch.setenv("BROWSER", "no-such-browser-here")
    assert not browser.opened(ADDRESS)
    assert not told.exists()
