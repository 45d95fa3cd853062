"""An administrator's address can't be made to mean another server or no server."""

import socket

from ...client import SettingsError, get_origin
from ...client.address import Address
from .case import ClientCase

# Without TLS only this machine may be meant, and what is meant must be plain.
NOT_THIS_MACHINE = (
    # Other ways to write 127.0.0.1 or "any", which libraries read differently
    *("127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1"),
    *("0", "0.0.0.0", "127.0.0.1.", "127.000.000.001", "[::]", "[::1].", "[::1]x"),
    # Names that only look like it
    *("localhost.", "localhost.localdomain", "127.0.0.1.nip.example", "local host"),
    *("localhost.evil.example", "xlocalhost", "127.0.0.1-x.example", "localhost%2e"),
    # Other signs that become the same ones
    *("ⓛocalhost", "ｌocalhost", "127。0。0。1", "loc\u00adalhost", "１27.0.0.1"),
    # Inner networks, and what clouds tell their machines
    *("10.0.0.1", "192.168.1.1", "169.254.169.254", "[fe80::1]", "[fe80::1%25lo]"),
    *("[::ffff:8.8.8.8]", "[fd00::1]", "metadata.example"),
)
THIS_MACHINE = (
    *("localhost", "LocalHost", "127.0.0.1", "127.0.0.2", "127.255.255.254"),
    *("[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000::0001]"),
)
OTHER_SCHEMES = (
    *("file:///etc/passwd", "file://localhost/etc/passwd", "FILE:/etc/passwd"),
    *("http+unix://%2Fvar%2Frun%2Fx.sock/", "unix:/var/run/x.sock", "ftp://127.0.0.1"),
    *("gopher://127.0.0.1", "data:application/json,{}", "javascript:1", "ws://[::1]"),
    *("https:api.example", "https:/api.example", "https:///api.example", "https//x"),
    *(" https://api.example", "https ://api.example", "https\n://api.example"),
)
# Parsers disagree about who is meant; the other one is written first and last.
TWO_HOSTS = (
    *("user@", "user:word@", ":@", "@", "user%40", "api.example@", "api.example:80@"),
    *("api.example\\@", "api.example#@", "api.example?@", "api.example;@"),
    *("api.example\t@", "api.example\\\\", "api.example%00", "api.example\0"),
    *("api.example#", "api.example?", "api.example,", "api.example|", "api.example "),
)


class TestAddresses(ClientCase):
    def assert_refused(self, address):
        with self.subTest(address=address), self.assertRaises(SettingsError):
            Address(address)

    def test_without_tls_nothing_but_this_machine_is_asked(self):
        for host in NOT_THIS_MACHINE:
            self.assert_refused(f"http://{host}/api")
            self.assert_refused(f"http://{host}:8069/api")

    def test_this_machine_is_this_machine(self):
        for host in THIS_MACHINE:
            with self.subTest(host=host):
                address = Address(f"http://{host}:8069/api")
                self.assertTrue(address.is_loopback)
                meant = address.origin_url.removeprefix("http://").rsplit(":", 1)[0]
                found = socket.getaddrinfo(meant.strip("[]"), 8069)
                for *_kind, place in found:
                    self.assertRegex(place[0], r"^(127\.|::1$)")

    def test_an_address_in_two_notations_is_this_machine_or_refused(self):
        # Python says yes since 3.13.
        try:
            address = Address("http://[::ffff:127.0.0.1]/")
        except SettingsError:
            return
        self.assertTrue(address.is_loopback)

    def test_no_other_scheme_is_spoken(self):
        for address in OTHER_SCHEMES:
            self.assert_refused(address)

    def test_nobody_is_named_beside_the_host(self):
        for first in TWO_HOSTS:
            self.assert_refused(f"https://{first}evil.example/")
            self.assert_refused(f"http://{first}localhost/")

    def test_the_same_server_has_one_origin_however_it_is_written(self):
        for origin, same, others in (
            (
                "https://api.copaco.cloud",
                (
                    *("https://api.copaco.cloud/", "https://api.copaco.cloud:443"),
                    *("https://API.Copaco.cloud/api/v1/", "HTTPS://api.copaco.cloud"),
                    *("https://api.copaco.cloud:0443/x", "https://api.copaco.cloud./"),
                    "https://api.copaco.cloud//api",
                ),
                (
                    *("https://api.copaco.cloud:8443", "https://copaco.cloud"),
                    *(
                        "https://api.copaco.cloud.evil.example",
                        "https://api-copaco.cloud",
                    ),
                    *("https://api.copaco.cloud:80", "https://api.copaco.cloud:4430"),
                ),
            ),
            (
                "https://[2001:db8::1]:8443",
                (
                    "https://[2001:DB8::1]:8443/api",
                    "https://[2001:0db8:0:0:0:0:0:1]:8443",
                ),
                ("https://[2001:db8::1]", "https://[2001:db8::2]:8443"),
            ),
            (
                "http://127.0.0.1",
                ("http://127.0.0.1:80/api",),
                ("http://127.0.0.2", "https://127.0.0.1", "http://127.0.0.1:443"),
            ),
        ):
            for url in same:
                self.assertEqual(get_origin(url), origin, url)
            for url in others:
                self.assertNotIn(get_origin(url), (origin, ""), url)

    def test_what_is_no_server_has_no_origin(self):
        for url in (
            *("", None, False, "api.copaco.cloud", "http://api.copaco.cloud"),
            *(
                "https://api.copaco.cloud..",
                "https://.",
                "https://[1:2]",
                "https://x:0",
            ),
            *("http://localhost.", "https://user@api.copaco.cloud", "https://x?y"),
        ):
            self.assertEqual(get_origin(url), "", url)

    def test_no_redirect_leads_to_another_server_however_it_is_written(self):
        address = Address("https://api.example/v1")
        url = address.get_url("invoices")
        for location in (
            *(f"https://{first}evil.example/" for first in TWO_HOSTS),
            *(f"//{first}evil.example/" for first in TWO_HOSTS),
            *(f"https://{host}/" for host in (*NOT_THIS_MACHINE, *THIS_MACHINE)),
            *OTHER_SCHEMES,
            *("http://api.example/v1", "https://api.example:8443/", "//api.example:1"),
            *("https://api.example./", "https://API.example.evil.example/"),
        ):
            with self.subTest(location=location):
                target = address.get_redirect_url(url, location)
                # A path on this server, whatever it looks like, is harmless.
                if target:
                    self.assertTrue(target.startswith("https://api.example/"), target)
                    self.assertNotIn("@", target.partition("?")[0])
