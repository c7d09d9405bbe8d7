"""Language: how a filter is read that keeps some rows of a list: words and comparisons, all of which have to be met."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, NamedTuple

import msgspec

from tokwatch.dashboard.arrange.field import Context, Field, Row

Test = Callable[[Any, Any], bool]  # of a row and its context


class FilterError(ValueError):
    """The text cannot be read; says why in words."""


class Filter(msgspec.Struct, frozen=True):
    """Keeps the rows that meet every test; all rows without any."""

    text: str = ""
    tests: tuple[Test, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tests)

    def keeps(self, row: object, context: object) -> bool:
        return all(test(row, context) for test in self.tests)


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


class Numbered(NamedTuple, Generic[Row]):
    """Rows that have a number: what they are called in a filter, as in gpu:0-3."""

    name: str
    number: Callable[[Row], int]
    label: Callable[[Row], str]


class Language(Generic[Row, Context]):
    """What can be asked of the rows of one list."""

    def __init__(
        self,
        asked: Mapping[str, Field[Row, Context]],
        texts: Mapping[str, Callable[[Row, Context], tuple[str, ...]]],
        idle: Callable[[Row, Context], bool],
        numbered: Numbered[Row] | None = None,
    ) -> None:
        """asked: figures by name. texts: what can be named before a colon, "state" among them."""
        self._asked = asked
        self._texts = texts
        self._idle = idle
        self._numbered = numbered
        self._names = (*texts, numbered.name) if numbered else tuple(texts)

    def parse(self, text: str) -> Filter:
        """The filter that `text` asks for. Raises FilterError with words for the user."""
        words = re.findall(_WORD, re.sub(_BLANKS_AROUND, r"\1", text))
        return Filter(text.strip(), tuple(self._test(word) for word in words))

    def may_become_a_name(self, text: str) -> bool:
        """Its last word is how the name of a figure or a text begins: power, of which nobody has typed the > yet."""
        last = text.lower().split()[-1:]
        return bool(last) and any(name.startswith(last[0].lstrip("-!")) for name in (*self._asked, *self._names))

    def _test(self, word: str) -> Test:
        negated = word[0] in "-!"
        if negated and not (word := word[1:]):
            raise FilterError("not what? a word behind the - or !")
        if word[0] != '"' and (found := re.search(_OPERATOR, word)):
            name, sign, amount = word[: found.start()].lower(), found.group(), word[found.end() :].lower()
            return self._comparison(name, sign, amount, negated)
        test = self._named(word)
        return (lambda row, context: not test(row, context)) if negated else test

    # Figures

    def _comparison(self, name: str, sign: str, amount: str, negated: bool) -> Test:
        """A figure that is not known meets no comparison, nor its opposite."""
        asked = self._asked.get(name)
        if asked is None and name in self._names:
            raise FilterError(f"{name} is no figure: {'-' if sign == '!=' else ''}{name}:{amount or '…'}")
        if asked is None:
            which = f"no figure is called {name}" if name else "which figure?"
            raise FilterError(f"{which}: {' '.join(self._asked)}")
        compare = _COMPARISONS[sign]
        if negated:
            compare = _OPPOSITES[compare]
        limit, of_full = _amount(asked, name, sign, amount)

        def test(row: Row, context: Context) -> bool:
            value = asked.sorts_by(row, context)
            full = getattr(row, asked.full) if of_full else 1.0
            return isinstance(value, float | int) and bool(full) and compare(value / full, limit)

        return test

    # Words

    def _named(self, word: str) -> Test:
        """A word with a name before it, as in state:parked, or without. A model's own colon, llama3:8b, is no name."""
        name, colon, rest = word.partition(":")
        name = name.lower()
        if colon and name in self._names:
            values = tuple(value for part in rest.split(",") if (value := _bare(part)))
            if not values:
                raise FilterError(f"{name}: which?")
            if name not in self._texts:
                return self._of_numbers(name, values)
            return self._in_texts(values, self._texts[name], idle=name == "state")
        return self._anywhere(_bare(word))

    def _anywhere(self, word: str) -> Test:
        if word == "idle":
            return self._idle
        numbered = self._numbered
        if numbered is not None and word.isascii() and word.isdigit():  # in the names of models digits are everywhere
            return lambda row, _: numbered.label(row) == word or str(numbered.number(row)) == word

        def texts(row: Row, context: Context) -> tuple[str, ...]:
            label = (numbered.label(row),) if numbered else ()
            return (*label, *(text for texts in self._texts.values() for text in texts(row, context)))

        return self._in_texts((word,), texts)

    def _in_texts(
        self, values: tuple[str, ...], texts: Callable[[Row, Context], tuple[str, ...]], *, idle: bool = False
    ) -> Test:
        def test(row: Row, context: Context) -> bool:
            if idle and "idle" in values and self._idle(row, context):
                return True
            return any(value in text.casefold() for text in texts(row, context) for value in values)

        return test

    def _of_numbers(self, name: str, values: tuple[str, ...]) -> Test:
        numbered = self._numbered
        assert numbered is not None  # whose name it is
        ranges = []
        for value in values:
            found = re.fullmatch(_NUMBERS, value)
            if found is None:
                raise FilterError(f"{name}: {value} is no number: as in 3, 0-3 or 0-3,6")
            ranges.append(range(int(found[1]), int(found[2] or found[1]) + 1))
        return lambda row, _: any(numbered.number(row) in numbers for numbers in ranges)


def _bare(text: str) -> str:
    return text.replace('"', "").strip().casefold()


def _amount(asked: Field[Any, Any], name: str, sign: str, text: str) -> tuple[float, bool]:
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
