"""Whichever way Copaco writes a value, it is read the same; nothing is guessed."""

from datetime import date
from decimal import Decimal

from pydantic_core import PydanticCustomError

from ...client.values import (
    MAX_IDENTITY_LENGTH,
    MAX_TEXT_LENGTH,
    read_date,
    read_flag,
    read_identity,
    read_money,
    read_number,
    read_optional_identity,
    read_text,
)
from ..properties import st
from .case import ClientCase
from .responses import TEXTS, given

ANYTHING = st.recursive(
    st.none() | st.booleans() | TEXTS | st.integers() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


class TestNumbers(ClientCase):
    @given(st.decimals(-(10**11), 10**11, allow_nan=False, places=6))
    def test_money_is_the_digits_that_came(self, number):
        self.assertEqual(read_money(str(number)), number)

    @given(st.floats(-1e11, 1e11))
    def test_every_number_that_net_prints_is_read(self, number):
        if number == 0 or abs(number) >= 1e-23:
            self.assertEqual(read_money(repr(number)), Decimal(repr(number)))

    def test_the_usual_ways_to_write_a_number(self):
        for written in ("10.5", "10.50", "+10.5", "1.05E1", "1.05e+01", " 10.5 "):
            self.assertEqual(read_number(written), Decimal("10.5"), written)
        self.assertEqual(read_number(10), 10)
        self.assertEqual(read_number("-0.00"), 0)
        self.assertFalse(read_number("-0.00").is_signed())

    def test_no_number_is_guessed(self):
        for written in (
            *("1,5", "1.234,56", "1 234.56", "1_000", "€ 5", "5 EUR", "0x10", "१२"),
            *("NaN", "Infinity", "-inf", "sNaN", "", " ", ".", "-", "e5", "1e", "--1"),
            *("1e12", "-1e12", "1e999", "1e9999999", "1e-41", "0" * 65, "1\n2"),
            *(None, True, False, 1.5, [], {}, ["1"]),
        ):
            self.assertIsNone(read_number(written), written)
            with self.assertRaises(PydanticCustomError):
                read_money(written)

    @given(ANYTHING)
    def test_no_value_breaks_a_reader(self, value):
        for read in (read_number, read_text, read_date, read_flag):
            read(value)
        for read in (read_money, read_identity):
            try:
                read(value)
            except PydanticCustomError as error:
                self.assertTrue(str(error).startswith("%(field)s is "), error)


class TestDates(ClientCase):
    def test_both_forms_with_and_without_time(self):
        for written in (
            "20260323",
            "2026-03-23",
            " 2026-03-23 ",
            "2026-03-23T00:00:00",
            "2026-03-23 12:30:00",
            "2026-03-23T23:59:59.9999999Z",
            "2026-03-23T00:00:00+01:00",
            "20260323T000000Z",
        ):
            self.assertEqual(read_date(written), date(2026, 3, 23), written)

    def test_what_is_no_date_of_this_age_counts_as_missing(self):
        for written in (
            *("", "0", "00000000", "20261341", "20260230", "2026-0323", "23-03-2026"),
            *("2026-03-23x", "２０２６０３２３", "0001-01-01T00:00:00", "9999-12-31"),
            *(None, 20260323, True, [], {}),
        ):
            self.assertIsNone(read_date(written), written)


class TestTexts(ClientCase):
    @given(TEXTS)
    def test_a_text_can_be_stored_and_put_in_an_e_invoice(self, text):
        cleaned = read_text(text)
        cleaned.encode()  # no lone surrogates
        self.assertNotRegex(cleaned, "[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
        self.assertEqual(read_text(cleaned), cleaned)

    def test_what_a_person_can_read_stays(self):
        text = "Café “Ümlaut” 日本語 🎉 <b>&amp;</b> a\u00a0b עברית"
        self.assertEqual(read_text(text), text)

    def test_line_breaks_and_tabs_become_one_space(self):
        self.assertEqual(read_text("a\r\nb\tc\u2028d\x00e\ud800"), "a b c de\ufffd")

    def test_a_description_without_end_is_cut(self):
        self.assertEqual(len(read_text("x" * 10000)), MAX_TEXT_LENGTH)

    def test_what_is_no_text_counts_as_missing(self):
        for value in (None, True, False, [], {}, ["a"]):
            self.assertEqual(read_text(value), "", value)


class TestIdentities(ClientCase):
    def test_number_and_text_are_the_same_id(self):
        self.assertEqual(read_identity(616375), read_identity(" 616375 "))
        self.assertEqual(read_identity("007"), "007")

    def test_what_looks_the_same_is_the_same_id(self):
        for value in ("100\u200b", "\ufeff100", "１００", "1\u00ad00 "):
            self.assertEqual(read_identity(value), "100")
            self.assertEqual(read_optional_identity(value), "100")

    def test_what_is_no_id_is_refused(self):
        for value in ("", "  ", "\x00", "\u200b", None, True, [], {}, "x" * 256):
            self.assertEqual(read_optional_identity(value), "", value)
            with self.assertRaises(PydanticCustomError):
                read_identity(value)

    def test_ids_are_never_cut(self):
        longest = "x" * MAX_IDENTITY_LENGTH
        self.assertEqual(read_identity(longest), longest)
        with self.assertRaises(PydanticCustomError):
            read_identity("x" * MAX_TEXT_LENGTH * 2)


class TestFlags(ClientCase):
    def test_every_way_to_say_yes(self):
        for value in (True, 1, "1", "true", "True", " TRUE ", "yes"):
            self.assertTrue(read_flag(value), value)
        for value in (False, 0, "0", "false", "False", "no", "", None, [], {}, 2):
            self.assertFalse(read_flag(value), value)
