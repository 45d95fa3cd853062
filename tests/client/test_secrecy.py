"""The key goes to the server, and nowhere else."""

import io
import logging
import os
import tempfile
import traceback
import unittest
from pathlib import Path
from unittest import mock
from urllib.parse import quote, quote_plus

from servers import ScriptedServer, drip, make_answer, make_client
from simulator import Simulator

from client import CopacoError
from client.api_key import AUTH_METHODS

# With signs that look different in a URL.
KEY = "geheim/+&=%'\\\"sleutel"
FORMS = {KEY, quote(KEY), quote(KEY, safe=""), quote_plus(KEY), repr(KEY)[1:-1]}
NAME = "X-Own"


class TestSecrecy(unittest.TestCase):
    def setUp(self):
        self.log = io.StringIO()
        handler = logging.StreamHandler(self.log)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        self.addCleanup(root.setLevel, level)
        self.addCleanup(root.removeHandler, handler)
        self.seen = []

    def make_client(self, server, method, **options):
        client = make_client(server, KEY, auth_method=method, auth_name=NAME, **options)
        self.seen += [repr(client), str(client), str(vars(client))]
        self.addCleanup(client.close)
        return client

    def call(self, function, with_locals=True):
        """Return the error that a call ends in, or None; keep all it can show."""
        try:
            function()
        except CopacoError as caught:
            error = caught
        else:
            return None
        self.assertIsNone(error.__cause__)
        self.assertIsNone(error.__context__)
        report = traceback.TracebackException.from_exception(
            error, capture_locals=with_locals
        )
        self.seen += [str(error), repr(error), str(vars(error)), error.advice]
        self.seen += [repr(error.args), "".join(report.format())]
        return error

    def assert_hidden(self):
        text = "\n".join([*self.seen, self.log.getvalue()])
        for form in FORMS:
            place = text.find(form)
            # Not the whole text: it is megabytes.
            self.assertEqual(place, -1, text[max(place - 300, 0) : place + 100])
        self.assertIn("GET example-invoices", text)  # there was a log to look at
        self.assertIn("urllib3", "".join(logging.root.manager.loggerDict))

    def test_no_misbehaviour_brings_it_out(self):
        faults = [
            *(
                ("status", {"status": status})
                for status in (400, 401, 403, 404, 429, 500)
            ),
            ("redirect", {"location": "https://evil.example/"}),
            ("redirect", {"location": f"/api/v1/{quote(KEY)}?{NAME}={quote(KEY)}"}),
            ("drop", {"share": None}),
            ("drop", {"share": 0.5}),
            ("drop", {"reset": True}),
            ("huge", {"bytes": 10_000_000}),
            ("bomb", {"bytes": 10_000_000}),
            ("slow", {"seconds": 5}),
            ("drip", {}),
        ]
        limits = {"timeout": 0.2, "time_limit": 0.5, "max_body_bytes": 1_000_000}
        for method in AUTH_METHODS:
            with Simulator(
                customers=1, api_key=KEY, auth_method=method, auth_name=NAME
            ) as server:
                client = self.make_client(server, method, **limits)
                client.fetch_examples()
                self.assertTrue(server.requests[0].authorized)
                for fault, options in faults:
                    server.misbehave(fault, times=None, **options)
                    # Local variables may hold what the server makes of the key.
                    with_locals = "geheim" not in str(options)
                    self.assertTrue(self.call(client.fetch_examples, with_locals))
                    server.behave()
                self.assertEqual(client.find_auth_method(), method)
            self.assertTrue(self.call(client.fetch_examples))  # nobody listens any more
        self.assertIn("***", self.log.getvalue())  # urllib3 wanted to log it
        self.assert_hidden()

    def test_damaged_answers_do_not_bring_it_out(self):
        header = f"HTTP/1.1 200 OK\r\n{KEY}\r\nContent-Length: 5\r\n\r\nhello".encode()
        for answer in (
            b"",
            b"SSH-2.0-OpenSSH\r\n",
            f"HTTP/1.1 500 {KEY}\r\n\r\n".encode(),
            f"HTTP/1.1 {KEY}\r\n\r\n".encode(),
            make_answer(Content_Length="3, 4"),
            make_answer(b"no gzip", Content_Encoding="gzip"),
            make_answer(b"x", Transfer_Encoding="chunked"),
            make_answer(status=f"302 {KEY}"),
            make_answer(b"A" * 70000, "200 OK", X="A" * 70000),
            drip(header, interval=1),
        ):
            for method in ("bearer", "query"):
                with ScriptedServer(answer) as server:
                    client = self.make_client(server, method, time_limit=1)
                    error = self.call(client.fetch_examples)
                    self.assertTrue(error, answer)
        self.assert_hidden()

    def test_logs_tell_what_happened_and_nothing_of_the_content(self):
        with Simulator(customers=1) as server:
            with make_client(server) as client:
                raw = client.fetch_examples()
        self.assertRegex(
            self.log.getvalue(),
            rf"GET example-invoices: 200, {len(raw)} bytes in \d+\.\d\d s",
        )
        self.assertNotIn("CompanyName", self.log.getvalue())

    def test_filters_on_the_logs_do_not_stay(self):
        with Simulator(customers=1) as server, make_client(server) as client:
            client.fetch_examples()
        loggers = logging.root.manager.loggerDict.values()
        self.assertFalse([each for each in loggers if getattr(each, "filters", None)])


class TestEnvironment(unittest.TestCase):
    def test_a_netrc_file_is_not_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "netrc")
            path.write_text("default login somebody password word\n")
            with (
                mock.patch.dict(os.environ, NETRC=str(path)),
                Simulator(customers=1, auth_method="x_api_key") as server,
                make_client(server, auth_method="x_api_key") as client,
            ):
                client.fetch_examples()
        self.assertTrue(server.requests[0].authorized)
        self.assertNotIn("Authorization", server.requests[0].headers)

    def test_a_proxy_never_sees_what_is_for_this_machine(self):
        with ScriptedServer(make_answer()) as proxy, Simulator(customers=1) as server:
            url = f"http://localhost:{proxy.port}"
            proxies = {"http_proxy": url, "https_proxy": url, "all_proxy": url}
            with mock.patch.dict(os.environ, proxies | {"no_proxy": ""}):
                with make_client(server) as client:
                    client.fetch_examples()
        self.assertEqual(proxy.requests, [])

    def test_a_proxy_sees_no_more_than_the_host(self):
        with ScriptedServer(make_answer(status="502 No")) as proxy:
            url = f"http://localhost:{proxy.port}"
            proxies = {"https_proxy": url, "HTTPS_PROXY": url, "no_proxy": ""}
            with mock.patch.dict(os.environ, proxies):
                for method in AUTH_METHODS:
                    with make_client(
                        "https://api.copaco.example/v1",
                        KEY,
                        auth_method=method,
                        auth_name=NAME,
                    ) as client:
                        with self.assertRaises(CopacoError):
                            client.fetch_examples()
        self.assertTrue(proxy.requests)
        for request in proxy.requests:
            self.assertTrue(request.startswith("CONNECT api.copaco.example:443 "))
            for form in FORMS:
                self.assertNotIn(form, request)


if __name__ == "__main__":
    unittest.main()
