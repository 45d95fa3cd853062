"""At level debug, Odoo logs the arguments of each remote call before it is made: also
of the one that sets the API key."""

import logging

FIELD = "api_key"


class HideKey(logging.Filter):
    """Leaves out the arguments of a call that names the field of the key."""

    def filter(self, record):
        # The record set, the method and its arguments: `odoo.service.model.call_kw`.
        if isinstance(record.args, tuple) and FIELD in str(record.args[-1]):
            record.args = (*record.args[:-1], "***")
        return True


logging.getLogger("odoo.service.model").addFilter(HideKey())
