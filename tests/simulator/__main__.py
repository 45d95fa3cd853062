"""Run the simulator alone: its URL is the first line, SIGTERM or Ctrl-C ends it."""

import argparse
import signal
import threading
from datetime import date

from . import Simulator
from .dataset import SHAPES
from .server import AUTH_METHODS, ENDPOINTS


def main():
    options = vars(_parser().parse_args())
    planned = options.pop("fault")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Simulator(**options) as server:
        for name, fault_options in planned:
            server.misbehave(name, **fault_options)
        print(server.url, flush=True)
        ended.wait()


def _parser():
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--customers", type=int, default=45)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--api-key", default="simulator-key")
    parser.add_argument("--auth-method", choices=AUTH_METHODS, default="bearer")
    parser.add_argument("--auth-name", default="", help="header or parameter")
    parser.add_argument(
        "--permission",
        dest="permissions",
        choices=ENDPOINTS,
        action="append",
        help="endpoint that the key may use (may be repeated); all unless told",
    )
    parser.add_argument("--shape", choices=SHAPES, default=SHAPES[0])
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--today", type=date.fromisoformat, help="YYYY-MM-DD")
    parser.add_argument("--lines", type=int, help="customer lines in each month")
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="NAME[:OPTION=VALUE,…]",
        help="as Simulator.misbehave, e.g. status:status=503,times=2",
    )
    return parser


def _fault(text):
    name, _, pairs = text.partition(":")
    options = dict(pair.split("=", 1) for pair in filter(None, pairs.split(",")))
    return name, {key: _value(value) for key, value in options.items()}


def _value(text):
    constants = {"None": None, "True": True, "False": False}
    if text in constants:
        return constants[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


if __name__ == "__main__":
    main()
