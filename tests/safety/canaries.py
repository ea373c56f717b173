"""In which forms a secret could show up, and where it does. Pure."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterator, Mapping

SHORTEST = 12  # bytes of an inner piece that are still no accident


def forms(secret: bytes) -> Iterator[bytes]:
    """As it is, and as programs write it: base64, URL, JSON, hexadecimal, Python."""
    text = secret.decode("utf-8", "surrogateescape")
    yield secret
    yield from within_base64(secret)
    yield secret.hex().encode()
    yield urllib.parse.quote(secret, safe="").encode()
    yield urllib.parse.quote_plus(secret).encode()
    yield urllib.parse.quote(secret).encode()
    for ascii_only in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogateescape")
        twice = json.dumps(json.dumps(text, ensure_ascii=ascii_only), ensure_ascii=ascii_only)
        yield twice[3:-3].encode("utf-8", "surrogateescape")
    yield repr(text)[1:-1].encode("utf-8", "surrogateescape")
    yield repr(secret)[2:-1].encode()


def within_base64(secret: bytes) -> Iterator[bytes]:
    """The pieces that do not depend on what stands before or behind it, for each alignment."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + secret)
        begin = (0, 2, 3)[before]
        piece = whole[begin : len(whole) - 4]
        if len(piece) >= SHORTEST:
            yield piece
            yield piece.replace(b"+", b"-").replace(b"/", b"_")


def found(secrets: Mapping[str, bytes], places: Mapping[str, bytes]) -> list[str]:
    """Which secret stands where; a place is a name and everything that was seen there."""
    return sorted(
        f"{name} in {place}"
        for name, secret in secrets.items()
        for place, seen in places.items()
        if any(form in seen for form in set(forms(secret)))
    )
