"""No response may cost more than it can be worth, or come from anywhere else."""

import gzip
import threading
import tracemalloc
import zlib
from unittest.mock import patch

from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema
from urllib3.exceptions import InvalidHeader

from ...client import (
    InvalidResponseError,
    RedirectedError,
    ResponseTooLargeError,
    UnavailableError,
)
from ...client.transport import MAX_REDIRECTS
from ..simulator import Simulator
from .case import ClientCase
from .servers import EMPTY, ScriptedServer, make_client, make_response

LIMIT = 1_000_000


class TestSize(ClientCase):
    def test_a_huge_response_is_not_read(self):
        for chunked in (False, True):
            with Simulator(customers=1) as server:
                server.misbehave("huge", bytes=50 * LIMIT, chunked=chunked)
                with make_client(server, max_body_bytes=LIMIT) as client:
                    with self.assertRaises(ResponseTooLargeError):
                        client.fetch("example")
                self.assertEqual(len(server.requests), 1)

    def test_an_announced_size_is_enough(self):
        with ScriptedServer(make_response(b"", Content_Length="9" * 4999)) as server:
            with make_client(server) as client:
                with self.assertRaises(ResponseTooLargeError):
                    client.fetch("example")

    def test_a_compression_bomb_does_not_go_off(self):
        with Simulator(customers=1) as server:
            server.misbehave("bomb", bytes=2_000_000_000)
            with make_client(server, max_body_bytes=LIMIT) as client:
                tracemalloc.start()
                try:
                    with self.assertRaises(ResponseTooLargeError):
                        client.fetch("example")
                    peak = tracemalloc.get_traced_memory()[1]
                finally:
                    tracemalloc.stop()
        self.assertLess(peak, 10 * LIMIT)

    def test_what_comes_has_a_limit_whatever_it_makes(self):
        # A gzip header with a comment that doesn't end makes nothing at all.
        body = b"\x1f\x8b\x08\x10" + bytes(6) + b"x" * 2 * LIMIT
        head = make_response(b"", Content_Encoding="gzip", Transfer_Encoding="chunked")
        head = head.replace(b"Content-Length: 0\r\n", b"")
        with ScriptedServer(head + b"%x\r\n%s\r\n" % (len(body), body)) as server:
            with make_client(server, max_body_bytes=LIMIT) as client:
                with self.assertRaises(ResponseTooLargeError):
                    client.fetch("example")

    def test_a_response_of_just_the_limit_is_read(self):
        body = EMPTY.ljust(LIMIT)
        with ScriptedServer(make_response(body), make_response(body + b" ")) as server:
            with make_client(server, max_body_bytes=LIMIT) as client:
                self.assertEqual(client.fetch("example"), body)
                with self.assertRaises(ResponseTooLargeError):
                    client.fetch("example")

    def test_the_body_of_a_refusal_or_redirect_is_not_read(self):
        body = zlib.compress(b" " * 300 * LIMIT)
        for status, error in (
            ("302 Found", RedirectedError),
            ("500 No", UnavailableError),
        ):
            response = make_response(
                body, status, Content_Encoding="deflate", Location="https://a.example"
            )
            with ScriptedServer(response) as server, make_client(server) as client:
                tracemalloc.start()
                try:
                    with self.assertRaises(error):
                        client.fetch("example")
                    self.assertLess(tracemalloc.get_traced_memory()[1], 10 * LIMIT)
                finally:
                    tracemalloc.stop()


class TestEncoding(ClientCase):
    def test_only_what_was_asked_for_is_decompressed(self):
        for encoding in ("br", "zstd", "gzip, gzip", "x-gzip"):
            response = make_response(gzip.compress(EMPTY), Content_Encoding=encoding)
            with ScriptedServer(response) as server, make_client(server) as client:
                with self.assertRaises(InvalidResponseError):
                    client.fetch("example")
            self.assertIn("Accept-Encoding: gzip\r\n", server.requests[0])

    def test_every_way_that_was_asked_for_is_read(self):
        for encoding, body in (
            ("gzip", gzip.compress(EMPTY)),
            ("GZIP", gzip.compress(EMPTY)),
            ("deflate", zlib.compress(EMPTY)),
            ("identity", EMPTY),
        ):
            response = make_response(body, Content_Encoding=encoding)
            with ScriptedServer(response) as server, make_client(server) as client:
                self.assertEqual(client.fetch("example"), EMPTY, encoding)

    def test_damaged_compression_makes_no_sense(self):
        whole = gzip.compress(EMPTY)
        for body in (b"no gzip at all", b"x", whole[:-1], whole + b"x", whole + whole):
            response = make_response(body, Content_Encoding="gzip")
            with ScriptedServer(response) as server, make_client(server) as client:
                with self.assertRaises(InvalidResponseError, msg=body):
                    client.fetch("example")
            self.assertEqual(len(server.requests), 1)

    def test_nothing_compressed_is_nothing(self):
        response = make_response(b"", Content_Encoding="gzip")
        with ScriptedServer(response) as server, make_client(server) as client:
            self.assertEqual(client.fetch("example"), b"")

    def test_a_damaged_length_makes_no_sense(self):
        response = make_response(Content_Length="3, 4")
        with ScriptedServer(response) as server, make_client(server) as client:
            with self.assertRaises(InvalidResponseError):
                client.fetch("example")
            # Before requests 2.26 it was not an error of requests.
            error = InvalidHeader("Content-Length contained multiple unmatching values")
            with (
                patch.object(HTTPAdapter, "send", side_effect=error),
                self.assertRaises(InvalidResponseError) as caught,
            ):
                client.fetch("example")
            self.assertIsNone(caught.exception.__context__)


class TestRedirects(ClientCase):
    def test_nothing_is_sent_elsewhere(self):
        with (
            ScriptedServer(make_response()) as elsewhere,
            Simulator(customers=1) as server,
        ):
            port = server.url.split(":")[2].split("/")[0]
            with make_client(server) as client:
                for location in (
                    elsewhere.url,
                    elsewhere.url.replace("http:", ""),
                    f"https://127.0.0.1:{port}/api/v1/invoices",
                    f"http://localhost:{port}/api/v1/invoices",
                    f"http://127.0.0.1:{port}@localhost:{elsewhere.port}/",
                    f"http://localhost:{elsewhere.port}\\@127.0.0.1:{port}/",
                    f"http://127.0.0.1:{port}\\@localhost:{elsewhere.port}/",
                    f"http://user:word@127.0.0.1:{port}/api/v1/invoices",
                    f"\\\\localhost:{elsewhere.port}/",
                    f"/\t/localhost:{elsewhere.port}/",
                    "file:///etc/hostname",
                    "http://[::1",
                ):
                    for status in (301, 302, 303, 307, 308):
                        server.misbehave("redirect", location=location, status=status)
                        with self.assertRaises(RedirectedError, msg=location) as caught:
                            client.fetch("example")
                        self.assertEqual(caught.exception.status, status)
            self.assertEqual(elsewhere.requests, [])
            paths = {request.path for request in server.requests}
            self.assertEqual(paths, {"/api/v1/example-invoices"})

    def test_the_session_knows_no_other_server(self):
        with make_client("https://api.example/v1") as client:
            session = client._transport._session
            session.get_adapter("https://api.example/v2")
            for url in ("https://api.example:444/", "http://api.example/", "ftp://x"):
                with self.assertRaises(InvalidSchema):
                    session.get_adapter(url)

    def test_within_the_server_a_redirect_is_followed_with_the_key(self):
        for options in ({"auth_method": "bearer"}, {"auth_method": "query"}):
            options["auth_name"] = "code"
            with Simulator(customers=1, **options) as server:
                for location in (
                    f"{server.url}invoices?startDate=20200101&code=old",
                    "/api/v1/invoices?startDate=20200101",
                    "invoices?startDate=20200101",
                ):
                    server.requests.clear()
                    server.misbehave("redirect", location=location)
                    with make_client(server, **options) as client:
                        client.fetch("example")
                    self.assertEqual(server.requests[1].path, "/api/v1/invoices")
                    self.assertTrue(server.requests[1].authorized)
                    self.assertEqual(server.requests[1].query["startDate"], "20200101")

    def test_going_round_in_circles_ends(self):
        response = make_response(status="302 Found", Location="/api/example-invoices")
        with ScriptedServer(response) as server, make_client(server) as client:
            with self.assertRaises(RedirectedError):
                client.fetch("example")
        self.assertEqual(len(server.requests), 1 + MAX_REDIRECTS)


class TestTidiness(ClientCase):
    def test_no_thread_outlives_a_response(self):
        with Simulator(customers=1) as server, make_client(server) as client:
            client.fetch("example")
            timers = [
                thread
                for thread in threading.enumerate()
                if isinstance(thread, threading.Timer)
            ]
        self.assertEqual(timers, [])
