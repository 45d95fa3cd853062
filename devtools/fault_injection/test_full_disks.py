"""Disks that are full: that of Odoo's files, and that of PostgreSQL."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from fault_injection.figures import number

import odoo.sql_db
from odoo.tools import config

from ..postgres import Cluster
from ..processes.workers import DATABASE, Workers, have_jobs_due
from .case import POLICIES, AttackCase
from .small_disk import SmallDisk, leave_the_machines_mounts

NO_SPACE = re.compile("No space left on device|could not extend file")
DISKS = 2
MEGABYTE = 1_000_000
ROOM = 200 * MEGABYTE
FAILED_RUNS = """
    SELECT id, message::text FROM copaco_run
     WHERE company_id = %(company)s AND state = 'failed'"""


def setUpModule():
    leave_the_machines_mounts()


class FullDiskCase(AttackCase):
    def setUp(self):
        super().setUp()
        self.victims = Workers(self.workers.log.with_name("victims.log"))

    def fill_often(self, what, policy, disk):
        """Let the disk be full at another place of a fetch each time."""
        self.make_attacked(policy)
        needed = self._measure(disk)
        self.attack_often(
            what,
            number("FULL_DISKS") // len(POLICIES) // DISKS,
            lambda attempt: self._fill(attempt, disk, needed),
            besides=["a run failed"],
        )

    def _measure(self, disk):
        """Return how many bytes each way to fetch takes."""
        needed = {}
        for way in self.ways_to_fetch():
            self.deliver()
            before = disk.free()
            have_jobs_due()
            self.workers.run_together(self.ways_to_fetch()[way])
            needed[way] = before - disk.free()
            self.work()
        return needed

    def _fill(self, attempt, disk, needed):
        """Fetch with too little room on the disk; tell whether it was too little."""
        way, task = self.choose_way()
        leave = self.random.uniform(0, needed[way])
        self.attack = f"full disk {attempt}: {way}, {leave:.0f} of {needed[way]} bytes"
        have_jobs_due()
        failed_before = dict(self.reseller.query(FAILED_RUNS))
        self.victims.log.write_text("")
        try:
            disk.fill(leave)
            self.victims.run_together(task)
        finally:
            disk.empty()
        for run_id, message in self.reseller.query(FAILED_RUNS):
            if run_id not in failed_before:
                self.assertRegex(message, NO_SPACE)
        return bool(NO_SPACE.search(self.victims.log.read_text()))


class TestFilesDisk(FullDiskCase):
    """Odoo keeps the responses as files."""

    @classmethod
    def setUpClass(cls):
        files = Path(config.filestore(DATABASE))
        files.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as copy:
            shutil.copytree(files, copy, dirs_exist_ok=True)
            cls.disk = SmallDisk(files, ROOM)
            cls.addClassCleanup(cls.disk.unmount)
            shutil.copytree(copy, files, dirs_exist_ok=True)
        super().setUpClass()

    def test_a_response_that_finds_no_room_is_not_said_to_be_kept_draft(self):
        self._fill_often("draft")

    def test_a_response_that_finds_no_room_is_not_said_to_be_kept_posted(self):
        self._fill_often("post")

    def _fill_often(self, policy):
        self.fill_often("disk of the files full", policy, self.disk)


class TestDatabaseDisk(FullDiskCase):
    """The whole database lies on the small disk."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(Path(os.environ["COPACO_CLUSTER"]))
        # The server has to see this process's mounts.
        odoo.sql_db.close_all()
        cls.cluster.stop()
        cls.cluster.start()
        folder = cls.cluster.folder.with_name("small_disk")
        folder.mkdir()
        cls.addClassCleanup(folder.rmdir)
        cls.disk = SmallDisk(folder, ROOM)
        cls.addClassCleanup(cls.disk.unmount)
        space = cls.cluster.make_folder(folder / "tablespace")
        cls._run_sql(f"CREATE TABLESPACE small_disk LOCATION '{space}'")
        cls.addClassCleanup(cls._run_sql, "DROP TABLESPACE small_disk")
        cls._move_database("small_disk")
        cls.addClassCleanup(cls._move_database, "pg_default")
        super().setUpClass()

    @classmethod
    def _run_sql(cls, statement):
        cls.cluster.run("psql", "-Xqc", statement)

    @classmethod
    def _move_database(cls, tablespace):
        odoo.sql_db.close_all()
        database = f'ALTER DATABASE "{DATABASE}"'
        # A server that carries out jobs would be in the way.
        cls._run_sql(f"{database} ALLOW_CONNECTIONS false")
        cls._run_sql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            f"WHERE datname = '{DATABASE}'"
        )
        cls._run_sql(f"{database} SET TABLESPACE {tablespace}")
        cls._run_sql(f"{database} ALLOW_CONNECTIONS true")

    def test_what_finds_no_room_in_the_database_comes_later_as_drafts(self):
        self._fill_often("draft")

    def test_what_finds_no_room_in_the_database_comes_later_posted(self):
        self._fill_often("post")

    def _fill_often(self, policy):
        self.fill_often("disk of the database full", policy, self.disk)
