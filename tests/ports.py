"""Ports of this machine for the servers that tests start."""

import socket

_held: list[socket.socket] = []  # bound while this process lives, and listened on by none of them


def free_port() -> int:
    """A port that is one server's until the test run ends, whether it runs already or is down.

    The port stays bound here, so that the system gives it to no other program and to no outgoing
    connection. The server may listen on it all the same: like this socket, it lets its address be
    used again, as all servers here do.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    _held.append(held)
    return held.getsockname()[1]
