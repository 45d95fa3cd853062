"""Kills, crashes, full disks and bad documents; too much for every day.

Each file ``test_PART.py`` is a part, with processes of its own on a real database. The
part ``odoo`` is in ``tests/fault_injection``.
"""
