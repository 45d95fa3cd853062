"""The client asks for the right thing, in the way that the server wants the key."""

from base64 import b64encode
from datetime import date
from unittest.mock import patch

from ...client import (
    AUTH_METHODS,
    ENDPOINTS,
    CopacoClient,
    InvalidResponseError,
    KeyRefusedError,
    NotReleasedError,
    PermissionMissingError,
    RedirectedError,
    SettingsError,
    UnavailableError,
    auth,
    parse_documents,
)
from ...client import client as client_module
from ...client.auth import AuthMethod
from ...client.client import Endpoint
from ..simulator import Simulator
from .case import ClientCase
from .servers import EMPTY, KEY, WINDOW, ScriptedServer, make_client, make_response

METHODS = {
    "bearer": "",
    "x_api_key": "",
    "subscription_key": "",
    "header": "X-Own-Key",
    "query": "code",
}
TODAY = date(2026, 3, 1)


class TestFetching(ClientCase):
    def test_each_endpoint_is_asked_for_the_window_of_creation_dates(self):
        with (
            Simulator(customers=3, today=TODAY) as server,
            make_client(server) as client,
        ):
            specifications = client.fetch("specification", *WINDOW)
            purchases = client.fetch("purchase", *WINDOW)
            examples = client.fetch("example")
        window = {"startDate": "20260101", "endDate": "20260131"}
        self.assertEqual(
            [(request.path, request.query) for request in server.requests],
            [
                ("/api/v1/customer-specifications", window),
                ("/api/v1/invoices", window),
                ("/api/v1/example-invoices", {}),
            ],
        )
        for raw in (specifications, purchases, examples):
            self.assertTrue(parse_documents(raw).documents)

    def test_what_the_simulator_has_arrives_whole(self):
        for shape in ("per_customer", "consolidated"):
            with (
                Simulator(customers=12, today=TODAY, shape=shape) as server,
                make_client(server) as client,
            ):
                raw = client.fetch("specification", date(2025, 1, 1), TODAY)
            response = parse_documents(raw)
            self.assertEqual(raw.count(b'"ExtendedPrice"'), _count_lines(response))
            self.assertEqual(len(response.documents), 12 * 3)
            self.assertFalse(any(each.error for each in response.documents))
            again = parse_documents(raw.replace(b'": ', b'" : ')).documents
            self.assertEqual(list(again), list(response.documents))

    def test_paths_can_be_set(self):
        with ScriptedServer(make_response()) as server:
            client = make_client(server, paths={"specification": "/v2/specs/"})
            with client:
                self.assertEqual(client.fetch("specification", *WINDOW), EMPTY)
        first_line = "GET /api/v2/specs/?startDate=20260101&endDate=20260131 HTTP/1.1"
        self.assertTrue(server.requests[0].startswith(first_line))

    def test_a_window_that_ends_before_it_begins_is_a_mistake(self):
        with (
            make_client("https://api.example") as client,
            self.assertRaises(ValueError),
        ):
            client.fetch("specification", *reversed(WINDOW))

    def test_a_window_is_given_to_those_that_take_one(self):
        with make_client("https://api.example") as client:
            for call in (
                ("specification",),
                ("purchase", WINDOW[0]),
                ("purchase", None, WINDOW[1]),
                ("example", *WINDOW),
            ):
                with self.assertRaises(ValueError, msg=call):
                    client.fetch(*call)

    def test_another_endpoint_is_one_entry(self):
        usual = {**ENDPOINTS, "product": Endpoint("products", "Get Products")}
        with (
            patch.object(client_module, "ENDPOINTS", usual),
            ScriptedServer(make_response()) as server,
            make_client(server, paths={"purchase": "x"}) as client,
        ):
            self.assertEqual(client.fetch("product", *WINDOW), EMPTY)
        self.assertTrue(server.requests[0].startswith("GET /api/products?"))

    def test_the_window_may_be_one_day(self):
        with ScriptedServer(make_response()) as server, make_client(server) as client:
            client.fetch("specification", TODAY, TODAY)
        self.assertIn("startDate=20260301&endDate=20260301", server.requests[0])


def _count_lines(response):
    return sum(len(document.lines) for document in response.documents)


class TestSettings(ClientCase):
    def test_only_safe_addresses_are_used(self):
        for url in (
            "https://api.copaco.example/api/v1",
            "https://api.copaco.example:8443",
            "HTTPS://Api.Copaco.example/",
            "http://localhost:8069/api",
            "http://127.0.0.1/api",
            "http://[::1]:8069",
        ):
            CopacoClient(url, KEY).close()
        for url in (
            *("http://api.copaco.example", "ftp://localhost", "api.copaco.example"),
            *("https://user:word@api.example", "https://user@api.example", "https://"),
            *("https://api.example/?a=b", "https://api.example/#a", "//api.example"),
            *("https://api.example\\@evil.example", "https://api.example:99999"),
            *("https://api.example:0", "https://api .example", "https://a\n.example"),
            *("http://localhost.evil.example", "http://127.0.0.1.evil.example"),
            *(
                "http://0177.0.0.1",
                "http://10.0.0.1",
                "https://" + "a" * 70 + ".example",
            ),
            *("https://[::1", "https://a..example", "", False, None),
        ):
            with self.assertRaises(SettingsError, msg=url) as caught:
                CopacoClient(url, KEY)
            self.assertIsNone(caught.exception.status)

    def test_only_paths_are_used_as_paths(self):
        for path in ("", None, False, "a?b=c", "a#b", "https://evil.example/", "a b"):
            for name in ENDPOINTS:
                with self.assertRaises(SettingsError, msg=path):
                    CopacoClient("https://api.example", KEY, paths={name: path})
        with ScriptedServer(make_response()) as server:
            with make_client(server, paths={"example": "//evil.example/x"}) as client:
                client.fetch("example")
        self.assertTrue(server.requests[0].startswith("GET /api/evil.example/x "))

    def test_a_key_that_no_request_can_carry_is_refused_without_being_quoted(self):
        for key in ("", None, "geheim ", "geh eim", "geheim\n", "gehëim", "geheim\x00"):
            for method in ("bearer", "query"):
                with self.assertRaises(SettingsError) as caught:
                    CopacoClient(
                        "https://api.example", key, auth_method=method, auth_name="k"
                    )
                self.assertNotIn("geh", repr(caught.exception))

    def test_a_name_that_means_something_else_is_refused(self):
        for method, names in {
            "header": ("", None, "Host", "content-length", "a b", "a:b", "a\r\nb"),
            "query": ("", None, "startDate", "enddate", "a&b", "a=b", "a b"),
        }.items():
            for name in names:
                with self.assertRaises(SettingsError, msg=name):
                    CopacoClient(
                        "https://api.example", KEY, auth_method=method, auth_name=name
                    )
        with self.assertRaises(SettingsError):
            CopacoClient("https://api.example", KEY, auth_method="basic")


class TestAuthMethods(ClientCase):
    def test_each_method_is_what_the_server_wants(self):
        for method, name in METHODS.items():
            with (
                Simulator(customers=1, auth_method=method, auth_name=name) as server,
                make_client(server, auth_method=method, auth_name=name) as client,
            ):
                client.fetch("example")
            (request,) = server.requests
            self.assertTrue(request.authorized, method)

    def test_another_method_is_one_entry(self):
        basic = AuthMethod(
            "Basic authentication",
            "Authorization",
            lambda key: f"Basic {b64encode(f'{key}:'.encode()).decode()}",
        )
        refusal = make_response(status="401 Unauthorized")
        with (
            patch.object(auth, "AUTH_METHODS", {**AUTH_METHODS, "basic": basic}),
            ScriptedServer(refusal, make_response()) as server,
            make_client(server, auth_method="basic") as client,
        ):
            self.assertEqual(client.find_access(TODAY)[0], "bearer")
        sent = b64encode(f"{KEY}:".encode()).decode()
        self.assertIn(f"Authorization: Basic {sent}\r\n", server.requests[0])
        self.assertIn(f"Authorization: Bearer {KEY}\r\n", server.requests[1])

    def test_the_right_method_is_found_from_any_other(self):
        for wanted, name in METHODS.items():
            for first in METHODS:
                with Simulator(
                    customers=1, auth_method=wanted, auth_name=name
                ) as server:
                    options = {"auth_method": first, "auth_name": name or "X-Any"}
                    with make_client(server, **options) as client:
                        self.assertEqual(client.find_access(TODAY)[0], wanted)
                asked = [request.path.rpartition("/")[2] for request in server.requests]
                self.assertEqual(asked[-4], "example-invoices")
                self.assertLessEqual(set(asked[:-4]), {"example-invoices"})

    def test_its_own_method_is_tried_first_and_kept(self):
        with ScriptedServer(make_response()) as server:
            with make_client(server, auth_method="subscription_key") as client:
                self.assertEqual(client.find_access(TODAY)[0], "subscription_key")
        self.assertEqual(len(server.requests), len(ENDPOINTS))

    def test_methods_that_need_a_name_are_tried_only_with_one(self):
        refusal = make_response(status="401 Unauthorized")
        for name, count in (("", 3), ("code", 5), ("Host", 4), ("startDate", 4)):
            with ScriptedServer(refusal) as server:
                with make_client(server, auth_name=name) as client:
                    with self.assertRaises(KeyRefusedError):
                        client.find_access(TODAY)[0]
            self.assertEqual(len(server.requests), count, name)

    def test_when_all_are_refused_the_first_refusal_is_told(self):
        statuses = "403 Forbidden", "401 Unauthorized"
        responses = [make_response(status=status) for status in statuses]
        with ScriptedServer(*responses) as server, make_client(server) as client:
            with self.assertRaises(PermissionMissingError):
                client.find_access(TODAY)[0]

    def test_a_login_page_is_no_yes(self):
        page = make_response(b"\n<!DOCTYPE html><html></html>")
        login = make_response(status="302 Found", Location="https://login.example/")
        for refusal, error in (
            (page, InvalidResponseError),
            (login, RedirectedError),
        ):
            with ScriptedServer(refusal, make_response()) as server:
                with make_client(server) as client:
                    self.assertEqual(client.find_access(TODAY)[0], "x_api_key")
            with ScriptedServer(refusal) as server, make_client(server) as client:
                with self.assertRaises(error):
                    client.find_access(TODAY)[0]

    def test_what_the_key_may_see_is_found_even_if_not_the_examples(self):
        """Each endpoint is asked for one day; a key without the examples is one."""
        with Simulator(customers=1, auth_method="x_api_key") as server:
            server.permissions = ["customer-specifications"]
            with make_client(server) as client:
                method, access = client.find_access(TODAY)
            windows = [request.query for request in server.requests[-3:]]
        self.assertEqual(method, "x_api_key")
        self.assertEqual(
            {name: type(error) for name, error in access.items()},
            {
                "example": PermissionMissingError,
                "customer_invoice": NotReleasedError,
                "specification": type(None),
                "purchase": PermissionMissingError,
            },
        )
        self.assertEqual(
            windows, [{"startDate": "20260301", "endDate": "20260301"}] * 3
        )

    def test_a_network_error_is_no_refusal(self):
        with ScriptedServer(make_response(status="503 Busy")) as server:
            with make_client(server) as client:
                with self.assertRaises(UnavailableError):
                    client.find_access(TODAY)[0]
        self.assertEqual(len(server.requests), 3)
        with make_client(server) as client, self.assertRaises(UnavailableError):
            client.find_access(TODAY)[0]  # nobody listens any more
