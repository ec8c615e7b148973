"""How answers go over a connection."""

import socket

from soundstage.server.serve import bound


def test_answers_are_not_held_back_for_an_acknowledgement():
    """asyncio turns Nagle's algorithm off only where it is told that this is TCP."""
    with (
        bound("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP
