"""Peppol's directory and an access point, as Odoo's Peppol asks them."""

import json
import uuid
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from .misbehaviour import DROP, LATE, REFUSE, SLOW, Receiver


class AccessPoint(Receiver):
    """
    :ivar participants: dict of the document types that each Peppol address takes
    :ivar documents: list of (Peppol address, XML) that arrived
    :ivar lookups: list of the addresses that the directory was asked for
    """

    def __init__(self):
        self.participants = {}
        self.documents = []
        self.lookups = []
        super().__init__(_Server(("127.0.0.1", 0), _Request))
        self.url = f"http://127.0.0.1:{self.port}"

    def look_up(self, address):
        """:return: what the directory says of a Peppol address"""
        self.lookups.append(address)
        if address not in self.participants:
            return {"error": {"code": "NOT_FOUND", "message": "no naptr record"}}
        services = [
            {"href": "http://127.0.0.1/smp", "document_id": document_type}
            for document_type in self.participants[address]
        ]
        return {"result": {"identifier": address, "services": services}}

    def accept(self, documents):
        """:return: what the access point says of documents that it keeps"""
        self.documents += [
            (document["receiver"], b64decode(document["ubl"])) for document in documents
        ]
        return {"messages": [{"message_uuid": uuid.uuid4().hex} for _ in documents]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Request(BaseHTTPRequestHandler):
    def do_GET(self):
        self._serve(b"")

    def do_POST(self):
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def _serve(self, body):
        receiver = self.server.receiver
        receiver.on_request()
        receiver.hesitate(SLOW)
        if receiver.behaviour == DROP:
            self.close_connection = True
            return
        if receiver.behaviour == REFUSE:
            self._answer(503, {"error": {"code": 503, "message": "no"}})
            return
        url = urlsplit(self.path)
        if url.path.endswith("/lookup"):
            (address,) = parse_qs(url.query)["peppol_identifier"]
            answer = receiver.look_up(address)
        else:
            params = json.loads(body)["params"]
            answer = {"result": receiver.accept(params.get("documents", ()))}
        receiver.hesitate(LATE)
        self._answer(200, answer)

    def _answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Nothing: tests show their own."""
