"""What a part of ``make faults`` is asked for, and where it notes what it found.

``devtools/faults.py`` starts the parts and makes a table of what they note.
"""

import json
import os
import time
from contextlib import contextmanager


def number(name):
    """Return how often a part does what it does, such as ``KILLS``."""
    return int(os.environ[name])


def seed():
    """Return the text that all chance of this run comes from."""
    return os.environ["SEED"]


@contextmanager
def noted(what):
    """Lend the block a dictionary for its figures, and note them when it ends well.

    :param what: the attack, in words for the table; figures that belong to the same
        words are added up. Columns of the table are ``times``, ``documents``, ``lost``,
        ``doubled`` and ``half``: count what was found, never write a zero.
    """
    figures = {}
    started = time.monotonic()
    yield figures
    figures["seconds"] = time.monotonic() - started
    with open(os.environ["COPACO_FIGURES"], "a") as file:
        file.write(json.dumps({"what": what, **figures}) + "\n")
