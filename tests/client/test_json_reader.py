"""A response that isn't what it should be is refused whole, in plain words."""

import json

from ...client import InvalidResponseError, parse_documents
from ...client.json_reader import read_json, write_json
from ..properties import st
from . import make, responses
from .case import ClientCase
from .responses import given

RAW = make.raw(make.invoice())
TREES = st.recursive(
    st.none() | st.booleans() | responses.TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(responses.TEXTS, inner),
    max_leaves=10,
)


class TestReading(ClientCase):
    def assert_refused(self, raw, words):
        with self.assertRaisesRegex(InvalidResponseError, words) as caught:
            parse_documents(raw)
        error = caught.exception
        self.assertTrue(str(error).startswith("Copaco"))
        self.assertTrue(str(error).endswith("."))
        # Neither the response nor an error that holds it hangs on ours.
        self.assertIsNone(error.__cause__)
        self.assertIsNone(error.__context__)

    def test_byte_order_marks_and_wide_encodings_are_read(self):
        text = RAW.decode()
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
            response = parse_documents(text.encode(encoding))
            self.assertEqual(len(response.documents), 1, encoding)

    def test_no_invoices_is_an_empty_result(self):
        response = parse_documents(b' {"Invoices": [], "Page": 1} ')
        self.assertEqual([*response.documents, *response.rejected], [])

    def test_nothing_is_no_response(self):
        for raw in (b"", b" \r\n", b"\xef\xbb\xbf", b"\xff\xfe"):
            self.assert_refused(raw, "empty")

    def test_a_web_page_is_no_response(self):
        for raw in (b"<!DOCTYPE html>", b"\n\xef\xbb\xbf <html>", b"<?xml?><a/>"):
            self.assert_refused(raw, "web page")

    def test_a_cut_response_is_refused(self):
        for end in range(1, len(RAW)):
            self.assert_refused(RAW[:end], "damaged or cut off")

    def test_other_texts_are_refused(self):
        for raw in (b"OK", b"{'Invoices': []}", b'{"Invoices": []} {}', b"{,}"):
            self.assert_refused(raw, "damaged or cut off")

    def test_no_number_is_nan_or_infinite(self):
        for name in (b"NaN", b"Infinity", b"-Infinity"):
            self.assert_refused(b'{"Invoices": [{"X": %s}]}' % name, "no proper JSON")

    def test_a_field_that_stands_twice_is_ambiguous(self):
        raw = RAW.replace(b'"ExtendedPrice"', b'"ExtendedPrice": 0, "ExtendedPrice"')
        self.assert_refused(raw, "ambiguous")

    def test_wrong_encoding_is_refused(self):
        raw = '{"Invoices": [], "Note": "Café"}'.encode("latin-1")
        self.assert_refused(raw, "encoding")
        self.assert_refused(b'{"Invoices": "\xed\xa0\x80"}', "encoding")

    def test_a_nesting_bomb_is_refused(self):
        for opening in (b"[", b'{"a":'):
            raw = b'{"Invoices": [], "X": ' + opening * 100_000
            self.assert_refused(raw, "nested too deep")

    def test_other_shapes_are_refused(self):
        for tree in ([], None, True, 5, "Invoices", [{"Invoices": []}]):
            self.assert_refused(json.dumps(tree).encode(), "not an object")
        for tree in ({}, {"invoices": []}, {"Message": "OK"}):
            self.assert_refused(json.dumps(tree).encode(), "Invoices is missing")
        for value in (None, {}, "", 5, True):
            raw = json.dumps({"Invoices": value}).encode()
            self.assert_refused(raw, "Invoices is not a list")

    def test_numbers_keep_their_digits(self):
        raw = b"[1.10, 1e400, 123456789012345678901234567890.5, -0, %s]" % (b"9" * 5000)
        numbers = ["1.10", "1e400", "123456789012345678901234567890.5", "-0"]
        self.assertEqual(read_json(raw), [*numbers, "9" * 5000])


class TestSlices(ClientCase):
    """What is left as text for later is the same as what is read at once."""

    @given(
        st.one_of(
            TREES,
            st.dictionaries(
                st.sampled_from(["outer", "inner", "other"]),
                st.lists(
                    TREES
                    | st.dictionaries(st.sampled_from(["inner"]), st.lists(TREES)),
                    max_size=3,
                )
                | TREES,
            ),
        ),
        st.sampled_from([None, 1]),
    )
    def test_slices_read_as_the_whole(self, tree, indent):
        raw = json.dumps(tree, indent=indent).encode()
        sliced = read_json(raw, "outer", "inner")
        self.assertEqual(json.loads(write_json(sliced)), json.loads(raw))

    @given(st.data())
    def test_damage_is_refused_as_in_the_whole(self, data):
        raw = b' {"a":1, "outer" : [ {"inner":[ {"b":[1]} , "x"]},{}, null ]}\n'
        place = data.draw(st.integers(0, len(raw) - 1))
        byte = data.draw(st.sampled_from(list(b'{}[],:"0 ax\\\n\x00\xff')))
        raw = raw[:place] + bytes([byte]) + raw[place + data.draw(st.booleans()) :]
        outcomes = []
        for lists in ((), ("outer", "inner")):
            try:
                outcomes.append(write_json(read_json(raw, *lists)))
            except InvalidResponseError:
                outcomes.append("refused")
        self.assertEqual(*outcomes)

    def test_a_slice_is_checked_before_it_is_read(self):
        for inner in (b"[NaN]", b'[{"a":1,"a":2}]', b"[1,]", b"[1 2]", b"[tru]"):
            with self.assertRaises(InvalidResponseError):
                read_json(b'{"outer":[{"inner":%s}]}' % inner, "outer", "inner")

    def test_a_repeated_list_is_ambiguous(self):
        with self.assertRaisesRegex(InvalidResponseError, "twice"):
            read_json(b'{"outer":[],"outer":[]}', "outer", "inner")


class TestWriting(ClientCase):
    @given(TREES.filter(lambda tree: not isinstance(tree, str)))
    def test_what_is_written_reads_back_and_can_be_stored(self, tree):
        tree = json.loads(json.dumps(tree))  # joins two halves of a sign
        for canonical in (False, True):
            text = write_json(tree, canonical)
            self.assertNotIn("\x00", text)
            self.assertEqual(read_json(text.encode()), tree)

    def test_canonical_text_knows_no_key_order(self):
        one, other = {"a": {"b": "1", "c": []}}, {"a": {"c": [], "b": "1"}}
        self.assertNotEqual(write_json(one), write_json(other))
        self.assertEqual(write_json(one, True), write_json(other, True))
