"""What a person is told, in English and as it can be translated: a template, which is a
whole sentence, and its values."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Union

# A name, a number, or another text of this kind.
Value = Union[str, int, "Sentence"]


class Sentence(NamedTuple):
    """A template whose placeholders are named, as in ``%(field)s``, and their values.

    ``str(sentence)`` is English.
    """

    template: str
    values: Mapping[str, Value] = MappingProxyType({})

    def __str__(self) -> str:
        if not self.values:
            return self.template
        return self.template % {name: str(self.values[name]) for name in self.values}


# Of JSON and XML alike.
NESTED_TOO_DEEP = Sentence("Copaco's response can't be read: it is nested too deep.")
NOT_ENCODED = Sentence(
    "Copaco's response can't be read: it is not in the encoding it should be."
)


class Problems(NamedTuple):
    """What is wrong with something, the first few things of it; false if nothing is."""

    found: tuple[Sentence, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.found)

    def __str__(self) -> str:
        return "; ".join(map(str, self.found)) + "." if self.found else ""
