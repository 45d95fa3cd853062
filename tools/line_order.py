"""In which order the lines of an invoice are that is made anew in part."""

from collections import defaultdict


def merge_order(first, second):
    """:param first: list of different keys, whose order stays
    :param second: list of different keys
    :return: list of the keys of both. What only the second one has is after what it is
    after there.
    """
    known = set(first)
    following = defaultdict(list)
    previous = None
    for key in second:
        if key in known:
            previous = key
        else:
            following[previous].append(key)
    merged = following[None]
    for key in first:
        merged += [key, *following[key]]
    return merged
