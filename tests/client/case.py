import requests

from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ...client import client

_send = requests.Session.send


@tagged("post_install", "-at_install", "copaco_client")
class ClientCase(BaseCase):
    """A test of the client, which needs no database.

    It asks servers of its own only, so it needs none of what Odoo forbids tests; and
    Odoo would let a time limit below 10 s be 10 s.
    """

    muted = (client.__name__,)

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        return _send(session, request, **options)

    def setUp(self):
        super().setUp()
        # Retries are logged as warnings; a passing test has nothing to say.
        self.enterContext(mute_logger(*self.muted))
