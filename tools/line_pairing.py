"""Which lines are still there when a document is received again."""

from collections import defaultdict

from .evidence import get_text_key


def pair_lines(old_lines, new_lines):
    """Pair the lines of a document with those received again: on the best evidence
    first, and of several that it may be with the one that costs the same.

    Lines that are the same in everything are one. Else Copaco's row hash tells, unless
    they are of different months. Where one of two lines has none, as before March 2024,
    they are one when they are of the same service from the same day on, and nothing
    speaks against it. The same number is no evidence: the next part of an invoice may
    begin to count anew.

    :param old_lines: `copaco.document.line` records, or list of `DocumentLine`
    :param new_lines: list of `DocumentLine`
    :return: list of (old line, new line), in the order of the new ones; then the old
        lines that have no new one. What isn't there is None.
    """
    if hasattr(old_lines, "sorted"):
        old_lines = old_lines.sorted("sequence")
    old_lines = list(old_lines)
    found = {}  # positions of old lines by those of new ones
    for get_key, get_price in (
        (_get_content, _get_price),
        (_get_hash, _get_price),
        (_get_hash, _get_no_price),
        (_get_service, _get_price),
        (_get_service, _get_no_price),
    ):
        taken = set(found.values())
        candidates = defaultdict(list)
        for position, line in enumerate(old_lines):
            if position not in taken:
                candidates[get_key(line), get_price(line)].append(position)
        for position, line in enumerate(new_lines):
            key = get_key(line)
            if position in found or not key:
                continue
            same = candidates.get((key, get_price(line)), [])
            for old_position in same:
                if not _is_contradicted(old_lines[old_position], line):
                    found[position] = old_position
                    same.remove(old_position)
                    break
    kept = set(found.values())
    return [
        *(
            (old_lines[found[position]] if position in found else None, line)
            for position, line in enumerate(new_lines)
        ),
        *(
            (line, None)
            for position, line in enumerate(old_lines)
            if position not in kept
        ),
    ]


def pair_charges(old_lines, new_lines):
    """Pair the lines that two of Copaco's endpoints have of one document. Copaco
    doesn't say that a charge has the same row hash and number at both: what
    `pair_lines` doesn't pair is one when its service and period are the same, at best
    with its price.

    :param old_lines: list of `DocumentLine`
    :param new_lines: list of `DocumentLine`
    :return: dict of old lines by the positions of those new ones that have another name
    """
    pairs = pair_lines(old_lines, new_lines)
    left = [old for old, new in pairs if not new]
    found = {}
    for get_price in (_get_price, _get_no_price):
        candidates = defaultdict(list)
        for line in reversed(left):
            candidates[_get_charge(line), get_price(line)].append(line)
        for position, (old, new) in enumerate(pairs):
            same = new and candidates.get((_get_charge(new), get_price(new)))
            if same and not old and position not in found and any(_get_charge(new)):
                found[position] = same.pop()
        taken = set(map(id, found.values()))
        left = [line for line in left if id(line) not in taken]
    return found


def get_row_hash(line):
    """:return: Copaco's row hash of a line, whichever case its letters are in; "" for
    none"""
    return (line.row_hash or "").lower()


def get_charge_key(line):
    """:return: what is equal of lines that are the same charge at the same amount"""
    return (
        get_row_hash(line),
        get_text_key(line.subscription_ref),
        line.date_start or None,
        line.date_end or None,
        float(line.extended_price),
    )


def get_service_key(line):
    """:return: what is equal of lines without row hash that are the same charge at the
    same amount"""
    return (
        get_text_key(line.subscription_ref),
        get_text_key(line.description),
        line.date_start or None,
        line.date_end or None,
        float(line.quantity or 0),
        float(line.extended_price),
    )


def _get_content(line):
    return (
        get_text_key(line.line_ref),
        get_row_hash(line),
        get_text_key(line.subscription_ref),
        get_text_key(line.plan_ref),
        get_text_key(line.charge_type),
        get_text_key(line.description),
        line.date_start or None,
        line.date_end or None,
        float(line.quantity or 0),
    )


def _get_hash(line):
    return get_row_hash(line) or None


def _get_service(line):
    service = (
        get_text_key(line.subscription_ref),
        get_text_key(line.description),
        line.date_start,
    )
    return service if all(service) else None


def _get_charge(line):
    return (
        get_text_key(line.subscription_ref),
        get_text_key(line.description),
        get_text_key(line.charge_type),
        line.date_start,
        line.date_end,
    )


def _get_price(line):
    return float(line.extended_price)


def _get_no_price(_line):
    return None


def are_apart(line, other):
    """:return: whether two lines have periods that do not overlap, or only on the day
    that one ends and the other starts"""
    if not (line.date_start and line.date_end and other.date_start and other.date_end):
        return False
    earlier, later = sorted((line, other), key=lambda each: each.date_start)
    return (
        earlier.date_start < later.date_start and earlier.date_end <= later.date_start
    )


def may_be_same_charge(line, other, is_same_endpoint):
    """:param is_same_endpoint: of Copaco. It promises no row hash that is the same at
        another one.
    :return: whether two lines of different documents have the same row hash or, where
        that tells nothing, are the same service at the same amount
    """
    row_hash, other_hash = get_row_hash(line), get_row_hash(other)
    if are_apart(line, other):
        return False
    if row_hash and row_hash == other_hash:
        return True
    service = get_service_key(line)
    return bool(
        not (row_hash and other_hash and is_same_endpoint)
        and any(service[:2])
        and service == get_service_key(other)
    )


def find_repeated(lines):
    """Find the charges that a document has more than once: lines with the same row
    hash; and where one of two has none, those that are the same in everything else.

    :param lines: `copaco.document.line` records, or list of `DocumentLine`
    :return: list of (line, earlier line)
    """
    by_hash, by_content, without_hash = defaultdict(list), {}, {}
    pairs = []
    # Mostly each has one: then what else they are need not be known.
    has_hashes = all(line.row_hash for line in lines)
    for line in lines:
        row_hash = get_row_hash(line)
        content = None
        if not has_hashes:
            content = (get_text_key(line.line_ref), *get_service_key(line))
        same = (other for other in by_hash[row_hash] if not are_apart(line, other))
        other = next(same, None) if row_hash else None
        other = other or (without_hash if row_hash else by_content).get(content)
        if other:
            pairs.append((line, other))
        by_hash[row_hash].append(line)
        by_content.setdefault(content, line)
        if not row_hash:
            without_hash.setdefault(content, line)
    return pairs


def is_same_amount(line, other):
    """:return: whether two lines are of one subscription and cost the same"""
    return (
        get_text_key(line.subscription_ref) == get_text_key(other.subscription_ref)
        and line.extended_price == other.extended_price
    )


def _is_contradicted(line, other):
    if line.row_hash and other.row_hash:
        # The next month of a line may have the same one.
        return get_row_hash(line) != get_row_hash(other) or are_apart(line, other)
    # What one of them doesn't say says nothing.
    return any(
        value and other_value and get_text_key(value) != get_text_key(other_value)
        for value, other_value in (
            (line.line_ref, other.line_ref),
            (line.charge_type, other.charge_type),
        )
    )
