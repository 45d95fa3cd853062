"""A mail server and Peppol's directory and access point on this machine, which note
what arrived and misbehave on request. The standard library only."""

from .access_point import AccessPoint
from .mail_server import MailServer
from .misbehaviour import ACCEPT, DROP, LATE, REFUSE, SLOW

__all__ = ["ACCEPT", "DROP", "LATE", "REFUSE", "SLOW", "AccessPoint", "MailServer"]
