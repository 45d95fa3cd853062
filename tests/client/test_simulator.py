"""The simulator's behaviour: what the other tests lean on must be so."""

import gzip
import json
import signal
import subprocess
import sys
import threading
import time
from datetime import date, datetime, timezone
from decimal import Decimal
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from ..simulator import Simulator
from .case import ClientCase

KEY = {"Authorization": "Bearer simulator-key"}
TODAY = date(2026, 3, 1)


def get(server, endpoint="customer-specifications", headers=None, **query):
    """Return status, headers and body of one GET."""
    address = urlsplit(server.url)
    connection = HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        path = f"{address.path}{endpoint}?{urlencode(query)}"
        connection.request("GET", path, headers=KEY if headers is None else headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def invoices(server, **query):
    """Return the decoded ``Invoices``."""
    status, _headers, body = get(server, **query)
    assert status == 200, body
    return json.loads(body)["Invoices"]


class TestServer(ClientCase):
    def simulate(self, **options):
        return self.enterContext(Simulator(today=TODAY, customers=3, **options))

    def test_only_the_key_sent_as_told_is_let_in(self):
        ways = {
            "bearer": KEY,
            "x_api_key": {"X-API-Key": "simulator-key"},
            "subscription_key": {"Ocp-Apim-Subscription-Key": "simulator-key"},
            "header": {"X-Own": "simulator-key"},
        }
        for method in ways:
            name = "X-Own" if method == "header" else ""
            server = self.simulate(auth_method=method, auth_name=name)
            for way, headers in ways.items():
                status, _headers, body = get(server, headers=headers)
                self.assertEqual(status, 200 if way == method else 401, (method, way))
                json.loads(body)
            wrong = {header: text + "x" for header, text in ways[method].items()}
            self.assertEqual(get(server, headers=wrong)[0], 401)
        server = self.simulate(auth_method="query", auth_name="code")
        self.assertEqual(get(server, headers={}, code="simulator-key")[0], 200)
        self.assertEqual(get(server, headers=KEY)[0], 401)

    def test_permission_is_per_endpoint(self):
        server = self.simulate(permissions={"example-invoices"})
        self.assertEqual(get(server, "example-invoices")[0], 200)
        self.assertEqual(get(server, "invoices")[0], 403)
        self.assertEqual(get(server, "customer-specifications")[0], 403)
        self.assertEqual(get(server, "customer-invoices")[0], 403)
        self.assertEqual(get(server, "customers")[0], 404)
        server.permissions = {"customer-invoices"}
        self.assertEqual(get(server, "customer-invoices")[0], 200)

    def test_window_is_on_creation_date_and_inclusive(self):
        server = self.simulate()
        numbers = [invoice["Header"]["Date"] for invoice in invoices(server)]
        self.assertEqual(sorted(set(numbers)), ["20251223", "20260123", "20260223"])
        for start, end, count in (
            ("20260123", "20260123", 3),
            ("20260124", "20260222", 0),
            ("20251201", "20260123", 6),
        ):
            found = invoices(server, startDate=start, endDate=end)
            self.assertEqual(len(found), count)
        server.add_invoice({"Header": {"InvoiceID": "old"}}, date(2025, 11, 30))
        self.assertEqual(len(invoices(server)), 9, "older than three months")
        self.assertEqual(len(invoices(server, startDate="20251130")), 10)

    def test_malformed_date_is_refused(self):
        server = self.simulate()
        for text in ("2026-01-01", "20260132", "260101", "", "２０２６０１０１"):
            self.assertEqual(get(server, startDate=text)[0], 400, text)
            self.assertEqual(get(server, "invoices", endDate=text)[0], 400, text)
            self.assertEqual(get(server, "example-invoices", startDate=text)[0], 200)

    def test_stored_invoices_can_be_changed_while_it_runs(self):
        server = self.simulate(months=1)
        get(server)
        server.invoices[0].content["Header"]["Currency"] = "USD"
        del server.invoices[1]
        odd = Decimal("1.10000000000000000000000000000000001E+2")
        server.add_invoice({"Money": odd, "Text": "a\ue000b"}, created=TODAY)
        body = get(server)[2]
        self.assertIn(b'{"Money": %s, "Text": "a\xee' % str(odd).encode(), body)
        found = json.loads(body)["Invoices"]
        self.assertEqual(len(found), 3)
        self.assertEqual(found[0]["Header"]["Currency"], "USD")

    def test_requests_are_recorded(self):
        server = self.simulate()
        server.misbehave("empty")
        get(server, startDate="20260101")
        get(server, "invoices", headers={"X-Other": "1"})
        first, second = server.requests
        self.assertEqual(first.path, "/api/v1/customer-specifications")
        self.assertEqual(first.query, {"startDate": "20260101"})
        self.assertEqual(first.headers["Authorization"], "Bearer simulator-key")
        self.assertEqual((first.authorized, first.fault), (True, "empty"))
        self.assertEqual((second.authorized, second.fault), (False, None))

    def test_compresses_for_those_who_accept_it(self):
        accepting = KEY | {"Accept-Encoding": "gzip, deflate"}
        server = self.simulate()
        _status, headers, body = get(server, headers=accepting)
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(body), get(server)[2])
        plain = self.simulate(compress=False)
        self.assertIsNone(get(plain, headers=accepting)[1]["Content-Encoding"])

    def test_many_clients_at_once_get_the_same(self):
        server = self.simulate()
        bodies = []
        threads = [
            threading.Thread(target=lambda: bodies.append(get(server)[2]))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(bodies), 20)
        self.assertEqual(len(set(bodies)), 1)
        self.assertEqual(len(server.requests), 20)

    def test_runs_alone_and_ends_cleanly(self):
        command = [sys.executable, "-m", "simulator", "--customers", "2"]
        command += ["--fault", "status:status=503,times=1", "--today", "2026-03-01"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        url = process.stdout.readline().strip()
        alone = type("Alone", (), {"url": url})
        self.assertEqual(get(alone)[0], 503)
        self.assertEqual(len(invoices(alone)), 6)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.communicate(timeout=5), ("", ""))
        self.assertEqual(process.returncode, 0)


class TestFaults(ClientCase):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(Simulator(today=TODAY, customers=3))
        self.good = get(self.server)[2]

    def spoilt(self, fault, **options):
        """Return the response to the one request that goes wrong."""
        self.server.misbehave(fault, **options)
        response = get(self.server)
        self.assertEqual(get(self.server)[2], self.good, "only one goes wrong")
        return response

    def test_plans_count_and_queue_as_told(self):
        self.server.misbehave("status", status=500, times=2, after=1)
        self.server.misbehave("html", times=None, path="invoices")
        self.server.misbehave("status", status=404)
        statuses = [get(self.server)[0] for _ in range(5)]
        self.assertEqual(statuses, [200, 500, 500, 404, 200])
        self.assertEqual(get(self.server, "example-invoices")[0], 200)
        for _ in range(3):
            self.assertIn(b"<html>", get(self.server, "invoices")[2])
        self.server.behave()
        json.loads(get(self.server, "invoices")[2])

    def test_mistakes_in_a_test_are_told_at_once(self):
        with self.assertRaisesRegex(ValueError, "truncated_json"):
            self.server.misbehave("truncated")
        with self.assertRaises(TypeError):
            self.server.misbehave("status", code=500)
        with self.assertRaises(TypeError):
            self.server.misbehave("slow")
        for options in ({"auth_method": "header"}, {"shape": "round"}):
            with self.assertRaises(ValueError):
                Simulator(**options)

    def test_status_and_retry_after(self):
        for status in (400, 401, 403, 404, 429, 500, 502, 503, 504):
            found, headers, body = self.spoilt("status", status=status)
            self.assertEqual(found, status)
            self.assertIsNone(headers["Retry-After"])
            self.assertEqual(body.startswith(b"<"), status in (502, 503, 504))
        moment = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
        for given, sent in (
            (7, "7"),
            (moment, "Sun, 01 Mar 2026 12:00:00 GMT"),
            ("soon", "soon"),
        ):
            response = self.spoilt("status", status=429, retry_after=given)
            self.assertEqual(response[1]["Retry-After"], sent)

    def test_redirect_goes_where_told(self):
        status, headers, _body = self.spoilt("redirect", location="https://a.example/")
        self.assertEqual((status, headers["Location"]), (302, "https://a.example/"))

    def test_slow_and_drip_take_their_time(self):
        started = time.monotonic()
        self.assertEqual(self.spoilt("slow", seconds=0.3)[2], self.good)
        self.assertGreater(time.monotonic() - started, 0.3)
        started = time.monotonic()
        size = len(self.good) // 4
        self.assertEqual(self.spoilt("drip", interval=0.1, size=size)[2], self.good)
        self.assertGreater(time.monotonic() - started, 0.4)

    def test_stopping_leaves_no_slow_response_behind(self):
        self.server.misbehave("slow", seconds=60)
        thread = threading.Thread(
            target=lambda: self.assertRaises(RemoteDisconnected, get, self.server)
        )
        thread.start()
        while len(self.server.requests) < 2:
            time.sleep(0.01)
        started = time.monotonic()
        self.server.stop()
        thread.join()
        while any("process_request" in t.name for t in threading.enumerate()):
            self.assertLess(time.monotonic() - started, 5)
            time.sleep(0.01)

    def test_dropped_connection_breaks_in_mid_body(self):
        for options in ({}, {"chunked": True}):
            with self.assertRaises(IncompleteRead) as caught:
                self.spoilt("drop", **options)
            if not options:
                self.assertEqual(len(caught.exception.partial), len(self.good) // 2)
        with self.assertRaises(ConnectionResetError):
            self.spoilt("drop", share=None, reset=True)
        with self.assertRaises(RemoteDisconnected):
            self.spoilt("drop", share=None)
        self.assertEqual(get(self.server)[2], self.good)

    def test_huge_body_is_valid_and_as_long_as_told(self):
        for chunked in (False, True):
            _status, headers, body = self.spoilt("huge", bytes=10**6, chunked=chunked)
            self.assertEqual(len(body), 10**6)
            self.assertEqual(json.loads(body)["Invoices"], [])
            self.assertEqual(headers["Content-Length"] is None, chunked)

    def test_huge_body_may_be_left_half_read(self):
        self.server.misbehave("huge", bytes=10**12)
        address = urlsplit(self.server.url)
        connection = HTTPConnection(address.hostname, address.port, timeout=5)
        connection.request("GET", f"{address.path}invoices", headers=KEY)
        response = connection.getresponse()
        self.assertEqual(response.length, 10**12)
        self.assertTrue(response.read(10**6).startswith(b'{"Invoices": []'))
        response.close()
        connection.close()
        self.assertEqual(get(self.server)[2], self.good)

    def test_bomb_is_small_on_the_wire_only(self):
        _status, headers, body = self.spoilt("bomb", bytes=50 * 10**6)
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertLess(len(body), 10**5)
        expanded = gzip.decompress(body)
        self.assertGreater(len(expanded), 50 * 10**6)
        self.assertEqual(json.loads(expanded)["Invoices"], [])

    def test_responses_that_are_not_what_they_should_be(self):
        for fault, body in (
            ("empty_body", b""),
            ("not_object", b"[]"),
            ("null_invoices", b'{"Invoices": null}'),
            ("no_invoices_key", b'{"Message": "OK"}'),
            ("empty", b'{"Invoices": []}'),
            ("bom", b"\xef\xbb\xbf" + self.good),
            ("truncated_json", self.good[: len(self.good) // 2]),
        ):
            status, _headers, found = self.spoilt(fault)
            self.assertEqual((status, found), (200, body), fault)
        status, headers, _body = self.spoilt("html")
        self.assertEqual(status, 200)
        self.assertIn("text/html", headers["Content-Type"])
        self.assertEqual(self.spoilt("not_object", value="text")[2], b'"text"')

    def test_wrong_encoding_is_no_utf_8(self):
        for encoding in ("latin-1", "utf-16"):
            body = self.spoilt("wrong_encoding", encoding=encoding)[2]
            with self.assertRaises(UnicodeDecodeError):
                body.decode("utf-8")
            self.assertIn("Invoices", json.loads(body.decode(encoding)))

    def test_no_number_and_double_key_are_in_an_otherwise_good_response(self):
        body = self.spoilt("nan")[2]
        self.assertEqual(body.count(b"NaN"), 1)
        self.assertEqual(len(json.loads(body)["Invoices"]), 9)
        doubled = self.spoilt("duplicate_keys")[2]
        self.assertEqual(
            doubled.count(b'"ExtendedPrice"'), self.good.count(b'"ExtendedPrice"') + 1
        )
        self.assertEqual(json.loads(doubled), json.loads(self.good))
        self.server.invoices.clear()
        self.good = get(self.server)[2]
        self.assertEqual(self.spoilt("nan")[2], b'{"Invoices": NaN}')
        self.assertEqual(
            self.spoilt("duplicate_keys")[2], b'{"Invoices": 0, "Invoices": []}'
        )
