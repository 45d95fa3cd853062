"""How long this process may still work, by the limits that Odoo's server has."""

import math
import time

try:
    import resource
except ImportError:  # Windows, where Odoo has no workers
    resource = None

from odoo.tools import config

# What is used up before a worker is given something to do.
FRESH = 0.75


def get_seconds_left(started=None):
    """:param started: `time.monotonic()` when a scheduled action began
    :return: (seconds until the server stops this worker, whether it would hardly have
        more if it began anew)

    A server with workers gives each request, and each round of scheduled actions,
    `limit_time_cpu` and `limit_time_real` or `limit_time_real_cron`.
    """
    left, is_fresh = math.inf, True
    cpu = _get_cpu_seconds_left()
    if cpu < math.inf:
        left, is_fresh = cpu, cpu > FRESH * config["limit_time_cpu"]
    real = config["limit_time_real_cron"]
    if real < 0:
        real = config["limit_time_real"]
    if started and real and cpu < math.inf:
        real_left = started + real - time.monotonic()
        left = min(left, real_left)
        is_fresh = is_fresh and real_left > FRESH * real
    return max(left, 0), is_fresh


def _get_cpu_seconds_left():
    """The limit is set anew by `odoo.service.server.Worker.check_limits`."""
    if not resource:
        return math.inf
    limit, _hard = resource.getrlimit(resource.RLIMIT_CPU)
    if limit == resource.RLIM_INFINITY:
        return math.inf
    used = resource.getrusage(resource.RUSAGE_SELF)
    return limit - used.ru_utime - used.ru_stime
