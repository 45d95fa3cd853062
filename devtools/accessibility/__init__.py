"""Looks at every page of the addon in a browser: barriers for people with an
impairment, lists wider than a screen, lists without cards on a phone, decisions that
need a mouse."""

import json
from pathlib import Path

from .. import screenshots
from ..paths import LOGS
from ..stages import Outcome, run_stages, shorten

HERE = Path(__file__).parent


def run() -> bool:
    """Make the demonstration anew, look at its pages, and remove it; tell whether all
    of them are as they must be."""
    with screenshots.demonstration() as demonstration:
        pages = demonstration.run_script(HERE / "pages.py")
        return run_stages(
            {"Accessibility": lambda: _look_at(demonstration, pages)},
        )


def _look_at(demonstration: screenshots.Demonstration, pages: Path) -> Outcome:
    found = LOGS / "accessibility.json"
    log = LOGS / "accessibility.log"
    demonstration.run_in_browser(HERE / "look.js", log, pages, found)
    result = json.loads(found.read_text())
    odoo = sum(result["odoo"].values())
    print(f"Faults of Odoo's own, left alone: {odoo}, see {found}")
    faults = result["faults"]
    return Outcome(
        passed=result["checked"] - len(faults),
        failed=len(faults),
        details=shorten(
            "\n".join(f"{name}: {text}" for name in faults for text in faults[name])
        ),
        failures=tuple(faults),
    )
