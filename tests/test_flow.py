"""Data flows forward: no step calls one that calls it. Each model has a file."""

import ast
import re
from pathlib import Path

from odoo.tests import BaseCase, tagged

from ..const import KINDS

ADDON = Path(__file__).parents[1]
# From where data comes to where it goes: who is further on may use who is before.
FLOORS = {
    **{"client": 0, "const": 0, "hold_reasons": 0, "tools": 1, "exceptions": 2},
    **{"models": 3, "report": 3, "services": 4, "wizards": 5, "controllers": 5},
}
NAME = re.compile(r'^    _name = "(.+)"', re.MULTILINE)
MODEL = re.compile(r"^class .*\(models\.", re.MULTILINE)
CALL = re.compile(r'\benv\[\s*"([^"]+)"\s*\]')
BY_KIND = re.compile(r"\b(?:kind|KINDS\[[^]]+\])\.(processor|matcher|builder|writer)\b")


@tagged("post_install", "-at_install")
class TestFlow(BaseCase):
    def test_no_service_is_called_by_one_that_it_calls(self):
        services = {
            NAME.search(code)[1]: code
            for path in (ADDON / "services").glob("copaco_*.py")
            for code in [path.read_text()]
        }
        calls = {name: set() for name in services}
        for name, code in services.items():
            calls[name] |= set(CALL.findall(code))
            for role in BY_KIND.findall(code):
                calls[name] |= {getattr(kind, role) for kind in KINDS.values()}
            calls[name] &= services.keys() - {name}
        self.assertGreater(sum(map(len, calls.values())), 100)
        while first := [name for name in calls if not calls[name]]:
            calls = {
                name: called - set(first)
                for name, called in calls.items()
                if name not in first
            }
        # What is left calls itself, some steps further on.
        self.assertEqual(calls, {})

    def test_where_to_find_what_has_every_file(self):
        page = (ADDON / "doc/how_it_works.rst").read_text()
        files = {
            path.stem
            for room in ("client", "services", "tools")
            for path in (ADDON / room).glob("*.py")
        } - {"__init__"}
        files |= {path.stem for path in (ADDON / "models").glob("*_mixin.py")}
        self.assertEqual([name for name in files if f"``{name}``" not in page], [])

    def test_a_file_has_one_model(self):
        count = 0
        for room in ("models", "report", "services", "wizards"):
            for path in (ADDON / room).glob("*.py"):
                own = MODEL.findall(path.read_text())
                self.assertLess(len(own), 2, path.name)
                count += len(own)
        self.assertGreater(count, 100)

    def test_no_file_is_too_long(self):
        for path in ADDON.rglob("*.py"):
            lines = path.read_text().count("\n")
            self.assertLessEqual(lines, 450, path.relative_to(ADDON))

    def test_nothing_is_imported_from_further_on(self):
        found, count = [], 0
        for path in sorted(ADDON.glob("*/*.py")):
            room = path.parent.name
            for node in ast.walk(ast.parse(path.read_text())):
                if room in FLOORS and getattr(node, "level", 0) == 2:
                    owner = [node.module] if node.module else []
                    for name in owner or [alias.name for alias in node.names]:
                        count += 1
                        if FLOORS[name.partition(".")[0]] > FLOORS[room]:
                            found.append(f"{room}/{path.name}: {name}")
        self.assertEqual(found, [])
        self.assertGreater(count, 100)
