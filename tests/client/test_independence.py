"""The client can be used, and tested, where there is no Odoo."""

import ast
import subprocess
import sys
import unittest
from pathlib import Path

import client

FOLDER = Path(client.__file__).parent
ALLOWED = {"pydantic", "pydantic_core", "requests", *sys.stdlib_module_names}


class TestIndependence(unittest.TestCase):
    def test_imports_only_standard_library_requests_and_pydantic(self):
        imported = {
            name.partition(".")[0]
            for path in FOLDER.rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            for name in _get_absolute_imports(node)
        }
        self.assertIn("requests", imported)
        self.assertLessEqual(imported, ALLOWED)

    def test_works_where_odoo_cannot_be_imported(self):
        code = (
            "import sys; sys.modules['odoo'] = None\n"
            "import client.documents\n"
            "client.CopacoClient('https://copaco.example', 'key').close()\n"
            "sys.exit(any(name.startswith('odoo.') for name in sys.modules))"
        )
        result = subprocess.run(
            [sys.executable, "-c", code],
            cwd=FOLDER.parent,
            env={"PYTHONPATH": str(FOLDER.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_every_error_tells_what_to_do(self):
        waiting = [client.CopacoError]
        while waiting:
            error = waiting.pop()
            waiting += error.__subclasses__()
            self.assertRegex(error.advice, r"^[A-Z][^.]*\.$", error.__name__)
            self.assertIs(getattr(client, error.__name__), error)


def _get_absolute_imports(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module]
    return []


if __name__ == "__main__":
    unittest.main()
