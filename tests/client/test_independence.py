"""The client works where there is no Odoo, and is used through its face only."""

import ast
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from odoo.modules.module import Manifest, MissingDependency

from ... import client
from .case import ClientCase

FOLDER = Path(client.__file__).parent
ADDON = FOLDER.parent
ALLOWED = {"defusedxml", "pydantic", "pydantic_core", "requests", "urllib3"}
# What a server has because Odoo itself can't do without it.
ODOOS = {
    *("PIL", "cryptography", "dateutil", "lxml", "markupsafe", "odoo", "openpyxl"),
    *("polib", "psutil", "psycopg2", "werkzeug", "xlsxwriter"),
}
# By which names its modules are imported, beside relative ones.
NAMES = ("client", client.__name__)


class TestIndependence(ClientCase):
    def test_imports_only_the_standard_library_and_what_it_says(self):
        imported = {
            name.partition(".")[0]
            for path in FOLDER.rglob("*.py")
            for name in _find_imports(path)
            if not name.startswith(client.__name__)
        }
        self.assertIn("requests", imported)
        self.assertLessEqual(imported, ALLOWED | sys.stdlib_module_names)

    def test_works_where_odoo_cannot_be_imported(self):
        code = (
            "sys.modules['odoo'] = None\n"
            "import client\n"
            "client.CopacoClient('https://copaco.example', 'key').close()\n"
            "client.parse_documents(b'{\"Invoices\": []}')\n"
            "sys.exit(any(name.startswith('odoo.') for name in sys.modules))"
        )
        self.assertEqual(_run_plain(code), (0, ""))

    def test_nobody_else_imports_its_modules(self):
        tests = ADDON / "tests/client"
        found, face = [], 0
        for path in sorted(ADDON.rglob("*.py")):
            if FOLDER in path.parents or tests in path.parents:
                continue
            for name in _find_imports(path):
                owner, _, rest = name.rpartition(".")
                if owner in NAMES and rest in client.__all__:
                    face += 1
                elif name.startswith(tuple(f"{each}." for each in NAMES)):
                    found.append(f"{path.relative_to(ADDON)}: {name}")
        self.assertEqual(found, [])
        self.assertGreater(face, 20)

    def test_its_face_is_sorted_and_there(self):
        self.assertEqual(client.__all__, sorted(client.__all__))
        for name in client.__all__:
            self.assertTrue(hasattr(client, name), name)

    def test_every_error_tells_what_to_do(self):
        waiting = [client.CopacoError]
        while waiting:
            error = waiting.pop()
            waiting += error.__subclasses__()
            self.assertRegex(error.advice, r"^[A-Z][^.]*\.$", error.__name__)
            self.assertIs(getattr(client, error.__name__), error)
            self.assertIn(error.__name__, client.__all__)


class TestRequirements(ClientCase):
    def test_an_old_pydantic_is_told_in_plain_words(self):
        for version in ("1.10.14", "2.3.0"):
            code = (
                "import types\n"
                "old = types.ModuleType('pydantic')\n"
                f"old.VERSION = {version!r}\n"
                "sys.modules['pydantic'] = old\n"
                "import client"
            )
            exit_code, errors = _run_plain(code)
            self.assertEqual(exit_code, 1)
            error = errors.splitlines()[-1]
            self.assertTrue(error.startswith("ImportError: The Copaco client"), error)
            self.assertIn(f"pydantic>=2.4, and version {version} is installed", error)
            self.assertIn('-m pip install "pydantic>=2.4"', error)

    def test_odoo_refuses_to_install_with_an_old_pydantic(self):
        manifest = Manifest.for_addon("account_copaco")
        manifest.check_manifest_dependencies()
        for version in ("1.10.14", "2.3.0"):
            with (
                patch("importlib.metadata.version", return_value=version),
                self.assertRaises(MissingDependency) as caught,
            ):
                manifest.check_manifest_dependencies()
            dependency = caught.exception.dependency
            self.assertEqual(dependency, "pydantic>=2.4")
            self.assertIn(version, str(caught.exception))
            # What Odoo says to type on Debian and Ubuntu.
            command = manifest["external_dependencies"]["apt"][dependency]
            self.assertIn("pip install --break-system-packages", command)

    def test_no_test_needs_what_an_odoo_may_lack(self):
        imported = {
            name.partition(".")[0]
            for path in (ADDON / "tests").rglob("*.py")
            for node in ast.parse(path.read_text()).body
            for name in _get_names(node, path)
        }
        self.assertGreater(imported, {"odoo", "openpyxl"})
        known = ODOOS | ALLOWED | sys.stdlib_module_names
        self.assertEqual(imported - known, set())

    def test_without_hypothesis_what_needs_it_is_skipped(self):
        code = (
            "import unittest\n"
            "sys.modules['hypothesis'] = None\n"
            "from properties import HealthCheck, given, settings, st\n"
            "class Tests(unittest.TestCase):\n"
            "    @settings(suppress_health_check=[HealthCheck.too_slow])\n"
            "    @given(st.lists(st.none() | st.integers()).map(len))\n"
            "    def test_one(self, value):\n"
            "        pass\n"
            "    def test_other(self):\n"
            "        pass\n"
            "unittest.main()"
        )
        exit_code, report = _run_plain(code, ADDON / "tests")
        self.assertEqual(exit_code, 0, report)
        self.assertIn("Ran 2 tests", report)
        self.assertIn("OK (skipped=1)", report)

    def test_the_manifest_asks_for_what_pip_is_given(self):
        manifest = Manifest.for_addon("account_copaco")
        self.assertEqual(
            sorted(manifest["external_dependencies"]["python"]),
            sorted((ADDON / "requirements.txt").read_text().split()),
        )


def _run_plain(code, folder=ADDON):
    """Run a script in a Python of its own that imports from a folder.

    :return: exit code, what it wrote as errors
    """
    result = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"],
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stderr


def _find_imports(path):
    """Yield the full name of everything that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        yield from _get_names(node, path)


def _get_names(node, path):
    """Yield the full names that a statement of a file imports."""
    package = ["odoo", "addons", *path.relative_to(ADDON.parent).parts[:-1]]
    package[2] = "account_copaco"
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        start = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*start, *filter(None, [node.module])])
        yield from (f"{module}.{alias.name}" for alias in node.names)
