"""What a part of ``make faults`` is asked for, and where it notes what it found.

``devtools/fault_injection/run.py`` starts them and makes a table of what they note.
"""

import json
import os
import time
from collections import defaultdict
from contextlib import contextmanager

# What the environment has when `make faults` runs.
FIGURES = "COPACO_FIGURES"
# What is asked for among the other tests.
FEW = {"PAYLOADS": "500", "ROUNDS": "1"}


def number(name):
    """Return how often a part does what it does, such as ``KILLS``."""
    return int(os.environ.get(name) or FEW[name])


def seed():
    """Return the text that all chance of this run comes from."""
    return os.environ.get("SEED", "1")


def choose(cases, kind=lambda case: None):
    """Return the cases to be tried: all of them with ``make faults``, one of each kind
    among the other tests. Of the first kind that is the first one, of the second the
    second and so on: cases of the same place among their kind have more in common.

    :param cases: in the same order each time
    :param kind: function that returns the kind of a case
    """
    if FIGURES in os.environ:
        return cases
    groups = defaultdict(list)
    for case in cases:
        groups[kind(case)].append(case)
    return [group[i % len(group)] for i, group in enumerate(groups.values())]


def note(what, **figures):
    """Note figures for the table, if there is one, when nothing went wrong.

    :param what: the attack, in words; figures of the same words are added up
    :param figures: columns of the table: ``times``, ``documents``, ``lost``,
        ``doubled``, ``half``, ``seconds``. Count what was found, never write a zero.
    """
    if FIGURES in os.environ:
        with open(os.environ[FIGURES], "a") as file:
            file.write(json.dumps({"what": what, **figures}) + "\n")


@contextmanager
def noted(what):
    """Lend the block a dictionary for its figures, and note them when it ends well,
    with the seconds that it took; see ``note``."""
    figures = {}
    started = time.monotonic()
    yield figures
    note(what, **figures, seconds=time.monotonic() - started)
