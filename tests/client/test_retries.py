"""What may pass is tried again, with patience; what can't pass is not."""

import time
from datetime import datetime, timedelta, timezone

from ...client import (
    CertificateError,
    CopacoError,
    InvalidResponseError,
    KeyRefusedError,
    NotFoundError,
    PermissionMissingError,
    RateLimitedError,
    RedirectedError,
    RejectedError,
    TimedOutError,
    UnavailableError,
    parse_documents,
)
from ...client.client import ATTEMPTS, MAX_RETRY_AFTER
from ...client.exceptions import read_retry_after
from ..properties import st
from ..simulator import Simulator
from .case import ClientCase
from .responses import given
from .servers import EMPTY, ScriptedServer, drip, make_client, make_response


class SimulatorCase(ClientCase):
    def setUp(self):
        super().setUp()
        self.server = Simulator(customers=1).start()
        self.addCleanup(self.server.stop)
        self.client = make_client(self.server)
        self.addCleanup(self.client.close)


class TestRetries(SimulatorCase):
    def assert_passes(self, fault, **options):
        """Twice it goes wrong, then it comes."""
        self.server.requests.clear()
        self.server.misbehave(fault, times=2, **options)
        self.assertTrue(self.client.fetch("example"))
        self.assertEqual(len(self.server.requests), 3, (fault, options))

    def assert_final(self, error_class, fault, **options):
        """Asked once, and never again."""
        self.server.requests.clear()
        self.server.misbehave(fault, **options)
        with self.assertRaises(error_class) as caught:
            self.client.fetch("example")
        self.assertIs(type(caught.exception), error_class)
        self.assertEqual(len(self.server.requests), 1, (fault, options))
        return caught.exception

    def test_a_busy_server_is_asked_again(self):
        for status in (429, 500, 502, 503, 504):
            self.assert_passes("status", status=status)

    def test_a_dropped_connection_is_tried_again(self):
        for share in (None, 0, 0.5):
            for reset in (False, True):
                self.assert_passes("drop", share=share, reset=reset)
        self.assert_passes("drop", share=0.5, chunked=True)

    def test_after_three_attempts_it_gives_up(self):
        self.server.misbehave("status", status=503, times=None)
        with self.assertRaises(UnavailableError) as caught:
            self.client.fetch("example")
        self.assertEqual(len(self.server.requests), ATTEMPTS)
        self.assertEqual(caught.exception.status, 503)
        self.assertEqual(len(self.client.waits), ATTEMPTS - 1)

    def test_waits_grow_and_differ(self):
        for _ in range(5):
            self.server.misbehave("status", status=500, times=2)
            self.client.fetch("example")
        firsts, seconds = self.client.waits[::2], self.client.waits[1::2]
        self.assertTrue(all(1 <= wait <= 1.5 for wait in firsts), firsts)
        self.assertTrue(all(2 <= wait <= 3 for wait in seconds), seconds)
        self.assertEqual(len({*firsts, *seconds}), 10)

    def test_what_a_person_must_mend_is_asked_once(self):
        for status, error_class in {
            400: RejectedError,
            401: KeyRefusedError,
            403: PermissionMissingError,
            404: NotFoundError,
            422: RejectedError,
        }.items():
            error = self.assert_final(error_class, "status", status=status)
            self.assertEqual(error.status, status)

    def test_a_response_is_never_asked_for_again(self):
        for fault in ("html", "empty_body", "truncated_json", "not_object", "nan"):
            self.server.requests.clear()
            self.server.misbehave(fault)
            with self.assertRaises(InvalidResponseError):
                parse_documents(self.client.fetch("example"))
            self.assertEqual(len(self.server.requests), 1)

    def test_other_statuses_bring_no_data(self):
        for status, error_class in {
            "204 No Content": InvalidResponseError,
            "206 Partial Content": InvalidResponseError,
            "304 Not Modified": RedirectedError,
            "302 Found": RedirectedError,
        }.items():
            with ScriptedServer(make_response(status=status)) as server:
                with make_client(server) as client:
                    with self.assertRaises(error_class):
                        client.fetch("example")
            self.assertEqual(len(server.requests), 1)

    def test_a_server_without_tls_is_never_asked_again(self):
        with ScriptedServer(make_response()) as server:
            url = server.url.replace("http:", "https:")
            with make_client(url) as client:
                with self.assertRaises(CertificateError):
                    client.fetch("example")
                self.assertEqual(client.waits, [])


class TestRetryAfter(SimulatorCase):
    def test_the_server_says_how_long_to_wait(self):
        for status in (429, 503):
            self.server.misbehave("status", status=status, retry_after=7)
            self.client.fetch("example")
        self.assertEqual(self.client.waits, [7, 7])

    def test_it_may_say_until_when(self):
        then = datetime.now(timezone.utc) + timedelta(seconds=30)
        self.server.misbehave("status", status=429, retry_after=then)
        self.client.fetch("example")
        self.assertAlmostEqual(self.client.waits[0], 30, delta=3)

    def test_a_time_that_has_passed_is_no_wait(self):
        then = datetime.now(timezone.utc) - timedelta(days=3)
        self.server.misbehave("status", status=429, retry_after=then)
        self.client.fetch("example")
        self.assertEqual(self.client.waits, [0])

    def test_nobody_waits_for_hours(self):
        for seconds in (MAX_RETRY_AFTER + 1, 86400, "9" * 5000):
            self.server.requests.clear()
            self.server.misbehave("status", status=429, retry_after=seconds)
            with self.assertRaises(RateLimitedError) as caught:
                self.client.fetch("example")
            self.assertGreater(caught.exception.retry_after, MAX_RETRY_AFTER)
            self.assertEqual((len(self.server.requests), self.client.waits), (1, []))

    def test_what_cannot_be_read_is_as_if_it_were_not_there(self):
        for text in ("soon", "-5", "1.5", "", "Mon, 99 Foo 2026", "²"):
            self.client.waits.clear()
            self.server.misbehave("status", status=503, retry_after=text)
            self.client.fetch("example")
            self.assertTrue(1 <= self.client.waits[0] <= 1.5, text)

    @given(
        st.text(st.characters(max_codepoint=255)) | st.from_regex(r"\w{3}, [\d:+ -]+")
    )
    def test_no_header_breaks_it(self, text):
        seconds = read_retry_after(text)
        self.assertTrue(seconds is None or seconds >= 0)


class TestTime(ClientCase):
    def assert_times_out(self, client, limit):
        started = time.monotonic()
        with self.assertRaises(TimedOutError):
            client.fetch("example")
        self.assertLess(time.monotonic() - started, limit)

    def test_a_silent_server_is_asked_again(self):
        with Simulator(customers=1) as server:
            server.misbehave("slow", seconds=5)
            with make_client(server, timeout=0.2) as client:
                self.assertTrue(client.fetch("example"))
            self.assertEqual(len(server.requests), 2)

    def test_a_server_that_stays_silent(self):
        with Simulator(customers=1) as server:
            server.misbehave("slow", seconds=5, times=None)
            with make_client(server, timeout=0.2) as client:
                self.assert_times_out(client, limit=3)
            self.assertEqual(len(server.requests), ATTEMPTS)

    def test_a_byte_now_and_then_is_no_way_to_go_on_for_ever(self):
        heads = (
            make_response(b"", Content_Length=200),
            make_response(b"", Content_Length=10_000_000),
            b"HTTP/1.0 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            make_response(b"\x1f\x8b\x08", Content_Length=200, Content_Encoding="gzip"),
        )
        for head in heads:
            with ScriptedServer(drip(head)) as server:
                with make_client(server, time_limit=0.4, timeout=5) as client:
                    self.assert_times_out(client, limit=3)
            self.assertEqual(len(server.requests), 1, head)

    def test_the_limit_holds_for_all_attempts_together(self):
        with Simulator(customers=1) as server:
            server.misbehave("slow", seconds=5, times=None)
            with make_client(server, timeout=0.3, time_limit=0.4) as client:
                self.assert_times_out(client, limit=3)
            self.assertLessEqual(len(server.requests), 2)

    def test_no_wait_outlasts_the_limit(self):
        with Simulator(customers=1) as server:
            server.misbehave("status", status=503, retry_after=50)
            with make_client(server, time_limit=40) as client:
                with self.assertRaises(UnavailableError) as caught:
                    client.fetch("example")
                self.assertEqual(caught.exception.retry_after, 50)
                self.assertEqual(client.waits, [])

    def test_a_slow_but_steady_response_is_waited_for(self):
        with Simulator(customers=1) as server:
            server.misbehave("drip", interval=0.1, size=2000)
            with make_client(server, timeout=5) as client:
                self.assertTrue(client.fetch("example"))
            self.assertEqual(len(server.requests), 1)

    def test_a_server_that_does_not_exist(self):
        server = Simulator(customers=1)
        server.stop()
        with make_client(server) as client:
            with self.assertRaises(CopacoError) as caught:
                client.fetch("example")
            self.assertIs(type(caught.exception), UnavailableError)
            self.assertEqual(len(client.waits), ATTEMPTS - 1)


class TestBodies(ClientCase):
    def test_a_response_without_end_mark_is_taken_when_it_ends(self):
        response = b"HTTP/1.0 200 OK\r\n\r\n" + EMPTY
        with ScriptedServer(response) as server, make_client(server) as client:
            self.assertEqual(client.fetch("example"), EMPTY)
