"""How fast invoices are created."""

# What it takes to create an invoice, beside its lines: as much as these.
LINES_A_DOCUMENT = 20
# Until it is measured: that of a machine that is busy.
LINES_A_SECOND = 250
# So that what was measured last doesn't count alone.
WEIGHT = 0.7


class Pace:
    """How many lines are invoiced in a time, measured as they are.

    :ivar lines_a_second: what is known of it
    """

    def __init__(self):
        self.lines_a_second = LINES_A_SECOND

    def measure(self, documents, seconds):
        """Learn from documents that were invoiced.

        :param documents: `copaco.document` records
        """
        measured = get_size(documents) / max(seconds, 0.01)
        self.lines_a_second += WEIGHT * (measured - self.lines_a_second)

    def estimate(self, documents):
        """:return: the seconds that it will take to invoice documents"""
        return get_size(documents) / self.lines_a_second


def get_size(documents):
    """:return: how many lines take as long to invoice as these documents"""
    return sum(documents.mapped("line_count")) + LINES_A_DOCUMENT * len(documents)
