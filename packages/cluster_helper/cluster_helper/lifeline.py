"""A connection to the controller that carries nothing, and whose end is noticed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import zmq
from zmq.utils.monitor import parse_monitor_message

_GRACE = 10_000  # milliseconds within which a broken connection has to be there again
_BEAT, _SILENCE = 5_000, 20_000  # a controller whose machine vanished says no good-bye

Keys = tuple[bytes, bytes, bytes]


def watch(url: str, keys: Keys, gone: Callable[[], None]) -> None:
    """Call `gone` from a thread of its own when the controller is gone for good."""
    thread = threading.Thread(target=_watch, args=(url, keys, gone), name="lifeline", daemon=True)
    thread.start()


def _watch(url: str, keys: Keys, gone: Callable[[], None]) -> None:
    socket = zmq.Context().socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.HEARTBEAT_IVL, _BEAT)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, _SILENCE)
    if keys[0]:
        socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = keys
    events = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
    socket.connect(url)
    connected = False
    while events.poll(None if connected else _GRACE):
        event = parse_monitor_message(events.recv_multipart())["event"]
        connected = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
    gone()
