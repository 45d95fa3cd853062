"""The Python that runs Odoo: a virtual environment with pinned packages."""

import platform
import subprocess
import sys
from pathlib import Path

from .places import cache_entry, key
from .terminal import run_logged, step

REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def python() -> Path:
    """Return the interpreter of the virtual environment, made when missing.

    Call its tools with ``-m`` (``python -m ruff``): the environment was renamed when it
    was ready, so the scripts in its ``bin`` name a folder that is gone.
    """
    version = f"{sys.executable} {platform.python_version()}"
    name = f"venv-{key(version, REQUIREMENTS.read_text())}"
    return cache_entry(name, _build) / "bin/python"


def _build(folder: Path) -> None:
    with step("Installing Odoo's Python packages"):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        # Two of them exist as source only; those are Python and need no compiler.
        options = ["--quiet", "--prefer-binary", "--no-warn-script-location"]
        run_logged(
            [
                folder / "bin/python",
                "-m",
                "pip",
                "install",
                *options,
                "-r",
                REQUIREMENTS,
            ],
            folder / "install.log",
        )
