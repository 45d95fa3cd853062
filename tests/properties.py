"""hypothesis; where it isn't installed, tests that need it are skipped."""

import os
import unittest

__all__ = [
    "HealthCheck",
    "Phase",
    "RuleBasedStateMachine",
    "examples",
    "given",
    "initialize",
    "precondition",
    "rule",
    "run_state_machine_as_test",
    "seed",
    "settings",
    "st",
]

try:
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import (
        RuleBasedStateMachine,
        initialize,
        precondition,
        rule,
        run_state_machine_as_test,
    )
except ImportError:

    class _Missing:
        """Is whatever is made of it."""

        def __getattr__(self, _name):
            return self

        def __call__(self, *_arguments, **_options):
            return self

        def __or__(self, _other):
            return self

    HealthCheck = Phase = st = _Missing()

    def given(*_arguments, **_options):
        return unittest.skip("hypothesis is not installed")

    def settings(*_arguments, **_options):
        return lambda test: test

    initialize = precondition = rule = seed = settings

    class RuleBasedStateMachine:
        """Takes no step."""

    def run_state_machine_as_test(*_arguments, **_options):
        raise unittest.SkipTest("hypothesis is not installed")


def examples(count):
    """:return: how many examples a costly test tries, of which there are `count` unless
    the environment asks for so many times more; they are other ones each time"""
    return count * int(os.environ.get("COPACO_EXAMPLES", "1"))
