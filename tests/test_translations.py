import io
import re
from pathlib import Path

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import trans_export

I18N = Path(__file__).parents[1] / "i18n"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|</?\w+")


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    """Everybody reads the addon in one language."""

    def test_the_template_has_every_text(self):
        exported = io.BytesIO()
        trans_export("", ["account_copaco"], exported, "po", self.env)
        texts = {entry.msgid for entry in polib.pofile(exported.getvalue().decode())}
        self.assertEqual(_read("account_copaco.pot").keys() ^ texts, set())

    def test_every_language_is_complete(self):
        template = _read("account_copaco.pot").keys()
        languages = [path.name for path in I18N.glob("*.po")]
        self.assertGreaterEqual({*languages}, {"nl.po", "fr.po", "de.po"})
        for language in languages:
            with self.subTest(language=language):
                entries = _read(language)
                self.assertEqual(entries.keys() ^ template, set())
                self.assertFalse([text for text in entries if not entries[text].msgstr])
                self.assertFalse([text for text in entries if entries[text].fuzzy])

    def test_what_a_field_takes_from_another_one_is_in_the_readers_language(self):
        self.env["res.lang"]._activate_lang("nl_NL")
        env = self.env(context={"lang": "nl_NL"})
        for model, name, other, source in (
            ("copaco.connection", "last_run_state", "copaco.run", "state"),
            ("copaco.upload", "kind", "copaco.run", "kind"),
            ("copaco.preview.document", "hold_reason", "copaco.document", None),
        ):
            values = env["ir.model.fields.selection"].search(
                [
                    ("field_id.model", "=", other),
                    ("field_id.name", "=", source or name),
                ]
            )
            for value in values:
                value.name = f"Nederlands {value.value}"
            labels = env[model].fields_get([name])[name]["selection"]
            self.assertEqual(
                dict(labels),
                {value.value: f"Nederlands {value.value}" for value in values},
            )

    def test_no_translation_lost_a_placeholder(self):
        for path in I18N.glob("*.po"):
            entries = filter(lambda item: item[1].msgstr, _read(path.name).items())
            for text, entry in entries:
                with self.subTest(language=path.stem, text=text):
                    self.assertEqual(
                        sorted(PLACEHOLDER.findall(entry.msgstr)),
                        sorted(PLACEHOLDER.findall(text)),
                    )


def _read(name):
    """:return: dict of the entries of a file in i18n by the English text"""
    return {entry.msgid: entry for entry in polib.pofile(str(I18N / name))}
