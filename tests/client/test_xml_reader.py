"""XML that isn't a response of the older platform is refused whole, in plain words."""

import time
from unittest.mock import patch

from ...client import InvalidResponseError, parse_documents, parse_payload, xml_reader
from ..properties import st
from ..simulator.older_platform import write_xml
from . import make
from .case import ClientCase
from .responses import given

RAW = write_xml([make.invoice(make.customer(CompanyName="Café Zuid"))])
TEXT = RAW.decode().partition("?>\n")[2]
OPENING = b"<InvoiceResponse><Invoice>"
LINE = "<PriceLine><LineId>L1</LineId><ExtendedPrice>10</ExtendedPrice></PriceLine>"


def declare(encoding, text=TEXT):
    return f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'


def make_xml(lines=f"<PriceLines>{LINE}</PriceLines>", header=""):
    """Return a response with one invoice for one customer."""
    return (
        "<InvoiceResponse><Invoice>"
        f"<Header><InvoiceID>1</InvoiceID><Date>20260323</Date>{header}</Header>"
        "<Customers><Customer><AccountID>100</AccountID>"
        f"<Subscriptions><Subscription>{lines}</Subscription></Subscriptions>"
        "</Customer></Customers></Invoice></InvoiceResponse>"
    ).encode()


def parse_one(raw):
    """Return the only document of a response, of which nothing was rejected."""
    response = parse_documents(raw)
    if len(response.documents) != 1 or response.rejected:
        raise AssertionError(f"not one document: {response}")
    return response.documents[0]


class TestRefused(ClientCase):
    def assert_refused(self, raw, words):
        started = time.process_time()
        with self.assertRaisesRegex(InvalidResponseError, words) as caught:
            parse_documents(raw)
        # An expansion of a million times would take far longer.
        self.assertLess(time.process_time() - started, 2)
        error = caught.exception
        self.assertTrue(str(error).startswith("Copaco"))
        self.assertTrue(str(error).endswith("."))
        self.assertIsNone(error.__cause__)
        self.assertIsNone(error.__context__)

    def test_web_pages_and_other_xml_are_no_response(self):
        for raw in (
            *(b"<!DOCTYPE html><html>", b"<!doctype html>", b"\n\xef\xbb\xbf <html>"),
            *(b"<html><meta><p>InvoiceResponse", b"<?xml?><a/>", b"<h1>Hi</h1>", b"<"),
            *(b"<Invoice/>", b"<invoiceresponse/>", b"<!-- -->", b"<InvoiceResp"),
            '<?xml version="1.0"?><Error><Code>Denied</Code></Error>'.encode("utf-16"),
            b"<!--" + b" " * 100_000 + b"--><InvoiceResponse/>",
        ):
            self.assert_refused(raw, "web page, or XML of another kind")

    def test_no_document_type_is_read(self):
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
        for declared, used in (
            ('[<!ENTITY x SYSTEM "file:///etc/passwd">]', "&x;"),
            ('[<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]', "&x;"),
            ('[<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]', ""),
            ('SYSTEM "http://127.0.0.1:9/response.dtd"', ""),
            (f'[<!ENTITY l0 "ha">{laughs}]', "&l9;"),
            (f'[<!ENTITY a "{"a" * 50_000}">]', "&a;" * 50_000),
            ('[<!ATTLIST Invoice Type CDATA "INVOICE">]', ""),
            ("", ""),
        ):
            start = f"<!DOCTYPE InvoiceResponse {declared}>"
            xml = f"{start}<InvoiceResponse>{used}</InvoiceResponse>"
            self.assert_refused(xml.encode(), "document type, which is not allowed")
            self.assert_refused(xml.encode("utf-16"), "document type")
            # Late enough not to be in the first piece that the parser gets.
            late = "<!--" + " " * 70_000 + "-->" + xml
            self.assert_refused(late.encode(), "web page, or XML of another kind")
            inside = f"<InvoiceResponse>{xml}</InvoiceResponse>"
            self.assert_refused(inside.encode(), "damaged")

    def test_unknown_entities_are_not_guessed(self):
        self.assert_refused(make_xml().replace(b"L1", b"&nbsp;"), "damaged")

    def test_a_cut_response_is_refused(self):
        for end in range(RAW.index(b"<InvoiceResponse ") + 120, len(RAW)):
            self.assert_refused(RAW[:end], "damaged or cut off at line 2")
        for end in range(1, RAW.index(b"<InvoiceResponse ") + 120):
            self.assert_refused(RAW[:end], "damaged|web page")

    def test_damage_says_its_line(self):
        for end in ("</Invoices>", "<a", "&", "<a b=c/>", "\x01", "&#1;", "<:a/>"):
            self.assert_refused(OPENING + b"\n\n" + end.encode(), "cut off at line 3")
        for more in (b"<a/>", b"x", RAW):
            self.assert_refused(TEXT.encode() + more, "damaged")
        self.assert_refused(b"<InvoiceResponse><x:Invoice/>", "damaged")

    def test_a_nesting_bomb_is_refused(self):
        for depth in (101, 1_000_000):
            self.assert_refused(OPENING + b"<a>" * depth, "nested too deep")

    def test_more_elements_than_any_response_has_are_refused(self):
        with patch.object(xml_reader, "MAX_ELEMENTS", 1000):
            self.assertEqual(parse_one(make_xml()).amount, 10)
            self.assert_refused(
                OPENING + b"<a/>" * 1000, "more pieces than any response"
            )

    def test_wrong_encodings_are_refused(self):
        cafe = TEXT.encode("latin-1")
        self.assertIn(b"\xe9", cafe)
        self.assert_refused(cafe, "not in the encoding")
        self.assert_refused(declare("utf-8").encode("latin-1"), "not in the encoding")
        self.assert_refused(declare("us-ascii").encode(), "not in the encoding")
        bad = declare("windows-1252").encode("cp1252").replace(b"\xe9", b"\x81")
        self.assert_refused(bad, "not in the encoding")
        for raw in (
            TEXT.encode("utf-16")[:-1],
            OPENING.decode().encode("utf-16-le") + b"\x00\xd8<\x00",
        ):
            self.assert_refused(raw, "not in the encoding")
        for name in ("ebcdic-cp-nl", "utf-7", "unicode_escape", "base64", "x"):
            self.assert_refused(declare(name).encode(), "encoding that isn't known")

    def test_a_response_without_invoices_is_not_taken_for_an_empty_month(self):
        for inner in (b"<Message>OK</Message>", b"OK", b"<Customers/>"):
            raw = b"<InvoiceResponse>%s</InvoiceResponse>" % inner
            self.assert_refused(raw, "Invoices is missing")


class TestRead(ClientCase):
    def test_every_encoding_that_says_what_it_is(self):
        expected = parse_one(RAW)
        self.assertEqual(expected.customer.name, "Café Zuid")
        for raw in (
            TEXT.encode(),
            *map(TEXT.encode, ("utf-8-sig", "utf-16", "utf-16-be", "utf-32")),
            *(
                declare(name).encode(name)
                for name in (
                    *("utf-8", "UTF-8", "utf-8-sig", "utf-16", "utf-32"),
                    *("ISO-8859-1", "iso-8859-15", "windows-1252"),
                )
            ),
            # .NET declares what it has in memory, whatever the file is saved in.
            declare("utf-16").encode(),
            declare("utf-16").encode("utf-8-sig"),
            declare("windows-1252").encode("utf-16"),
            b"\r\n\t " + declare("utf-8").encode(),
        ):
            self.assertEqual(parse_one(raw), expected, raw[:60])

    def test_no_invoices_is_an_empty_result(self):
        for raw in (
            b"<InvoiceResponse/>",
            b"<InvoiceResponse>\n</InvoiceResponse>",
            b"<InvoiceResponse><Invoices/></InvoiceResponse>",
            b'<r:InvoiceResponse xmlns:r="urn:x"><r:Invoices/></r:InvoiceResponse>',
        ):
            response = parse_documents(raw)
            self.assertEqual([*response.documents, *response.rejected], [])

    def test_the_dress_of_the_xml_does_not_matter(self):
        expected = parse_one(make_xml())
        for old, new in (
            ("<InvoiceResponse>", '<InvoiceResponse xmlns="urn:copaco" a="1">'),
            ("<Header>", "<?note x?><!-- a -->\n\t<Header>\n<Unknown><A/></Unknown>"),
            ("<LineId>L1", "<LineId><![CDATA[L]]><!-- a -->&#49;"),
            ("</PriceLine>", "\n<!-- a --></PriceLine>\r\n"),
            ("<ExtendedPrice>10", "<ExtendedPrice>\n 10.00 "),
            ("<Customer>", '<Customer Type="x"><CostCenter/>'),
        ):
            raw = make_xml().decode()
            self.assertIn(old, raw)
            self.assertEqual(
                parse_one(raw.replace(old, new).encode()).digest, expected.digest, new
            )
        wrapped = make_xml().replace(b"<Invoice>", b"<Invoices><Invoice>")
        wrapped = wrapped.replace(b"</Invoice>", b"</Invoice></Invoices>")
        self.assertEqual(parse_one(wrapped), expected)

    def test_a_list_has_as_many_entries_as_elements(self):
        second = LINE.replace("L1", "L2")
        for lines, refs in (
            ("<PriceLines/>", []),
            ("<PriceLines>\n</PriceLines>", []),
            (f"<PriceLines>{LINE}</PriceLines>", ["L1"]),
            (f"<PriceLines>{LINE}{second}</PriceLines>", ["L1", "L2"]),
            (f"<PriceLines>{LINE.replace('PriceLine', 'Line')}</PriceLines>", ["L1"]),
        ):
            document = parse_one(make_xml(lines))
            self.assertEqual([line.line_ref for line in document.lines], refs)
            self.assertEqual(document.error, "")

    def test_null_is_not_empty_text(self):
        nil = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"'
        for name, value in (("CostCenter", None), ("PriceLines", None)):
            raw = (
                f"<InvoiceResponse><Invoice><{name} {nil}/></Invoice></InvoiceResponse>"
            )
            tree = xml_reader.read_xml(raw.encode())
            self.assertEqual(tree, {"Invoices": [{name: value}]})
        tree = xml_reader.read_xml(
            b"<InvoiceResponse><Invoice><CostCenter/></Invoice></InvoiceResponse>"
        )
        self.assertEqual(tree, {"Invoices": [{"CostCenter": ""}]})

    def test_a_long_response_is_read_beyond_its_first_piece(self):
        lines = "".join(LINE.replace("L1", f"L{n}") for n in range(2000))
        raw = make_xml(f"<PriceLines>{lines}</PriceLines>")
        self.assertGreater(len(raw), 2 * xml_reader._MAX_PROLOG)
        self.assertEqual(parse_one(raw).amount, 20_000)
        for size in range(1, 400):
            with patch.object(xml_reader, "_MAX_PROLOG", size):
                try:
                    self.assertEqual(parse_one(make_xml()).amount, 10)
                except InvalidResponseError:
                    self.assertLess(size, len("<InvoiceResponse>"))


class TestNothingIsLost(ClientCase):
    def test_what_stands_twice_is_never_taken_once(self):
        for name in ("ExtendedPrice", "AccountID", "Date", "PriceLines", "Customers"):
            raw = make_xml().decode()
            start = raw.index(f"<{name}>")
            end = raw.index(f"</{name}>") + len(f"</{name}>")
            raw = raw[:end] + raw[start:end] + raw[end:]
            document = parse_one(raw.encode())
            self.assertTrue(document.error, name)
            self.assertEqual(document.payload.count("L1"), raw.count("L1"))
        raw = make_xml().replace(b"<Header>", b"<Header/><Header>")
        self.assertEqual(len(parse_documents(raw).rejected), 1)

    def test_text_where_lines_belong_is_not_dropped(self):
        for lines in (
            "<PriceLines>10.00</PriceLines>",
            f"<PriceLines>{LINE}10.00</PriceLines>",
            f"<PriceLines>{LINE}<PriceLine/></PriceLines>",
            f"<PriceLines>{LINE}<Count>1</Count></PriceLines>",
            LINE,
            "",
        ):
            document = parse_one(make_xml(lines))
            self.assertTrue(document.error, lines)
        self.assertIn("lost?", parse_one(make_xml(header="lost?")).payload)

    def test_a_bad_document_condemns_no_other(self):
        raw = write_xml(
            [
                make.invoice(make.bad_customer(), make.customer(AccountID="200")),
                make.invoice(header={"InvoiceID": ""}),
                make.invoice(header={"InvoiceID": "2"}),
            ]
        )
        response = parse_documents(raw)
        self.assertEqual(
            [bool(document.error) for document in response.documents],
            [True, False, False],
        )
        self.assertEqual(len(response.rejected), 1)

    def test_a_document_reads_back_the_same(self):
        raw = write_xml(
            [make.invoice(make.customer(), make.bad_customer(AccountID="200"))]
        )
        first, second = parse_documents(raw).documents
        self.assertEqual(parse_payload(first.payload), first)
        self.assertEqual(parse_payload(second.payload), second)
        for raw in (make_xml(), make_xml(header="lost?"), make_xml(LINE * 2)):
            document = parse_one(raw)
            self.assertEqual(parse_payload(document.payload), document)


class TestNothingBreaks(ClientCase):
    MARKUP = st.sampled_from(
        [
            *(b"<", b">", b"&", b"&#", b";", b"]]>", b"<![CDATA[", b"<!--", b"-->"),
            *(b"<?xml ?>", b"</a>", b"<a>", b"\x00", b"\xff\xfe", b"\xed\xa0\x80"),
            *(b'<!DOCTYPE a [<!ENTITY a "b">]>', b"xmlns:a=''", b' encoding="x"'),
        ]
    )

    @given(st.lists(st.binary(max_size=3) | MARKUP, max_size=5), st.data())
    def test_any_damage_to_the_bytes(self, damage, data):
        raw = data.draw(st.sampled_from([RAW, TEXT.encode("utf-16"), make_xml()]))
        start = data.draw(st.integers(0, len(raw)))
        length = data.draw(st.integers(0, 20))
        damaged = raw[:start] + b"".join(damage) + raw[start + length :]
        try:
            response = parse_documents(damaged)
        except InvalidResponseError:
            return
        for document in response.documents:
            self.assertEqual(parse_payload(document.payload), document)

    @given(st.binary())
    def test_any_bytes(self, rest):
        for start in (b"<", b"<InvoiceResponse>", b"\xff\xfe<\x00", b"<?xml "):
            with self.assertRaises(InvalidResponseError):
                parse_documents(start + rest)


class TestCredits(ClientCase):
    def make(self, amount, kind):
        lines = make.subscription({"LineId": "1", "ExtendedPrice": amount})
        return write_xml([make.invoice(make.customer(lines), header={"Type": kind})])

    def test_a_credit_that_looks_like_a_debt_is_left_to_a_person(self):
        for kind in ("credit", "CREDIT", "CreditNote"):
            document = parse_one(self.make("10.00", kind))
            self.assertIn("Header.Type is a credit", document.error)
            self.assertEqual(document.lines, [])
            for amount in ("-10.00", "0"):
                self.assertEqual(parse_one(self.make(amount, kind)).error, "")
        for kind in ("INVOICE", "invoice", "", "Factuur"):
            for amount in ("10.00", "-10.00"):
                self.assertEqual(parse_one(self.make(amount, kind)).error, "")
