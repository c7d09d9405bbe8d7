"""Filter: the language of `/`. Words and comparisons, all of which a GPU's row has to meet."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from tokwatch.dashboard.arrange.fields import ASKED, Field, state_word
from tokwatch.dashboard.arrange.site import Site
from tokwatch.ledger.snapshot import GpuRow

Test = Callable[[GpuRow, Site], bool]

LANGUAGE: Final = (
    ("llama", "in the host, the GPU's name or UUID, the model, the deployment or the state"),
    ("3", "the GPU of that number"),
    ("idle", "paid for and doing nothing: parked, free, held, …"),
    ("state:parked,free", "in one of these states"),
    ("model:llama", "also host: name: uuid: deployment:"),
    ("gpu:0-3,6", "by number"),
    ("power>500", "also tok/s tok/s/w $/m $/h idle$ mem temp memtemp; > < >= <= = !="),
    ("mem>90%", "of all it has; power>90% of its limit"),
    ("util<20%", "also tensor dram; 0.2 is 20%"),
    ("for>1h", "how long in its state: s m h d"),
    ("-idle !llama", "not"),
    ('"other work"', "with a blank in it; several words have to be met all"),
)


class FilterError(ValueError):
    """The text cannot be read; says why in words."""


class Filter(msgspec.Struct, frozen=True):
    """Keeps the rows that meet every test; all rows without any."""

    text: str = ""
    tests: tuple[Test, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tests)

    def keeps(self, row: GpuRow, site: Site) -> bool:
        return all(test(row, site) for test in self.tests)


EVERYTHING: Final = Filter()

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "≥": operator.ge,
    "≤": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_OPPOSITES: Final[Mapping[Callable[[float, float], bool], Callable[[float, float], bool]]] = {
    operator.ge: operator.lt,
    operator.le: operator.gt,
    operator.gt: operator.le,
    operator.lt: operator.ge,
    operator.eq: operator.ne,
    operator.ne: operator.eq,
}
# As text: compiled when the first filter is typed, not before the first frame.
_OPERATOR: Final = "|".join(_COMPARISONS)
_BLANKS_AROUND: Final = rf"(?<=\S)\s*({_OPERATOR})\s*"
_WORD: Final = r'(?:"[^"]*"?|[^\s"])+'
_NUMBER: Final = r"[$€£¥]?([0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})([^0-9]*)"
_NUMBERS: Final = r"([0-9]{1,6})(?:[-–]([0-9]{1,6}))?"


def parse(text: str) -> Filter:
    """The filter that `text` asks for. Raises FilterError with words for the user."""
    words = re.findall(_WORD, re.sub(_BLANKS_AROUND, r"\1", text))
    return Filter(text.strip(), tuple(_test(word) for word in words))


def may_become_a_name(text: str) -> bool:
    """Its last word is how the name of a figure or a text begins: power, of which nobody has typed the > yet."""
    last = text.lower().split()[-1:]
    return bool(last) and any(name.startswith(last[0].lstrip("-!")) for name in (*ASKED, *_NAMED, "gpu"))


def _test(word: str) -> Test:
    negated = word[0] in "-!"
    if negated and not (word := word[1:]):
        raise FilterError("not what? a word behind the - or !")
    if word[0] != '"' and (found := re.search(_OPERATOR, word)):
        return _comparison(word[: found.start()].lower(), found.group(), word[found.end() :].lower(), negated)
    test = _named(word)
    return (lambda row, site: not test(row, site)) if negated else test


# Figures


def _comparison(name: str, sign: str, amount: str, negated: bool) -> Test:
    """A figure that is not known meets no comparison, nor its opposite."""
    asked = ASKED.get(name)
    if asked is None and (name in _NAMED or name == "gpu"):
        raise FilterError(f"{name} is no figure: {'-' if sign == '!=' else ''}{name}:{amount or '…'}")
    if asked is None:
        which = f"no figure is called {name}" if name else "which figure?"
        raise FilterError(f"{which}: {' '.join(ASKED)}")
    compare = _COMPARISONS[sign]
    if negated:
        compare = _OPPOSITES[compare]
    limit, of_full = _amount(asked, name, sign, amount)

    def test(row: GpuRow, site: Site) -> bool:
        value = asked.sorts_by(row, site)
        full = getattr(row, asked.full) if of_full else 1.0
        return isinstance(value, float | int) and bool(full) and compare(value / full, limit)

    return test


def _amount(asked: Field, name: str, sign: str, text: str) -> tuple[float, bool]:
    """The number in the field's own unit, or as a share of what 100 % of it is."""
    found = re.fullmatch(_NUMBER, text)
    units = " ".join(unit for unit in (*asked.units, "%" if asked.full else "") if unit)
    if found is None:
        said = "how much?" if not text else f"{text} is no number:"
        raise FilterError(f"{name} {sign} {said} a number" + (f", with {units} behind it or not" if units else ""))
    number, unit = float(found[1]), found[2].strip()
    if unit == "%" and asked.full:
        return number / 100, True
    if unit not in asked.units:
        raise FilterError(f"{name} {sign} {found[1]} {f'has no unit {unit}' if unit else 'of what'}: {units}")
    if asked.share and not unit and number > 1:  # nobody means more than all of it
        return number / 100, False
    return number * asked.units[unit], False


# Words

_Texts = Callable[[GpuRow, Site], tuple[str, ...]]
_NAMED: Final[Mapping[str, _Texts]] = {
    "state": lambda row, _: (row.state, state_word(row)),
    "model": lambda row, _: (row.serves,),
    "host": lambda row, site: (site.host(row),),
    "name": lambda row, _: (row.name,),
    "uuid": lambda row, _: (row.uuid or "",),
    "deployment": lambda row, site: (site.deployment(row),),
}


def _named(word: str) -> Test:
    """A word with a name before it, as in state:parked, or without. A model's own colon, llama3:8b, is no name."""
    name, colon, rest = word.partition(":")
    name = name.lower()
    if colon and (name in _NAMED or name == "gpu"):
        values = tuple(value for part in rest.split(",") if (value := _bare(part)))
        if not values:
            raise FilterError(f"{name}: which?")
        return _of_numbers(values) if name == "gpu" else _in_texts(values, _NAMED[name], idle=name == "state")
    return _anywhere(_bare(word))


def _bare(text: str) -> str:
    return text.replace('"', "").strip().casefold()


def _anywhere(word: str) -> Test:
    if word == "idle":
        return _idle
    if word.isascii() and word.isdigit():  # in the names of models digits are everywhere
        return lambda row, site: row.label == word or str(row.index) == word
    return _in_texts(
        (word,), lambda row, site: (row.label, *(text for texts in _NAMED.values() for text in texts(row, site)))
    )


def _idle(row: GpuRow, site: Site) -> bool:
    return row.idle and row.confirmed


def _in_texts(values: tuple[str, ...], texts: _Texts, *, idle: bool = False) -> Test:
    def test(row: GpuRow, site: Site) -> bool:
        if idle and "idle" in values and _idle(row, site):
            return True
        return any(value in text.casefold() for text in texts(row, site) for value in values)

    return test


def _of_numbers(values: tuple[str, ...]) -> Test:
    ranges = []
    for value in values:
        found = re.fullmatch(_NUMBERS, value)
        if found is None:
            raise FilterError(f"gpu: {value} is no number: as in 3, 0-3 or 0-3,6")
        ranges.append(range(int(found[1]), int(found[2] or found[1]) + 1))
    return lambda row, _: any(row.index in numbers for numbers in ranges)
