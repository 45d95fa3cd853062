"""Over a real TLS connection: trust first, and everything else as without."""

import os
import ssl
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ...client import CertificateError, RedirectedError, TimedOutError, UnavailableError
from .case import ClientCase
from .servers import EMPTY, WINDOW, ScriptedServer, drip, make_client, make_response


def write_certificate(folder, host):
    """Write a certificate that only itself vouches for, and its key.

    :return: two paths
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
        .sign(key, hashes.SHA256())
    )
    paths = Path(folder, f"{host}.crt"), Path(folder, f"{host}.key")
    pem = serialization.Encoding.PEM
    paths[0].write_bytes(certificate.public_bytes(pem))
    paths[1].write_bytes(
        key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


class TestTls(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.paths = {
            host: write_certificate(folder.name, host)
            for host in ("localhost", "other.example")
        }

    def make_server(self, *responses, host="localhost"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.paths[host])
        return ScriptedServer(*responses, context=context)

    def trust(self, host, variable="REQUESTS_CA_BUNDLE"):
        bundles = {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}
        return mock.patch.dict(
            os.environ, bundles | {variable: str(self.paths[host][0])}
        )

    def test_a_certificate_that_nobody_trusts_ends_it_at_once(self):
        with self.make_server(make_response()) as server, make_client(server) as client:
            with self.assertRaises(CertificateError) as caught:
                client.fetch("example")
            self.assertIsNone(caught.exception.status)
            # Nor is another way to send the key tried.
            with self.assertRaises(CertificateError):
                client.find_access(WINDOW[0])[0]
            self.assertEqual(client.waits, [])
        self.assertEqual(server.requests, ["", ""])

    def test_a_certificate_of_another_host_is_no_better(self):
        server = self.make_server(make_response(), host="other.example")
        with self.trust("other.example"), server, make_client(server) as client:
            with self.assertRaises(CertificateError):
                client.fetch("example")
        self.assertEqual(server.requests, [""])

    def test_a_company_can_name_its_own_certificates(self):
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            with self.make_server(make_response()) as server:
                with self.trust("localhost", variable), make_client(server) as client:
                    self.assertEqual(client.fetch("example"), EMPTY)

    def test_a_connection_that_drops_is_tried_again(self):
        cut = make_response(EMPTY[:5], Content_Length=len(EMPTY))
        with self.make_server(cut, cut, make_response()) as server:
            with self.trust("localhost"), make_client(server) as client:
                self.assertEqual(client.fetch("example"), EMPTY)
        self.assertEqual(len(server.requests), 3)
        with self.make_server(cut) as server, self.trust("localhost"):
            with make_client(server) as client:
                with self.assertRaises(UnavailableError):
                    client.fetch("example")

    def test_a_dripping_response_is_cut_off(self):
        for head in (
            make_response(b"", Content_Length=200),
            b"HTTP/1.0 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
        ):
            with self.make_server(drip(head)) as server, self.trust("localhost"):
                with make_client(server, time_limit=0.4, timeout=5) as client:
                    with self.assertRaises(TimedOutError):
                        client.fetch("example")

    def test_no_redirect_leads_out_of_tls(self):
        with ScriptedServer(make_response()) as elsewhere:
            response = make_response(status="302 Found", Location=elsewhere.url)
            with self.make_server(response) as server, self.trust("localhost"):
                with make_client(server) as client:
                    with self.assertRaises(RedirectedError):
                        client.fetch("example")
        self.assertEqual(elsewhere.requests, [])
