"""Somebody who works in Odoo's web client: what is asked of the server, and how long
each answer takes."""

import threading
import time

import requests

LOGIN = PASSWORD = "admin"
# Seconds after which an answer counts as none. Odoo ends a request after 120.
PATIENCE = 150


class Person:
    """Is logged in at the Odoo that serves ``database`` at ``address``."""

    def __init__(self, address, database):
        self._address = address
        self._session = requests.Session()
        self._ask(
            "/web/session/authenticate",
            {"db": database, "login": LOGIN, "password": PASSWORD},
        )

    def call(self, model, method, *arguments, **options):
        """Call a method as the web client does.

        :return: what it returns
        :raise AssertionError: Odoo answered with an error, or not at all
        """
        params = {
            "model": model,
            "method": method,
            "args": arguments,
            "kwargs": options,
        }
        return self._ask(f"/web/dataset/call_kw/{model}/{method}", params)

    def _ask(self, path, params):
        try:
            answer = self._session.post(
                self._address + path,
                json={"jsonrpc": "2.0", "params": params},
                timeout=PATIENCE,
            ).json()
        except (requests.RequestException, ValueError) as error:
            raise AssertionError(f"{path} was not answered: {error}") from error
        if "error" in answer:
            raise AssertionError(f"{path}: {answer['error']}")
        return answer["result"]


class Visitor:
    """Looks at the list of invoices again and again within a ``with`` block.

    :ivar seconds: how long each of them took
    """

    PAUSE = 0.3

    def __init__(self, person, company_id):
        self.seconds = []
        self._person = person
        self._company_id = company_id
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self._ended.set()
        self._thread.join()

    def _look(self):
        while not self._ended.wait(self.PAUSE):
            started = time.monotonic()
            self._person.call(
                "account.move",
                "web_search_read",
                domain=[["move_type", "in", ["out_invoice", "out_refund"]]],
                specification={
                    "name": {},
                    "partner_id": {"fields": {"display_name": {}}},
                    "amount_total_in_currency_signed": {},
                    "state": {},
                },
                limit=80,
                context={"allowed_company_ids": [self._company_id]},
            )
            self.seconds.append(time.monotonic() - started)
