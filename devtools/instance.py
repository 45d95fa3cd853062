"""PostgreSQL and Odoo's data folder side by side: what an Odoo of ours works on."""

import fcntl
import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

from . import odoo_cli, python_packages
from .odoo_source import odoo_identity
from .paths import CACHE, LOGS, RUNTIME, cache_entry, key, locked
from .postgres import Cluster, major_version
from .terminal import SetupError, step

BASE = "base"
# The same for the tests in Odoo, with the company that each class of them would begin
# with, and the other one that many need: to load a chart of accounts takes longer than
# several tests.
BASE_OF_TESTS = "base_of_tests"
BASE_MODULES = "account,l10n_nl,l10n_be"
# Odoo bundles its scripts and styles when a page is first asked for, which takes longer
# than most tests.
PREPARE_WEB_CLIENT = """
env["ir.qweb"]._pregenerate_assets_bundles()
env.cr.commit()
"""
CREATE_COMPANIES = """
country = env.ref("base.nl")
values = {"country_id": country.id, "currency_id": country.currency_id.id}
for name in ("company_1_data", "company_2"):
    company = env["res.company"].create({"name": name, **values})
    env["account.chart.template"].try_loading("nl", company=company, install_demo=False)
env.cr.commit()
"""


class Instance:
    """A cluster in ``folder/postgres`` and Odoo's files in ``folder/odoo``."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.cluster = Cluster(folder / "postgres")
        self.data_folder = folder / "odoo"
        self.config = folder / "odoo.conf"

    def copy_database(self, source: str, target: str) -> None:
        """Make the database ``target`` as it is in ``source``, with its files."""
        files = self.data_folder / "filestore"
        shutil.copytree(files / source, files / target, dirs_exist_ok=True)
        # Copying files beats PostgreSQL's default of writing each page to its log.
        strategy = ["--strategy=file_copy"] if major_version() >= 15 else []
        self.cluster.run("createdb", *strategy, "-T", source, target)

    def drop_database(self, name: str) -> None:
        """Remove a database and its files, if it is there."""
        self.cluster.run("dropdb", "--if-exists", "--force", name, capture_output=True)
        shutil.rmtree(self.data_folder / "filestore" / name, ignore_errors=True)


class CheckoutInstance(Instance):
    """This checkout's instance; commands that use it at the same time share it."""

    def __init__(self, runtime: Path = RUNTIME):
        super().__init__(runtime / "instance")
        self.runtime = runtime
        self.config = runtime / "odoo.conf"
        self._users = runtime / "users.lock"

    @contextmanager
    def in_use(self):
        """Have PostgreSQL running within the block; the last user stops it.

        A process that inherits ``self.use`` is a user too for as long as it lives.
        """
        with locked(self.runtime.name):
            self._prepare()
            self.use = self._users.open("w")
            fcntl.flock(self.use, fcntl.LOCK_SH)
            if not self.cluster.is_running():
                self.cluster.start()
            odoo_cli.write_config(self)
        try:
            yield self
        finally:
            self.use.close()
            self.stop_if_unused()

    def stop_if_unused(self) -> bool:
        """Stop PostgreSQL unless a command or a server still uses it; tell whether."""
        with locked(self.runtime.name), self._nobody_else() as alone:
            if alone and self.folder.exists():
                self.cluster.stop()
            return alone

    def remove(self) -> None:
        """Remove all that the cache holds for the checkout.

        :raise SetupError: a command or a server still uses them
        """
        with locked(self.runtime.name), self._nobody_else() as alone:
            if not alone:
                raise SetupError("A command of this checkout still runs.")
            if self.folder.exists():
                self.cluster.stop()
            shutil.rmtree(self.runtime)

    def _prepare(self) -> None:
        """Copy the prepared database, unless this checkout has an up-to-date one."""
        base = _base()
        made_from = self.folder / "made_from.txt"
        if made_from.exists() and made_from.read_text() == base.name:
            return
        with self._nobody_else() as alone:
            if not alone:
                raise SetupError(
                    "Odoo or its packages changed, so the databases must be made anew,"
                    " but they are in use. Run `make stop` first."
                )
            if self.folder.exists():
                self.cluster.stop()
            _remove_orphans()
            title = "Copying the prepared database"
            if self.folder.exists():
                title += " (Odoo or its packages changed, so the old databases go)"
            with step(title):
                unfinished = self.runtime / ".unfinished-instance"
                shutil.rmtree(unfinished, ignore_errors=True)
                # Keeps owners: the cluster belongs to PostgreSQL's own user.
                subprocess.run(["cp", "-a", base, unfinished], check=True)
                (unfinished / "made_from.txt").write_text(base.name)
                shutil.rmtree(self.folder, ignore_errors=True)
                unfinished.rename(self.folder)

    @contextmanager
    def _nobody_else(self):
        with self._users.open("w") as handle:
            alone = False
            with suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = True
            yield alone


def _remove_orphans() -> None:
    """Remove what deleted checkouts left in the cache."""
    for note in CACHE.glob("checkout-*/checkout.txt"):
        if not Path(note.read_text().strip()).exists():
            # In use after all, or another command was quicker.
            with suppress(SetupError, FileNotFoundError):
                CheckoutInstance(note.parent).remove()


def _base() -> Path:
    """Return the folder of the prepared instance, made when missing."""
    made_of = key(
        major_version(),
        odoo_identity(),
        python_packages.REQUIREMENTS.read_text(),
        BASE_MODULES,
        PREPARE_WEB_CLIENT,
        CREATE_COMPANIES,
    )
    return cache_entry(f"base-{made_of}", _build_base)


def _build_base(folder: Path) -> None:
    python_packages.python()
    instance = Instance(folder)
    with step("Making an Odoo database with Dutch and Belgian accounting"):
        instance.cluster.create()
        instance.cluster.start()
        try:
            instance.cluster.run("createdb", "-T", "template0", BASE)
            odoo_cli.write_config(instance)
            config, options = instance.config, ("-d", BASE, "--no-http")
            install = (*options, "-i", BASE_MODULES, "--stop-after-init")
            odoo_cli.run_logged(config, LOGS / "base.log", *install)
            prepare = {"script": PREPARE_WEB_CLIENT}
            odoo_cli.run_logged(config, LOGS / "web.log", "shell", *options, **prepare)
            instance.copy_database(BASE, BASE_OF_TESTS)
            options, create = ("-d", BASE_OF_TESTS, "--no-http"), CREATE_COMPANIES
            log = LOGS / "company.log"
            odoo_cli.run_logged(config, log, "shell", *options, script=create)
        finally:
            instance.cluster.stop()
    shutil.rmtree(instance.data_folder / "sessions", ignore_errors=True)
