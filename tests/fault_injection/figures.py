"""What a part of ``make faults`` is asked for, and where it notes what it found.

``devtools/fault_injection/run.py`` starts them and makes a table of what they note.
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


def note(what, **figures):
    """Note figures for the table, when nothing went wrong.

    :param what: the attack, in words; figures of the same words are added up
    :param figures: columns of the table: ``times``, ``documents``, ``lost``,
        ``doubled``, ``half``, ``seconds``. Count what was found, never write a zero.
    """
    with open(os.environ["COPACO_FIGURES"], "a") as file:
        file.write(json.dumps({"what": what, **figures}) + "\n")


@contextmanager
def noted(what):
    """Lend the block a dictionary for its figures, and note them when it ends well,
    with the seconds that it took; see ``note``."""
    figures = {}
    started = time.monotonic()
    yield figures
    note(what, **figures, seconds=time.monotonic() - started)
