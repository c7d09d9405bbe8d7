"""Badges: what a figure rests on, in one word each, and a sentence for whoever asks. One pure function."""

from __future__ import annotations

from typing import Final, NamedTuple

from tokwatch.ledger.explain.entry import explained
from tokwatch.ledger.explain.explained import Explained
from tokwatch.ledger.explain.provenance import Span
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.marks import MARKS
from tokwatch.ledger.snapshot import Snapshot

_ENDS: Final = 3  # intervals that a window may lack at its ends: it is made of whole readings
_SIGNS: Final = {
    "stale": "STALE",
    "part": "INCOMPLETE",
    "long": "LONG",
    "allocated": "ALLOCATED",
    "est": "EST",
    "few": "FEW",
    "module": "MODULE",
    "package": "PACKAGE",
}


class Badge(NamedTuple):
    """A word, and what it says; `shouts` where the figure is not what it seems."""

    word: str
    means: str
    shouts: bool = False


def of_screen(snapshot: Snapshot) -> tuple[Badge, ...]:
    """What holds for every figure of a moment."""
    if snapshot.kind == "simulated":
        return (Badge("SIMULATED", "the demo made these numbers up: nothing was measured"),)
    if snapshot.kind == "imported":
        return (Badge("IMPORTED", "recorded elsewhere, and read from a file"),)
    return ()


def badges(
    snapshot: Snapshot,
    path: FigurePath,
    figure: Figure | Interval | None,
    span: Span | None = None,
    *,
    age_s: float | None = None,
) -> tuple[Badge, ...]:
    """Of one figure, what shouts first.

    span: the window's facts, once they are known. age_s: how old the Snapshot is, where it is older than it should be.
    """
    entry = explained(path)
    found = [
        *of_screen(snapshot),
        *_of_marks(figure),
        *_of_coverage(snapshot, figure),
        *_of_span(snapshot, span, entry),
    ]
    if age_s is not None and all(badge.word != "STALE" for badge in found):
        found.append(Badge("STALE", f"nothing new for {age_s:.0f} s", shouts=True))
    return tuple(sorted(found, key=lambda badge: not badge.shouts))


def _of_marks(figure: Figure | Interval | None) -> list[Badge]:
    marks = figure.marks if figure is not None else ()
    return [Badge(word, MARKS[name].meaning, shouts=name == "stale") for name, word in _SIGNS.items() if name in marks]


def _of_coverage(snapshot: Snapshot, figure: Figure | Interval | None) -> list[Badge]:
    whole = 1 - _ENDS * snapshot.interval_s / snapshot.window_s
    if not isinstance(figure, Figure) or figure.value is None or figure.coverage >= whole:
        return []
    per_cent = f"{max(0, int(figure.coverage * 100))} %"
    return [Badge(f"PARTIAL {per_cent}", f"{per_cent} of its window was measured; the rate is of that part")]


def _of_span(snapshot: Snapshot, span: Span | None, entry: Explained | None) -> list[Badge]:
    if span is None:
        return []
    found = []
    if span.restarted:
        who = ", ".join(span.restarted)
        means = f"a counter of {who} began anew inside the window: what it counted before is in, as far as it was read"
        found.append(Badge("RESTARTED", means, shouts=True))
    if span.unwatched:
        found.append(Badge("GAP", "nobody watched for a part of the window: counts are whole, states are not known"))
    late_ms = 3 * snapshot.interval_s * 1000 + 30_000
    if entry is not None and span.newest_ms is not None and span.to_ms - span.newest_ms > late_ms:
        found.append(Badge("STALE", "its newest reading is older than it should be", shouts=True))
    return found
