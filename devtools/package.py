"""The addon alone, as a zip file to unpack into a folder of addons."""

import ast
from pathlib import Path

from .paths import ADDON, CHECKOUT, LOGS
from .terminal import run_logged

FOLDER = CHECKOUT / "dist"
# What only those need who work on the addon, as git writes it.
LEFT_OUT = (
    *(":!devtools", ":!Makefile", ":!pyproject.toml", ":!prettier.config.cjs"),
    *(":(exclude,glob).*", ":(exclude,glob).*/**"),
)


def build() -> Path:
    """Write what was committed last into a file, and return its path.

    :raise SetupError: there is no git, or this is no clone
    """
    manifest = ast.literal_eval((CHECKOUT / "__manifest__.py").read_text())
    FOLDER.mkdir(exist_ok=True)
    package = FOLDER / f"{ADDON}-{manifest['version']}.zip"
    command = ["git", "archive", f"--prefix={ADDON}/", "-o", package, "HEAD"]
    run_logged([*command, *LEFT_OUT], LOGS / "package.log", cwd=CHECKOUT)
    return package
