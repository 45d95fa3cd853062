"""Upgrades a database that an earlier revision of the addon has worked with."""

import subprocess
from pathlib import Path

from .. import odoo_cli, terminal
from ..instance import CheckoutInstance
from ..odoo_source import odoo_home
from ..paths import ADDON, CHECKOUT, LOGS, cache_entry
from ..python_packages import environment, python
from ..stages import Outcome
from ..suites import run_unittests, test_database
from ..terminal import SetupError

VERSION = "19.0.1.0.0"
REVISION = "f0c55346947793e47a914d239fffc3df9ac1ae0d"  # the last one of that version


def unpack() -> Path:
    """Return a folder of addons that has the earlier revision.

    :raise SetupError: this copy of the repository doesn't have it
    """
    return cache_entry(f"revision-{REVISION[:10]}", _unpack)


def run(instance: CheckoutInstance) -> Outcome:
    """Work with the earlier revision, upgrade, and run the tests of what became of it.

    :raise SetupError: there is no earlier revision, or one of the two doesn't work
    """
    addons = unpack()
    notes = LOGS / "before_upgrade.json"
    log = LOGS / "upgrade.log"
    with test_database(instance) as name:
        variables = {
            "COPACO_ADDONS": str(addons),
            "COPACO_NOTES": str(notes),
            "COPACO_UPGRADE_LOG": str(log),
            "COPACO_PORT": str(odoo_cli.free_port()),
        }
        suite = odoo_cli.suite_environment(instance.config, name)
        simulator = addons / ADDON / "tests"
        terminal.run_logged(
            [python(), "-m", "devtools.upgrade.before"],
            LOGS / "before_upgrade.log",
            env={
                **suite,
                **environment(odoo_home(), simulator, CHECKOUT),
                **variables,
            },
        )
        upgrade = ("-d", name, "-u", ADDON, "--stop-after-init", "--no-http")
        odoo_cli.run_logged(instance.config, log, *upgrade)
        return run_unittests(Path(__file__).parent, {**suite, **variables})


def _unpack(folder: Path) -> None:
    found = terminal.run(
        ["git", "cat-file", "-e", f"{REVISION}^{{commit}}"],
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if found.returncode:
        raise SetupError(
            f"The upgrade from version {VERSION} can't be tried: this copy of the "
            f"repository lacks commit {REVISION[:10]}. In a clone without the whole "
            "history, `git fetch --unshallow` gets it."
        )
    addon = folder / ADDON
    addon.mkdir()
    archive = folder / "revision.tar"
    for command in (
        ["git", "archive", "-o", archive, REVISION],
        ["tar", "-x", "-f", archive, "-C", addon],
    ):
        terminal.run_logged(command, LOGS / "unpack.log", cwd=CHECKOUT)
    archive.unlink()
