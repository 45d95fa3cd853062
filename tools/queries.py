"""Large queries of our own."""


def avoid_compiling(cr):
    """Have PostgreSQL carry out the queries of this transaction as they are planned.
    Where it expects much work, as long as its statistics know nothing of what was just
    received, it would compile a large query first, for a second and more, and then read
    a few hundred rows.

    The setting ends with the transaction (PostgreSQL's manual, "When to JIT?").
    """
    cr.execute("SET LOCAL jit = off")
