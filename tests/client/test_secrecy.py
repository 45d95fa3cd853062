"""The key goes to the server, and nowhere else."""

import io
import logging
import os
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from unittest import mock
from urllib.parse import quote, quote_plus

from requests.exceptions import InvalidURL

from ...client import AUTH_METHODS, CopacoError, SettingsError
from ..simulator import Simulator
from .case import ClientCase
from .servers import WINDOW, ScriptedServer, drip, make_client, make_response

# With signs that look different in a URL.
KEY = "geheim/+&=%'\\\"sleutel"
FORMS = {KEY, quote(KEY), quote(KEY, safe=""), quote_plus(KEY), repr(KEY)[1:-1]}
NAME = "X-Own"


class TestSecrecy(ClientCase):
    muted = ()

    def setUp(self):
        super().setUp()
        self.log = io.StringIO()
        root = logging.getLogger()
        self.addCleanup(root.setLevel, root.level)
        root.setLevel(logging.DEBUG)
        handler = logging.StreamHandler(self.log)
        self.startPatcher(mock.patch.object(root, "handlers", [handler]))
        self.seen = []

    def make_client(self, server, method, **options):
        client = make_client(server, KEY, auth_method=method, auth_name=NAME, **options)
        self.seen += [repr(client), str(client), str(vars(client))]
        self.addCleanup(client.close)
        return client

    def call(self, client, with_locals=True):
        """Return the error that a fetch ends in, or None; keep all it can show."""
        try:
            client.fetch("example")
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
                client.fetch("example")
                self.assertTrue(server.requests[0].authorized)
                for fault, options in faults:
                    server.misbehave(fault, times=None, **options)
                    # Local variables may hold what the server makes of the key.
                    with_locals = "geheim" not in str(options)
                    self.assertTrue(self.call(client, with_locals))
                    server.behave()
                self.assertEqual(client.find_access(WINDOW[0])[0], method)
            self.assertTrue(self.call(client))  # nobody listens any more
        self.assertIn("***", self.log.getvalue())  # urllib3 wanted to log it
        self.assert_hidden()

    def test_damaged_responses_do_not_bring_it_out(self):
        header = f"HTTP/1.1 200 OK\r\n{KEY}\r\nContent-Length: 5\r\n\r\nhello".encode()
        for response in (
            b"",
            b"SSH-2.0-OpenSSH\r\n",
            f"HTTP/1.1 500 {KEY}\r\n\r\n".encode(),
            f"HTTP/1.1 {KEY}\r\n\r\n".encode(),
            make_response(Content_Length="3, 4"),
            make_response(b"no gzip", Content_Encoding="gzip"),
            make_response(b"x", Transfer_Encoding="chunked"),
            make_response(status=f"302 {KEY}"),
            make_response(b"A" * 70000, "200 OK", X="A" * 70000),
            drip(header, interval=1),
        ):
            for method in ("bearer", "query"):
                with ScriptedServer(response) as server:
                    client = self.make_client(server, method, time_limit=1)
                    error = self.call(client)
                    self.assertTrue(error, response)
        self.assert_hidden()

    def test_logs_tell_what_happened_and_nothing_of_the_content(self):
        with Simulator(customers=1) as server:
            with make_client(server) as client:
                raw = client.fetch("example")
        self.assertRegex(
            self.log.getvalue(),
            rf"GET example-invoices: 200, {len(raw)} bytes in \d+\.\d\d s",
        )
        self.assertNotIn("CompanyName", self.log.getvalue())

    def test_a_logger_that_is_made_later_has_it_no_more_than_the_others(self):
        self.make_client("https://api.example", "bearer")
        for name in ("urllib3.later", "urllib3.later.still", "requests.later"):
            logging.getLogger(name).debug("with %s", KEY)
            try:
                raise ValueError(f"in {KEY}")
            except ValueError:
                logging.getLogger(name).debug("an error", exc_info=True)
        logging.getLogger("urllib3.later").debug("in %s", quote_plus(KEY))
        text = self.log.getvalue()
        self.assertEqual(text.count("with ***"), 3)
        self.assertEqual(text.count("an error"), 3)
        for form in FORMS:
            self.assertNotIn(form, text)

    def test_a_key_is_masked_whole_and_only_the_libraries_logs_are(self):
        for key in ("geheim", "geheim-longer"):
            make_client("https://api.example", key).close()
        logging.getLogger("urllib3.connectionpool").debug("GET /?code=geheim-longer")
        logging.getLogger("other").debug("geheim of another kind")
        self.assertEqual(
            self.log.getvalue().splitlines(),
            ["GET /?code=***", "geheim of another kind"],
        )

    def test_nothing_is_left_on_the_logs_however_many_clients_there_were(self):
        loggers = [
            each
            for each in logging.root.manager.loggerDict.values()
            if isinstance(each, logging.Logger)
        ]
        before = [(list(each.filters), list(each.handlers)) for each in loggers]
        for method in AUTH_METHODS:
            self.make_client("https://api.example", method)
        after = [(each.filters, each.handlers) for each in loggers]
        self.assertEqual(after, before)


class TestThreads(ClientCase):
    LOGGER = logging.getLogger("urllib3.connectionpool")

    def setUp(self):
        super().setUp()
        self.records = []
        handler = logging.Handler()
        handler.emit = lambda record: self.records.append(record.getMessage())
        level, interval = self.LOGGER.level, sys.getswitchinterval()
        self.LOGGER.addHandler(handler)
        self.LOGGER.setLevel(logging.DEBUG)
        sys.setswitchinterval(1e-6)
        self.addCleanup(sys.setswitchinterval, interval)
        self.addCleanup(self.LOGGER.setLevel, level)
        self.addCleanup(self.LOGGER.removeHandler, handler)
        self.startPatcher(mock.patch.object(self.LOGGER, "propagate", False))

    def test_no_thread_lets_the_key_of_another_through(self):
        """With a filter that each call adds and removes, one record in 3,000 had it."""

        def send(_adapter, request, **_options):
            for _ in range(100):
                self.LOGGER.debug("GET %s", request.url)
            raise InvalidURL

        def work(key):
            with make_client(
                "https://api.example", key, auth_method="query", auth_name="code"
            ) as client:
                while time.monotonic() < end:
                    with suppress(SettingsError):
                        client.fetch("example")

        keys = [f"geheim-{number}-sleutel" for number in range(4)]
        end = time.monotonic() + 1
        threads = [threading.Thread(target=work, args=[key]) for key in keys]
        with mock.patch("requests.adapters.HTTPAdapter.send", send):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertGreater(len(self.records), 1000)
        self.assertFalse([text for text in self.records if "geheim" in text])


class TestEnvironment(ClientCase):
    def test_a_netrc_file_is_not_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "netrc")
            path.write_text("default login somebody password word\n")
            with (
                mock.patch.dict(os.environ, NETRC=str(path)),
                Simulator(customers=1, auth_method="x_api_key") as server,
                make_client(server, auth_method="x_api_key") as client,
            ):
                client.fetch("example")
        self.assertTrue(server.requests[0].authorized)
        self.assertNotIn("Authorization", server.requests[0].headers)

    def test_a_proxy_never_sees_what_is_for_this_machine(self):
        with ScriptedServer(make_response()) as proxy, Simulator(customers=1) as server:
            url = f"http://localhost:{proxy.port}"
            proxies = {"http_proxy": url, "https_proxy": url, "all_proxy": url}
            with mock.patch.dict(os.environ, proxies | {"no_proxy": ""}):
                with make_client(server) as client:
                    client.fetch("example")
        self.assertEqual(proxy.requests, [])

    def test_a_proxy_sees_no_more_than_the_host(self):
        with ScriptedServer(make_response(status="502 No")) as proxy:
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
                            client.fetch("example")
        self.assertTrue(proxy.requests)
        for request in proxy.requests:
            self.assertTrue(request.startswith("CONNECT api.copaco.example:443 "))
            for form in FORMS:
                self.assertNotIn(form, request)
