"""How records and values are named in messages."""

# A person needs to see where to look, not every record.
NAMED_RECORDS = 5


def enumerate_names(env, names):
    """:param env: environment in whose language it is said how many more there are
    :param names: iterable of texts
    :return: text with the first of them
    """
    names = list(names)
    if len(names) <= NAMED_RECORDS:
        return ", ".join(names)
    return env._(
        "%(names)s and %(count)s more",
        names=", ".join(names[:NAMED_RECORDS]),
        count=len(names) - NAMED_RECORDS,
    )


def join_different(texts):
    """:return: text such as "7 → 9", or "7" when nothing changed"""
    return " → ".join(dict.fromkeys(texts))
