"""A server that says exactly what it is told, for what the simulator can't say."""

import socketserver
import threading
import time
from datetime import date

from ...client import CopacoClient

KEY = "simulator-key"
WINDOW = date(2026, 1, 1), date(2026, 1, 31)

EMPTY = b'{"Invoices": []}'


def make_response(body=EMPTY, status="200 OK", **headers):
    """Return the bytes of a response; "_" in a header's name stands for "-"."""
    headers = {"Content_Length": len(body)} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


class ScriptedServer:
    """Gives each connection the next response, the last one again and again.

    :param responses: bytes, or functions that are given the socket
    :param context: `ssl.SSLContext` of a server, for https

    ``requests`` are the texts that came in, one for each connection.
    """

    def __init__(self, *responses, context=None):
        self.requests = []
        self.context = context
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                server._response(self.request, responses)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    @property
    def port(self):
        return self._server.server_address[1]

    @property
    def url(self):
        return f"{'https' if self.context else 'http'}://localhost:{self.port}/api"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _response(self, connection, responses):
        number = len(self.requests)
        self.requests.append("")
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                self.requests[number] = _receive(connection)
                response = responses[min(number, len(responses) - 1)]
                if callable(response):
                    response(connection)
                else:
                    connection.sendall(response)
        except OSError:
            return  # the client has hung up, as it may


def _receive(connection):
    """Return the head of a request, or what comes instead of one."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        piece = connection.recv(65536)
        request += piece
        if not piece or not request.startswith((b"GET ", b"CONNECT ")):
            break
    return request.decode("latin-1")


def drip(head, interval=0.05):
    """Return a response that begins with ``head`` and goes on byte by byte for 10 s."""

    def send(connection):
        connection.sendall(head)
        for _ in range(int(10 / interval)):
            connection.sendall(b" ")
            time.sleep(interval)

    return send


def make_client(server, api_key=KEY, **options):
    """Return a client of a server or a URL; it doesn't really wait, see ``waits``."""
    waits = []
    url = server if isinstance(server, str) else server.url
    client = CopacoClient(url, api_key, **{"sleep": waits.append} | options)
    client.waits = waits
    return client
