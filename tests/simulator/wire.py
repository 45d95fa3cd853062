"""The HTTP side of the simulator: sockets, headers, compression."""

import gzip
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from .faults import Response


class Exchange(BaseHTTPRequestHandler):
    """One connection; offers the faults what they need to spoil a response."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self):
        super().finish()
        self.server.connections.discard(self.connection)

    def do_GET(self):
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.server.serve(self, parts.path, query)

    def reply(self, response):
        """Send ``response`` whole."""
        body, headers = response.body, dict(response.headers)
        accepted = self.headers.get("Accept-Encoding", "")
        if self.server.compress and "gzip" in accepted and body:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        response = Response(response.status, body, response.content_type, headers)
        self.head(response, len(body))
        self.write(body)

    def head(self, response, length):
        """Send status and headers; a ``length`` of None announces chunks."""
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def write(self, data):
        """Send bytes as they are."""
        self.wfile.write(data)

    def pause(self, seconds):
        """Wait, but not longer than the simulator lives."""
        if self.server.stopping.wait(seconds):
            raise ConnectionAbortedError("The simulator stops")

    def cut(self, reset):
        """End the connection now: closed, or broken off when ``reset``."""
        self.close_connection = True
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            # rfile still holds the socket open; only the descriptor closes it now.
            socket.close(self.connection.detach())
        else:
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format, *args):
        """Log nothing: ``Simulator.requests`` has it all."""


class Wire(ThreadingHTTPServer):
    """A server on this machine, in threads of its own.

    :param serve: called with the exchange, the path and the query of each request
    :param bool compress: gzip for clients that accept it
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port, serve, compress):
        self.serve = serve
        self.compress = compress
        self.connections: set[socket.socket] = set()
        self.stopping = threading.Event()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        super().__init__(("127.0.0.1", port), Exchange)

    def start(self):
        """Begin to answer."""
        self._thread.start()

    def stop(self):
        """Stop, and break off every connection that is still open."""
        self.stopping.set()
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # its client was faster

    def handle_error(self, request, client_address):
        """Keep quiet about clients that go away, as tests make them do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)
