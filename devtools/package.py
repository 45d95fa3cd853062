"""The addon alone, as a zip file to unpack into a folder of addons."""

import ast
from pathlib import Path

from .paths import ADDON, CHECKOUT
from .terminal import run_logged

# What only those need who work on the addon.
LEFT_OUT = (
    *("devtools", "Makefile", "pyproject.toml", "prettier.config.cjs"),
    *("CONTRIBUTING.*", ".*", ".*/**"),
)


def build(folder: Path = CHECKOUT / "dist") -> Path:
    """Write the last commit into ``folder`` and return the file's path.

    :raise SetupError: there is no git, or this is no clone
    """
    manifest = ast.literal_eval((CHECKOUT / "__manifest__.py").read_text())
    folder.mkdir(exist_ok=True)
    package = folder / f"{ADDON}-{manifest['version']}.zip"
    left_out = [f":(exclude,glob){name}" for name in LEFT_OUT]
    left_out += [f":(exclude,glob){name}/**" for name in LEFT_OUT[:1]]
    run_logged(
        ["git", "archive", f"--prefix={ADDON}/", "-o", package, "HEAD", *left_out],
        folder / "package.log",
        cwd=CHECKOUT,
    )
    return package
