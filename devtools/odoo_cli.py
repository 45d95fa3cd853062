"""Runs Odoo: its configuration, its environment, its command line."""

import secrets
import socket
from contextlib import suppress
from pathlib import Path

from . import python_packages, terminal
from .odoo_source import odoo_home
from .paths import ADDON, CHECKOUT, RUNTIME, TESTS
from .postgres import PORT, USER

# One process: background work runs in its threads, so nothing is left behind. Nothing
# listens on port 1, so that no mail leaves.
CONFIGURATION = """\
[options]
addons_path = {addons_path}
data_dir = {data_dir}
db_host = {db_host}
db_port = {db_port}
db_user = {db_user}
list_db = False
admin_passwd = {admin_passwd}
http_interface = 127.0.0.1
smtp_port = 1
workers = 0
max_cron_threads = 1
"""


def write_config(instance) -> None:
    """Write Odoo's configuration for ``instance`` to its file.

    Only this user may read it: the master password is in it.
    """
    instance.data_folder.mkdir(exist_ok=True)
    unfinished = instance.config.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text(
        CONFIGURATION.format(
            addons_path=addons_folder(),
            data_dir=instance.data_folder,
            db_host=instance.cluster.socket_folder,
            db_port=PORT,
            db_user=USER,
            admin_passwd=secrets.token_urlsafe(),
        )
    )
    unfinished.replace(instance.config)


def command(config: Path, *arguments: object) -> list[str]:
    """Return the command line of Odoo; ``arguments`` as ``odoo-bin`` takes them.

    An Odoo command such as ``shell`` comes first among them.
    """
    subcommand = ["server"]
    if arguments and not str(arguments[0]).startswith("-"):
        subcommand, arguments = [str(arguments[0])], arguments[1:]
    options = ["-c", str(config), *map(str, arguments)]
    return [str(python_packages.python()), "-m", "odoo", *subcommand, *options]


def environment(*import_from: Path) -> dict[str, str]:
    """Return the environment for :func:`command`.

    :param import_from: folders to import from besides Odoo's
    """
    return python_packages.environment(odoo_home(), *import_from)


def suite_environment(
    config: Path, database: str, *import_from: Path
) -> dict[str, str]:
    """Return the environment in which the suites of ``devtools`` find ``database``.

    :param import_from: folders to import from besides Odoo's and those of the checkout
    """
    return {
        # `tests` itself is no place to import from: it imports Odoo's tests.
        **environment(CHECKOUT, TESTS, *import_from),
        "ODOO_RC": str(config),
        "COPACO_DATABASE": database,
    }


def run_logged(
    config: Path,
    log: Path,
    *arguments: object,
    script: str = "",
    import_from: tuple[Path, ...] = (),
) -> None:
    """Run Odoo with its output in the file ``log``; see :func:`terminal.run_logged`."""
    terminal.run_logged(
        command(config, *arguments), log, env=environment(*import_from), script=script
    )


def free_port(preferred: int = 0) -> int:
    """Return a port of this machine that nobody listens on, ``preferred`` if free."""
    for port in (preferred, 0):
        with socket.socket() as listener, suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return listener.getsockname()[1]
    raise terminal.SetupError("No port is free on 127.0.0.1.")


def addons_folder() -> Path:
    """Return a folder in which the checkout has the addon's technical name."""
    folder = RUNTIME / "addons"
    folder.mkdir(exist_ok=True)
    with suppress(FileExistsError):
        (folder / ADDON).symlink_to(CHECKOUT, target_is_directory=True)
    return folder
