from . import (
    test_amounts,
    test_change,
    test_coverage,
    test_decide,
    test_faults,
    test_fetch,
    test_invoice,
    test_match,
    test_security,
    test_tours,
    test_upload,
    test_watch,
)
