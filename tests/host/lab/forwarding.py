"""A port of this machine that leads into a lab: ``forwarding NETWORK ADDRESS PORT``.

It listens in the network of the machine and connects in that of the lab: a thread of
a process may be in another network than the socket that it accepted from.
"""

import ctypes
import os
import socket
import sys
import threading
from contextlib import suppress

_CLONE_NEWNET = 0x40000000


def main(network: str, address: str, port: int) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)  # noqa: T201 - whoever started it
    _enter(network)
    while True:
        near, _ = listening.accept()
        try:
            far = socket.create_connection((address, port), 5)
        except OSError:
            near.close()
            continue
        far.settimeout(None)
        for pair in ((near, far), (far, near)):
            threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _enter(network: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(f"/run/netns/{network}", os.O_RDONLY)
    if libc.setns(handle, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
