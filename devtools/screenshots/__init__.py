"""The pictures in the documentation, taken from the demonstration."""

import shutil
from pathlib import Path

from .. import demo, terminal
from ..instance import CheckoutInstance
from ..paths import CHECKOUT, LOGS
from ..prettier import node_command

HERE = Path(__file__).parent
PICTURES = CHECKOUT / "static/description"
BROWSERS = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")


def take() -> None:
    """Make the demonstration anew, add to it what the pictures show, take them, and
    remove it: its own report doesn't know of such documents."""
    _remove_demonstration()
    # A scheduled fetch would take back what Copaco changed only for a picture.
    address = demo.run(True, "--max-cron-threads=0")
    pages = LOGS / "pages.json"
    with CheckoutInstance().in_use() as instance:
        demo.run_script(instance, HERE / "data.py", COPACO_PAGES=str(pages))
        browser = next(filter(None, map(shutil.which, BROWSERS)))
        with terminal.step("Taking the pictures"):
            terminal.run_logged(
                node_command(HERE / "take.js", browser, address, PICTURES, pages),
                LOGS / "screenshots.log",
            )
    _remove_demonstration()


def _remove_demonstration() -> None:
    demo.stop()
    with CheckoutInstance().in_use() as instance:
        instance.drop_database(demo.DATABASE)
