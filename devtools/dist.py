"""What users install: the addon alone, as a zip file and as a wheel."""

import ast
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from . import odoo_cli
from .instance import CheckoutInstance
from .odoo_source import odoo_home
from .paths import ADDON, CHECKOUT, LOGS
from .python_packages import environment, python
from .stages import Outcome, run_stages
from .suites import test_database
from .terminal import SetupError, run_logged, step

FOLDER = CHECKOUT / "dist"
# What only those need who work on the addon, as git writes it.
LEFT_OUT = (
    *(":!devtools", ":!Makefile", ":!pyproject.toml", ":!prettier.config.cjs"),
    *(":(exclude,glob).*", ":(exclude,glob).*/**"),
)
# As the addons of the Odoo Community Association are built.
WHEEL_PROJECT = """\
[build-system]
requires = ["whool"]
build-backend = "whool.buildapi"
"""
CHECK = """
from pathlib import Path
import odoo.addons.account_copaco as addon
folder = Path(addon.__file__).resolve().parent
assert folder.is_relative_to({folder!r}), folder
assert not (folder / "devtools").exists()
module = env["ir.module.module"].search([("name", "=", "account_copaco")])
assert (module.state, module.installed_version) == ("installed", {version!r}), module
connection = env["copaco.connection"].create({{"name": "Copaco"}})
assert connection.journal_id and connection.product_id, connection
for action in env["ir.actions.act_window"].search([("res_model", "like", "copaco.%")]):
    for _view, mode in action.views:
        env[action.res_model].get_views([(False, mode)])
print("checked", folder)
"""


def build_and_check() -> bool:
    """Write the zip file and the wheel of what was committed last, and install each in
    an Odoo that has nothing of this checkout.

    :return: whether both can be installed
    :raise SetupError: there is no git, or this is no clone
    """
    manifest = ast.literal_eval((CHECKOUT / "__manifest__.py").read_text())
    FOLDER.mkdir(exist_ok=True)
    package = FOLDER / f"{ADDON}-{manifest['version']}.zip"
    command = ["git", "archive", f"--prefix={ADDON}/", "-o", package, "HEAD"]
    run_logged([*command, *LEFT_OUT], LOGS / "dist.log", cwd=CHECKOUT)
    wheel = _build_wheel(package)
    for path in (package, wheel):
        print(f"Written: {path.relative_to(CHECKOUT)}")
    version = manifest["version"]
    with CheckoutInstance().in_use() as instance:
        return run_stages(
            {
                title: partial(_check, instance, version, archive)
                for title, archive in (
                    ("The zip file in Odoo", package),
                    ("The wheel in Odoo", wheel),
                )
            }
        )


def _build_wheel(package: Path) -> Path:
    """Build the wheel of what is in the zip file, which goes beside it."""
    with _unpacked(package) as folder, step("Building the wheel"):
        (folder / ADDON / "pyproject.toml").write_text(WHEEL_PROJECT)
        options = ["--quiet", "--no-deps", "--wheel-dir", folder, folder / ADDON]
        run_logged(
            [python(), "-m", "pip", "wheel", *options],
            LOGS / "wheel.log",
            env=environment(),
        )
        (built,) = folder.glob("*.whl")
        return built.replace(FOLDER / built.name)


def _check(instance: CheckoutInstance, version: str, archive: Path) -> Outcome:
    """Install what is in an archive, from where a user would have it."""
    with _unpacked(archive) as folder, test_database(instance) as name:
        # A wheel adds to Odoo's own package, and is no folder of addons.
        is_wheel = archive.suffix == ".whl"
        addons = odoo_home() / "odoo/addons" if is_wheel else folder
        options = ("-d", name, "--no-http", f"--addons-path={addons}")
        run = partial(
            odoo_cli.run_logged,
            instance.config,
            LOGS / f"dist-{archive.suffix[1:]}.log",
            import_from=(folder,) if is_wheel else (),
        )
        try:
            run(*options, "-i", ADDON, "--stop-after-init")
            script = CHECK.format(folder=str(folder.resolve()), version=version)
            run("shell", *options, script=script)
        except SetupError as error:
            return Outcome(failed=1, details=str(error), failures=(archive.name,))
    return Outcome(passed=1)


@contextmanager
def _unpacked(archive: Path) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
        yield Path(folder)
