"""Figures of a money report in words: numbers with their marks, "–" where there is none, and the list of reasons."""

from __future__ import annotations

from collections.abc import Callable

from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.marks import SIGNS, signs

ABSENT, INFINITE = "–", "∞"
_LABEL, _VALUE = 36, 14  # cells of a line's first two columns
_REASON_ROOM = 88


def amount(value: float) -> str:
    """Dollars: to the cent, small ones to four digits."""
    if 0 < abs(value) < 0.995:
        return f"{value:.4f}" if abs(value) >= 0.01 else f"{value:.2g}"
    return f"{value:,.2f}".replace(",", " ")


def short(value: float) -> str:
    """Dollars in a table: without cents from a thousand on."""
    return count(value) if abs(value) >= 1000 else amount(value)


def count(value: float) -> str:
    """A number of things."""
    return f"{value:,.0f}".replace(",", " ")


def quantity(value: float) -> str:
    """A measured number, to about four digits."""
    if abs(value) >= 1000:
        return count(value)
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.4g}"


def percent(value: float) -> str:
    """A share."""
    return f"{value * 100:.1f} %"


class Words:
    """Writes figures, and remembers why some are unknown and which marks were borne."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str], list[str]] = {}  # (sign, why) → what
        self._borne: set[str] = set()

    def figure(self, name: str, figure: Figure, write: Callable[[float], str]) -> str:
        """A figure. `name` is what the list of reasons calls it."""
        if figure.infinite:
            self._note(name, "it cost something, and there were no tokens", INFINITE)
            return INFINITE
        if figure.value is None:
            self._note(name, figure.why or "not known")
            return ABSENT
        self._borne |= set(figure.marks)
        return signs(figure.marks) + write(figure.value)

    def interval(self, name: str, interval: Interval, write: Callable[[float], str]) -> str:
        """Both bounds; ∞ where nothing bounds it from above."""
        if interval.low is None:
            self._note(name, interval.why or "not known")
            return ABSENT
        self._borne |= set(interval.marks)
        low, high = write(interval.low), INFINITE if interval.high is None else write(interval.high)
        return signs(interval.marks) + (low if low == high else f"{low}–{high}")

    def _note(self, name: str, why: str, sign: str = ABSENT) -> None:
        names = self._reasons.setdefault((sign, why), [])
        if name not in names:
            names.append(name)

    @property
    def reasons(self) -> list[str]:
        """Why some figures are not known, one line a reason."""
        return [f"{sign}  {_some(names)}: {why}" for (sign, why), names in self._reasons.items()]

    @property
    def legend(self) -> list[str]:
        """What the marks mean."""
        return [f"{mark.sign}  {mark.meaning}" for name, mark in SIGNS.items() if name in self._borne]


def _some(names: list[str]) -> str:
    """The names, as many as one line has room for."""
    shown: list[str] = []
    for name in names:
        if len(", ".join((*shown, name))) > _REASON_ROOM - 30:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)


def line(label: str, value: str, comment: str = "") -> str:
    """A line of a list: what, how much, what more is to say."""
    return f"  {label:<{_LABEL - 2}}{value:>{_VALUE}}  {comment}".rstrip()
