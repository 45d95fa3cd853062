"""Bad servers, documents and settings; all of them are too many for every day.

``make faults`` tries them all. Among the other tests it is one case of each kind, so
that what they expect is never out of date: ``choose`` in ``figures.py``.

The modules ``test_*.py`` are imported in ``tests/__init__.py`` and tagged
``"post_install", "-at_install", "copaco_faults"``. They take their numbers and note
their figures by ``figures.py``. So does ``devtools/fault_injection``, with processes of
its own instead of Odoo's test runner.
"""
