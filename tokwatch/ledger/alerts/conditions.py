"""The condition language: `usd_per_m_output{model="qwen"} > 0.80`. A figure, a comparison, a number; nothing else."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple, cast

import msgspec

Scope = Literal["", "gpu", "server", "deployment", "model"]

_FORM: Final = re.compile(
    r"""\s*(?P<name>[a-z][a-z0-9_.]*)\s*
        (?:\{\s*(?P<scope>[a-z]+)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[\w.:/-]+))\s*\}\s*)?
        (?P<comparison>>=|<=|==|!=|>|<)\s*
        (?P<limit>-?[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*""",
    re.VERBOSE | re.ASCII,
)
_SCOPES: Final = ("gpu", "server", "deployment", "model")
_LONGEST: Final = 500
_HELP: Final = 'write it as usd_per_m_output > 0.80, or with one scope as power_w{gpu=3} > 650, tok_s{model="x"} < 100'


class ConditionError(ValueError):
    """A text that is no condition; the message says what to write."""


class Bounds(NamedTuple):
    """What is known of a number: both are the same where it is exact. Infinite where nothing bounds it."""

    low: float
    high: float


class FigureName(NamedTuple):
    """A figure of a Snapshot: its name, and of what (`of` is an index, address, name or model; "" of all together)."""

    name: str
    scope: Scope = ""
    of: str = ""

    def __str__(self) -> str:
        quoted = self.of if self.scope == "gpu" else f'"{self.of}"'
        return f"{self.name}{{{self.scope}={quoted}}}" if self.scope else self.name


# A figure's readings: several where several rows fit (a model on two servers), none where it does not exist just now.
Figures = Mapping[FigureName, tuple[Bounds | None, ...]]


class Condition(msgspec.Struct, frozen=True):
    """A comparison of one figure with a number."""

    figure: FigureName
    comparison: str
    limit: float

    def __str__(self) -> str:
        return f"{self.figure} {self.comparison} {self.limit:g}"

    def holds(self, readings: Iterable[Bounds | None]) -> bool | None:
        """Whether it is so of any reading; None where that is not known."""
        found = [self._of(reading) for reading in readings]
        if True in found:
            return True
        return None if None in found or not found else False

    def which(self, readings: Iterable[Bounds | None]) -> Bounds | None:
        """The first reading of which it is so."""
        return next((reading for reading in readings if self._of(reading)), None)

    def _of(self, reading: Bounds | None) -> bool | None:
        """Of a number between bounds: only where it is so of all that it may be, or of nothing."""
        if reading is None:
            return None
        low, high = reading
        compare = _COMPARISONS.get(self.comparison)
        if compare is not None:
            at_low, at_high = compare(low, self.limit), compare(high, self.limit)
            return at_low if at_low == at_high else None
        equal = low == high == self.limit
        if not equal and low <= self.limit <= high:
            return None
        return equal == (self.comparison == "==")


_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def parse_condition(text: str) -> Condition:
    """The condition that a text is. Raises ConditionError; whether the figure exists is asked of `known_figure`."""
    if len(text) > _LONGEST:
        raise ConditionError(f"a condition of {len(text)} characters is none: {_HELP}")
    found = _FORM.fullmatch(text)
    if found is None:
        raise ConditionError(f"{text!r} is no condition: {_HELP}")
    scope = found["scope"] or ""
    if scope and scope not in _SCOPES:
        raise ConditionError(f"{text!r} has no scope {scope!r}: it may be one of {', '.join(_SCOPES)}")
    of = (found["bare"] if found["quoted"] is None else found["quoted"]) or ""
    if scope and not of:
        raise ConditionError(f"{text!r} does not say which {scope}: {_HELP}")
    if scope == "gpu" and not re.fullmatch("[0-9]{1,4}", of):
        raise ConditionError(f"{text!r}: a GPU is named by its index, as in power_w{{gpu=3}} > 650")
    # "h" is how people write it in a crontab.
    name = re.sub(r"_per_h$", "_per_hour", found["name"])
    return Condition(FigureName(name, cast(Scope, scope), of), found["comparison"], float(found["limit"]))
