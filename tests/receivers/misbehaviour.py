"""What a receiver may do wrong."""

import threading
import time

ACCEPT = "accept"
# Says no.
REFUSE = "refuse"
# Closes the connection instead of an answer; nothing arrived.
DROP = "drop"
# Answers, but takes its time.
SLOW = "slow"
# Keeps what it got, and answers when nobody waits for it any longer.
LATE = "late"


class Receiver:
    """A server of `socketserver` in a thread, for the time of a `with` block.

    :ivar behaviour: one of the above
    :ivar delay: seconds that `SLOW` and `LATE` take
    :ivar on_request: what to call when somebody asks for something
    """

    def __init__(self, server):
        self.behaviour = ACCEPT
        self.delay = 1
        self.on_request = lambda: None
        self._server = server
        self._server.receiver = self
        self.port = server.server_address[1]
        self._stopped = threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}
        )
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def behave(self, behaviour=ACCEPT, delay=1):
        """Do that from now on."""
        self.behaviour, self.delay = behaviour, delay

    def hesitate(self, *behaviours):
        """Wait if that is how the server behaves, but not for one that is stopped."""
        if self.behaviour in behaviours:
            end = time.monotonic() + self.delay
            while time.monotonic() < end and not self._stopped.wait(0.05):
                pass
