"""The Python that runs Odoo: a virtual environment with pinned packages."""

import os
import platform
import subprocess
import sys
from pathlib import Path

from .paths import CACHE, LOGS, RUNTIME, cache_entry, key
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


def environment(*import_from: Path) -> dict[str, str]:
    """Return the environment in which :func:`python` imports from these folders too."""
    # A setting meant for another Python, Odoo or PostgreSQL would win over ours.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "ODOO_", "PG"))
    }
    return {
        **inherited,
        "PYTHONPATH": ":".join(map(str, import_from)),
        # Neither Odoo's package nor the checkout should fill with what is made here.
        "PYTHONPYCACHEPREFIX": str(CACHE / "bytecode"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(RUNTIME / "hypothesis"),
        "PYTHONUNBUFFERED": "1",
    }


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


def separate_packages(title: str, requirements: Path) -> Path:
    """Return a folder with the packages that a file names, made when missing.

    They are apart from the others, and come without what they depend on: PyPI has no
    Odoo. ``odoo/addons`` in the folder is of use in an addons path.

    :param title: what a person is told that they are
    """

    def build(folder: Path) -> None:
        with step(f"Installing {title}"):
            options = ["--quiet", "--no-deps", "--target", folder, "-r", requirements]
            run_logged(
                [python(), "-m", "pip", "install", *options],
                LOGS / "pip.log",
                env=environment(),
            )

    return cache_entry(f"packages-{key(requirements.read_text())}", build)
