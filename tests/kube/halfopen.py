"""A TCP relay whose connections can go silent, as those of a firewall that forgot them do."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator


class Relay:
    """Forwards bytes between its own port and another of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._silent: set[int] = set()
        self._number = 0
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def silence(self) -> int:
        """From now on no byte passes on the connections that there are; how many there were so far."""
        self._silent.update(range(self._number))
        return self._number

    def close(self) -> None:
        """Ends every connection."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            here, _ = self._listener.accept()
            there = socket.create_connection(("127.0.0.1", self._to))
            self._threads.append(threading.Thread(target=self._forward, args=(self._number, here, there)))
            self._number += 1
            self._threads[-1].start()

    def _forward(self, number: int, here: socket.socket, there: socket.socket) -> None:
        other = {here: there, there: here}
        with here, there:
            while not self._stop.is_set():
                if number in self._silent:
                    self._stop.wait(0.05)
                    continue
                for ready in select.select([here, there], [], [], 0.05)[0]:
                    with contextlib.suppress(OSError):
                        data = ready.recv(65_536)
                        if data:
                            other[ready].sendall(data)
                            continue
                    return


@contextlib.contextmanager
def relay(port: int) -> Iterator[Relay]:
    """A relay to a port, until it is closed."""
    made = Relay(port)
    try:
        yield made
    finally:
        made.close()
