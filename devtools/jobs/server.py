"""The community's ``queue_job``, and a real Odoo with workers that carries out jobs.

Only tests need them: the addon uses ``queue_job`` where it finds it.
"""

from contextlib import contextmanager
from pathlib import Path

from .. import prefork
from ..python_packages import separate_packages

MODULE = "queue_job"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
CHANNELS = f"root:{prefork.WORKERS},root.copaco:{prefork.WORKERS}"
READY = "queue job runner ready for db"  # it begins with a sleep


def packages() -> Path:
    """Return the folder to import ``queue_job`` from, made when missing."""
    return separate_packages(MODULE, REQUIREMENTS)


@contextmanager
def serving(instance, name: str):
    """Have the jobs of the database ``name`` carried out within the block.

    :raise SetupError: the server didn't start
    """
    with prefork.serving(
        instance,
        name,
        "job-server",
        READY,
        # The tests play the scheduler.
        options={"--max-cron-threads": 0, "--load": f"base,rpc,web,{MODULE}"},
        packages=(packages(),),
        variables={"ODOO_QUEUE_JOB_CHANNELS": CHANNELS},
    ):
        yield
