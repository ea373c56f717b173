"""Every way to damage a profile that we could think of. Pure but for the damage itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PY, JSON = "jupyter_server_config.py", "jupyter_server_config.json"
CERTIFICATE, KEY = "security/notebook.crt", "security/notebook.key"
TOKEN, COOKIES = "security/token", "security/cookie_secret"
SECRETS = (PY, JSON, CERTIFICATE, KEY, TOKEN, COOKIES)
CONFIGURATION = (PY, JSON)


@dataclass(frozen=True)
class Damage:
    """What happened to which file; `apply` does it to a profile."""

    name: str
    apply: Callable[[Path], object]
    # A damage of one byte is tried with one way of serving, any other with every way.
    every_way: bool = False


def all_damages(profile: Path) -> Iterator[Damage]:
    """Damages of a whole profile, from the smallest to the most malicious."""
    contents = {name: (profile / name).read_bytes() for name in SECRETS}
    for name, content in contents.items():
        yield from cut_off(name, content)
        yield from one_byte(name, content)
    for name in SECRETS:
        yield from not_a_file(name)
        yield from other_content(name, contents[name])
    yield from swapped()
    yield from certificates(contents)
    yield from hashes(contents[JSON])
    yield from opened()


def cut_off(name: str, content: bytes) -> Iterator[Damage]:
    """A full disk, a killed writer: only the first bytes are there; or only the last."""
    for length in range(len(content)):
        yield written(f"{name}: cut off at byte {length}", name, content[:length])
    for start in range(1, len(content), 9):
        yield written(f"{name}: begins at byte {start}", name, content[start:])


def one_byte(name: str, content: bytes) -> Iterator[Damage]:
    """A flipped bit, a slip of the finger in an editor."""
    for at in range(0, len(content), {JSON: 1, PY: 6}.get(name, 4)):
        head, byte, tail = content[:at], content[at], content[at + 1 :]
        yield written(f"{name}: bit flipped at {at}", name, head + bytes([byte ^ 1]) + tail)
        if name in CONFIGURATION:
            yield written(f"{name}: byte {at} lost", name, head + tail)
            yield written(f"{name}: line end at {at}", name, head + b"\n" + tail)
            yield written(f"{name}: quote at {at}", name, head + b'"' + tail)
            yield written(f"{name}: NUL at {at}", name, head + b"\0" + tail)


def not_a_file(name: str) -> Iterator[Damage]:
    """Something else lies in its place, or nobody may read it."""
    yield thought(f"{name}: missing", lambda profile: (profile / name).unlink())
    yield thought(f"{name}: unreadable", lambda profile: (profile / name).chmod(0))
    yield thought(f"{name}: readable to all", lambda profile: (profile / name).chmod(0o644))
    yield thought(f"{name}: a directory", partial(replaced, name, Path.mkdir))
    yield thought(f"{name}: a dangling link", partial(replaced, name, link_to("/nonexistent")))
    yield thought(f"{name}: a link to nothing", partial(replaced, name, link_to("/dev/null")))
    yield thought(f"{name}: a link to itself", partial(replaced, name, link_to(Path(name).name)))


def other_content(name: str, content: bytes) -> Iterator[Damage]:
    """What editors, file transfers and file systems make of a file."""
    text = content.decode("latin-1")
    for what, other in {
        "zeros of the same size": bytes(len(content)),
        "random": bytes((37 * i * i + 11 * i) % 256 for i in range(4096)),
        "only white space": b" \n\t\n",
        "a byte order mark": b"\xef\xbb\xbf" + content,
        "UTF-16": text.encode("utf-16"),
        "CRLF": content.replace(b"\n", b"\r\n"),
        "CR": content.replace(b"\n", b"\r"),
        "twice": content + content,
        "in one line": content.replace(b"\n", b" "),
        "backwards": content[::-1],
        "lines sorted": b"\n".join(sorted(content.split(b"\n"))),
        "upper case": content.upper(),
        "lower case": content.lower(),
        "merge conflict": b"<<<<<<< mine\n" + content + b"=======\n>>>>>>> theirs\n",
        "HTML": b"<html><body>Please log in</body></html>",
        "empty object": b"{}",
        "null": b"null",
        "list": b"[]",
        "number": b"7",
        "deep": b"[" * 20000,
        "surrogate": b'{"\\ud800": "\\udc00"}',
    }.items():
        yield written(f"{name}: {what}", name, other, every_way=name in CONFIGURATION)
    for line in range(content.count(b"\n")):
        lines = content.split(b"\n")
        less = b"\n".join(lines[:line] + lines[line + 1 :])
        yield written(f"{name}: without line {line}", name, less)


def swapped() -> Iterator[Damage]:
    """A restored backup, a slip with cp."""
    for one in SECRETS:
        for other in SECRETS:
            if one != other:
                yield thought(f"{one}: overwritten by {other}", partial(copied, one, other))


def certificates(contents: dict[str, bytes]) -> Iterator[Damage]:
    """A pair that is no pair, or that protects nothing."""
    pem = contents[CERTIFICATE], contents[KEY]
    together = b"".join(pem)
    for what, certificate, key in (
        ("both in both files", together, together),
        ("certificate in both files", pem[0], pem[0]),
        ("key in both files", pem[1], pem[1]),
        ("exchanged", pem[1], pem[0]),
        ("both empty", b"", b""),
    ):
        yield thought(f"pair: {what}", partial(pair, certificate, key))
    yield written(
        "key: with a passphrase", KEY,
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAk\n"
        b"-----END ENCRYPTED PRIVATE KEY-----\n", every_way=True,
    )  # fmt: skip


def hashes(content: bytes) -> Iterator[Damage]:
    """A password that is none."""
    stored = json.loads(content)
    ((section, settings),) = stored.items()
    good = settings["hashed_password"]
    for value in (
        "", " ", None, 0, 1, True, False, [], {}, [good], {"a": good}, good.upper(), good + " ",
        good.replace("argon2:", ""), good.replace("argon2id", "argon2i"), "argon2:", ":", "::",
        "sha1::", "sha1::da39a3ee5e6b4b0d3255bfef95601890afd80709", "plain::", "password", "*",
        "md5::d41d8cd98f00b204e9800998ecf8427e", "sha1:0:b6589fc6ab0dc82cf12099d1c2d40ab994e8410c",
        "argon2:$argon2id$",
    ):  # fmt: skip
        other = json.dumps({section: {"hashed_password": value}}).encode()
        yield written(f"{JSON}: hashed_password {value!r}", JSON, other, every_way=True)
    for name in ("identityProvider", "IdentityProvider ", "Identityprovider", "", "NotebookApp"):
        other = json.dumps({name: settings}).encode()
        yield written(f"{JSON}: section {name!r}", JSON, other, every_way=True)


# What an old recipe, a web page of bad advice, or a damaged merge may leave behind.
BAD_ADVICE: dict[str, object] = {
    "ip": "0.0.0.0",
    "port": 0,
    "port_retries": 50,
    "certfile": "",
    "keyfile": "",
    "ssl_options": {},
    "sock": "",
    "sock_mode": "0666",
    "token": "",
    "password": "",
    "hashed_password": "",
    "password_required": False,
    "need_token": False,
    "allow_origin": "*",
    "allow_origin_pat": ".*",
    "allow_credentials": True,
    "allow_remote_access": True,
    "allow_unauthenticated_access": True,
    "allow_root": True,
    "allow_password_change": True,
    "disable_check_xsrf": True,
    "auth_enabled": False,
    "authenticate_prometheus": False,
    "trust_xheaders": True,
    "open_browser": True,
    "identity_provider_class": "jupyter_server.auth.identity.IdentityProvider",
    "login_handler_class": "jupyter_server.auth.login.LegacyLoginHandler",
    "authorizer_class": "jupyter_server.auth.authorizer.AllowAllAuthorizer",
    "tornado_settings": {"xsrf_cookies": False, "disable_check_xsrf": True, "allow_origin": "*"},
    "serverapp_config": {"certfile": "", "ip": "0.0.0.0", "token": ""},
    "config_file": "/dev/null",
    "config_file_name": "nothing",
    "transport": "tcp",
}
CLASSES = (
    "ServerApp", "LabApp", "JupyterNotebookApp", "NotebookApp", "ExtensionApp", "JupyterApp",
    "IdentityProvider", "PasswordIdentityProvider", "KernelManager", "LabServerApp",
)  # fmt: skip
PLACES = (
    "jupyter_server_config.json", "jupyter_config.json", "jupyter_lab_config.json",
    "jupyter_notebook_config.json", "jupyter_nbclassic_config.json", "labconfig/default.json",
    "jupyter_server_config.d/zz.json", "jupyter_lab_config.d/zz.json",
)  # fmt: skip


def opened() -> Iterator[Damage]:
    """Settings that open a server, one by one and all at once, wherever Jupyter might find them."""
    for cls in CLASSES:
        for trait, value in BAD_ADVICE.items():
            yield advice(JSON, {cls: {trait: value}}, f"{cls}.{trait}")
    everything = {cls: dict(BAD_ADVICE) for cls in CLASSES}
    harmless = ("config_file", "config_file_name", "port")
    for name in harmless:
        for cls in CLASSES:
            everything[cls].pop(name)
    for place in PLACES:
        yield advice(place, everything, "everything", every_way=True)
        for cls in CLASSES:
            yield advice(place, {cls: everything[cls]}, f"all of {cls}")
        if not place.endswith(".d/zz.json"):
            yield from damaged_beside(place)
    yield thought(f"{PY}: everything, assigned at its end", partial(assigned, everything))
    yield thought(f"{PY}: the configuration replaced", partial(appended, "c.clear()\n"))
    yield thought(f"{PY}: exits", partial(appended, "raise SystemExit(0)\n"))
    yield thought(f"{PY}: raises", partial(appended, "raise RuntimeError('x')\n"))
    yield thought(f"{PY}: interrupts", partial(appended, "raise KeyboardInterrupt\n"))
    yield thought(f"{PY}: stops the generator", partial(appended, "raise StopIteration\n"))
    yield thought(f"{PY}: asks a person", partial(appended, "input('yes?')\n"))
    yield thought(f"{PY}: imports nothing", partial(appended, "import nothing_of_this_name\n"))


def damaged_beside(place: str) -> Iterator[Damage]:
    """A damaged file that Jupyter reads before or after ours."""
    python = place.replace(".json", ".py")
    yield written(f"{place}: cut off beside ours", place, b'{"ServerApp": {"ip"', every_way=True)
    yield written(f"{python}: cut off beside ours", python, b"c.ServerApp.ip = '", every_way=True)


def advice(
    place: str, settings: dict[str, dict[str, object]], what: str, *, every_way: bool = False
) -> Damage:
    return Damage(f"{place}: {what}", partial(merged, place, settings), every_way)


def thought(name: str, apply: Callable[[Path], object]) -> Damage:
    return Damage(name, apply, every_way=True)


def written(name: str, file: str, content: bytes, *, every_way: bool = False) -> Damage:
    return Damage(name, lambda profile: write(profile / file, content), every_way)


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


def replaced(name: str, make: Callable[[Path], object], profile: Path) -> None:
    (profile / name).unlink()
    make(profile / name)


def link_to(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def copied(one: str, other: str, profile: Path) -> None:
    write(profile / one, (profile / other).read_bytes())


def pair(certificate: bytes, key: bytes, profile: Path) -> None:
    write(profile / CERTIFICATE, certificate)
    write(profile / KEY, key)


def merged(place: str, settings: dict[str, dict[str, object]], profile: Path) -> None:
    """Add to what is there, so that the password stays where it was unless that is the point."""
    path = profile / place
    found = json.loads(path.read_bytes()) if path.exists() else {}
    for cls, traits in settings.items():
        found[cls] = {**found.get(cls, {}), **traits}
    write(path, json.dumps(found).encode())


def assigned(settings: dict[str, dict[str, object]], profile: Path) -> None:
    lines = (
        f"c.{cls}.{t} = {v!r}\n" for cls, traits in settings.items() for t, v in traits.items()
    )
    appended("".join(lines), profile)


def appended(text: str, profile: Path) -> None:
    with os.fdopen(os.open(profile / PY, os.O_WRONLY | os.O_APPEND), "w") as file:
        file.write(text)
