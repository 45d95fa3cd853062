"""A mail server that keeps what it gets."""

import email
import socketserver
from email import policy

from .misbehaviour import DROP, LATE, REFUSE, SLOW, Receiver


class MailServer(Receiver):
    """
    :ivar mails: list of (set of addresses, `email.message.EmailMessage`) that arrived
    """

    def __init__(self):
        self.mails = []
        super().__init__(_Server(("127.0.0.1", 0), _Session))

    def count(self, text):
        """:return: how many mails with this text in their subject arrived"""
        return sum(text in (message["Subject"] or "") for _to, message in self.mails)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        receiver = self.server.receiver
        recipients = set()
        receiver.on_request()
        self._answer("220 ready")
        while line := self.rfile.readline().decode(errors="replace").strip():
            command = line[:4].upper()
            receiver.hesitate(SLOW)
            if command == "QUIT":
                self._answer("221 bye")
                return
            if command == "RCPT":
                if receiver.behaviour == REFUSE:
                    self._answer("550 no such mailbox")
                    continue
                recipients.add(line.partition("<")[2].partition(">")[0])
            if command != "DATA":
                self._answer("250 ok")
                continue
            self._answer("354 go on")
            content = b"".join(iter(self.rfile.readline, b".\r\n"))
            if receiver.behaviour == DROP:
                return
            message = email.message_from_bytes(content, policy=policy.default)
            receiver.mails.append((recipients, message))
            recipients = set()
            receiver.hesitate(LATE)
            self._answer("250 kept")

    def _answer(self, text):
        self.wfile.write(f"{text}\r\n".encode())
