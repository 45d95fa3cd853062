"""The pictures in the documentation, taken from the demonstration."""

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import demo, terminal
from ..instance import CheckoutInstance
from ..paths import CHECKOUT, LOGS
from ..prettier import node_command
from ..python_packages import environment, python, separate_packages

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
PICTURES = CHECKOUT / "static/description"
BROWSERS = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")


@dataclass
class Demonstration:
    """The demonstration as it runs, with what the pictures show."""

    instance: CheckoutInstance
    address: str
    pages: Path | None = None

    def run_script(self, path: Path) -> Path:
        """Run a script that writes which pages to look at, in Odoo's shell; return the
        file that it wrote."""
        pages = LOGS / f"{path.parent.name}-{path.stem}.json"
        variables = {"COPACO_PAGES": str(pages), "ODOO_ADDRESS": self.address}
        demo.run_script(self.instance, path, **variables)
        return pages

    def run_in_browser(self, script: Path, log: Path, *arguments: Path) -> None:
        """Run a script with the browser's path, Odoo's URL, and ``arguments``.

        :raise SetupError: it failed
        """
        browser = next(filter(None, map(shutil.which, BROWSERS)))
        command = node_command(script, browser, self.address, *arguments)
        terminal.run_logged(command, log)


@contextmanager
def demonstration():
    """Make the demonstration anew for the block, and remove it: its own report doesn't
    know of the documents that are added for the pictures."""
    _remove_demonstration()
    # A scheduled fetch would take back what Copaco changed only for a picture.
    address = demo.run(True, "--max-cron-threads=0")
    try:
        with CheckoutInstance().in_use() as instance:
            shown = Demonstration(instance, address)
            shown.pages = shown.run_script(HERE / "data.py")
            yield shown
    finally:
        _remove_demonstration()


def take() -> None:
    """Take the pictures."""
    with demonstration() as shown, terminal.step("Taking the pictures"):
        log = LOGS / "screenshots.log"
        shown.run_in_browser(HERE / "take.js", log, PICTURES, shown.pages)
        packages = separate_packages("pypdfium2", REQUIREMENTS)
        terminal.run_logged(
            [python(), HERE / "render.py", LOGS, PICTURES],
            log,
            env=environment(packages),
        )


def _remove_demonstration() -> None:
    demo.stop()
    with CheckoutInstance().in_use() as instance:
        instance.drop_database(demo.DATABASE)
