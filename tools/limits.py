"""How long this process may still work, by the limits that Odoo's server has."""

import math
import os
import platform
import time

import psutil

try:
    import resource
except ImportError:  # Windows, where Odoo has no workers
    resource = None

from odoo.service import server
from odoo.service.server import SLEEP_INTERVAL
from odoo.tools import config

# A worker for scheduled actions may have slept so many seconds of its time, see
# `odoo.service.server.WorkerCron.sleep`.
SLEPT = SLEEP_INTERVAL + 10
# What a worker has left that has just begun.
FRESH = 0.75
# Seconds between the end of a round and the next one, when it was asked for.
SOON = 10

_asked_at = -math.inf  # `time.monotonic()`


def ask_for_whole_time():
    """Note that a scheduled action of this process is about to be triggered: Odoo lets
    a worker begin again at once for that, and so it has not slept before."""
    global _asked_at  # of this worker, and of no database
    _asked_at = time.monotonic()


def get_server():
    """:return: what tells the server that this worker belongs to from any other, and
    from itself after it was started again"""
    pid = server.server.pid if server.server else os.getpid()
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:  # this worker is about to end, too
        started = 0
    return f"{platform.node()} {pid} {started:.0f}"


def get_seconds_left(started=None):
    """A server with workers gives each request, and each round of scheduled actions,
    `limit_time_cpu` and `limit_time_real` or `limit_time_real_cron`.

    :param started: `time.monotonic()` when a scheduled action began
    :return: (seconds until the server stops this worker, as far as is certain; whether
        it has just begun, and no other would have more)
    """
    cpu = _get_cpu_seconds_left()
    if cpu == math.inf:
        return cpu, True
    seconds, is_fresh = cpu, cpu > FRESH * config["limit_time_cpu"]
    real = config["limit_time_real_cron"]
    if real < 0:
        real = config["limit_time_real"]
    if started and real:
        is_whole = 0 <= started - _asked_at < SOON
        real_left = started + real - (SOON if is_whole else SLEPT) - time.monotonic()
        seconds = min(seconds, real_left)
        is_fresh = is_fresh and is_whole and real_left >= FRESH * real
    return max(seconds, 0), is_fresh


def _get_cpu_seconds_left():
    """The limit is set anew by `odoo.service.server.Worker.check_limits`."""
    if not resource:
        return math.inf
    limit, _hard = resource.getrlimit(resource.RLIMIT_CPU)
    if limit == resource.RLIM_INFINITY:
        return math.inf
    used = resource.getrusage(resource.RUSAGE_SELF)
    return limit - used.ru_utime - used.ru_stime
