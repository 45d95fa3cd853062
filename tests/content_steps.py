"""How steps of the state machine of what is billed are made; when they are possible."""

from .properties import precondition, rule, st


def step(is_possible=lambda machine: True, is_checked=True):
    """Make a rule of a method that takes a function which picks one of a sequence.

    :param is_checked: whether what the addon has may be another after it
    """

    def decorate(method):
        def take(self, data):
            def pick(sequence):
                return data.draw(st.sampled_from(list(sequence)))

            self.log.append(method.__name__)
            self.frozen.move_to(f"{self.copaco.today} 10:00:00")
            # Odoo commits before each, and so forgets which number was the last one;
            # the scheduled actions take numbers by a cursor of their own.
            self.env.cr.flush()
            self.env.cr.precommit.clear()
            with self.telling():
                method(self, pick)
                if is_checked:
                    self.check()
            type(self).taken += 1

        take.__name__ = method.__name__
        return precondition(is_possible)(rule(data=st.data())(take))

    return decorate


def has_charges(machine):
    return any(part.charges for part in machine.copaco.parts)


def has_parts(machine):
    return bool(machine.copaco.parts)


def has_documents(machine):
    return bool(machine.found_documents)


def has_waiting(machine):
    return bool(machine.found_waiting)


def has_drafts(machine):
    return bool(machine.found_drafts)


def has_twins(machine):
    """Whether a line id tells two charges apart that have the same words."""
    return machine.copaco.line_ids == "own" and any(
        not charge.row_hash and len(charge.amounts) == 1
        for part in machine.copaco.parts
        for charge in part.charges
    )


def has_row_hashes(machine):
    return any(
        charge.row_hash for part in machine.copaco.parts for charge in part.charges
    )
