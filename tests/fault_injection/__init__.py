"""Bad servers, documents and settings; too many for every day: ``make faults``.

The modules ``test_*.py`` are imported in ``tests/__init__.py`` and tagged
``"post_install", "-at_install", "-standard", "copaco_faults"``. They take their numbers
and note their figures by ``figures.py``. So does ``devtools/fault_injection``, with
processes of its own instead of Odoo's test runner.
"""
