"""Explaining: what is told of one figure, as rows of a label and a text. Writes, draws nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tokwatch.dashboard import formats, glyphs
from tokwatch.ledger.explain.advice import advice
from tokwatch.ledger.explain.badges import Badge, badges
from tokwatch.ledger.explain.entry import explained, in_words
from tokwatch.ledger.explain.provenance import Provenance, Source
from tokwatch.ledger.explain.quantity import exact, number
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.figure_path import FigurePath, figure_at, row_at
from tokwatch.ledger.snapshot import Snapshot

_OVERS = {"today": "since midnight", "strip": "of the strip", "alert": "since it began", "state": "since it began"}
_OF_ALL = ("totals", "economy", "snapshot")
_DEPTHS = (4, 3, 2, 1)  # how far numbers are written out, the farthest that fits


class Fact(NamedTuple):
    """One row. `role` is of the palette; a fact without a label goes on from the one above."""

    label: str
    text: str
    role: str = "text"


class Told(NamedTuple):
    """Everything about one figure, as far as it is known by now."""

    title: str
    value: str
    badges: tuple[Badge, ...]
    facts: tuple[Fact, ...]


def tell(
    snapshot: Snapshot,
    path: FigurePath,
    past: Provenance | None = None,
    *,
    age_s: float | None = None,
    width: int = 200,
    whole: bool = False,
) -> Told:
    """From the Snapshot alone at once, and more from `past` when it has come.

    width: cells of a text, so that formulas are written out as far as they fit. whole: with every source and step.
    """
    figure = figure_at(snapshot, path)
    span = past.span if past is not None else None
    found = [*_formula(snapshot, path, past, width)]
    found += _unknown(figure)
    if past is not None:
        found += _from_past(snapshot, path, past, whole=whole)
    elif (entry := explained(path)) is not None and entry.reads:
        found.append(Fact("read from", "asking the store", "quiet"))
    found += _about(path)
    return Told(
        title(snapshot, path),
        value(snapshot, path, figure),
        badges(snapshot, path, figure, span, age_s=age_s),
        tuple(found),
    )


def title(snapshot: Snapshot, path: FigurePath) -> str:
    """The figure in words: "output tokens per watt of GPU 3"."""
    entry = explained(path)
    words = entry.words if entry is not None else path.field.replace("_", " ")
    whose = _whose(snapshot, path)
    if not whose:
        return words
    return f"{words}, {whose}" if path.of in _OF_ALL else f"{words} of {whose}"


def value(snapshot: Snapshot, path: FigurePath, figure: Figure | Interval | None) -> str:
    """Every digit of it, with its unit."""
    entry = explained(path)
    unit = entry.unit if entry is not None else ""
    sign = formats.currency_sign(snapshot.currency)
    if isinstance(figure, Interval):
        if figure.low is None and figure.high is None:
            return glyphs.ABSENT
        high = "∞" if figure.high is None else exact(figure.high)
        return f"{exact(figure.low or 0.0)} to {high} {_unit(unit)}".strip()
    if figure is None or (figure.value is None and not figure.infinite):
        return glyphs.ABSENT
    if figure.value is None:
        return f"{glyphs.INFINITE} {unit.replace('$', sign)}"
    if unit == "share":
        return f"{exact(figure.value)} = {exact(figure.value * 100, 6)} %"
    return number(figure.value, unit).replace("$", sign)


def _unit(unit: str) -> str:
    return "" if unit == "share" else unit


def _whose(snapshot: Snapshot, path: FigurePath) -> str:
    row = row_at(snapshot, path)
    if path.of in _OF_ALL:
        count = snapshot.totals.gpus
        return f"all {count} {snapshot.device}s" if count > 1 else snapshot.host
    if row is None or path.of == "self_cost":
        return ""
    if path.of == "gpu":
        return row.device if row.label == "cpu" else f"{row.device} {row.label}"
    if path.of == "strip":
        return f"{snapshot.device} {row.index}"
    if path.of == "server":
        return f"{formats.engine(row.engine)} at {row.address}"
    if path.of == "traffic":
        return ", ".join(filter(None, (row.model, row.tenant, row.tier)))
    if path.of == "alert":
        return f"{row.state or row.key} on {formats.devices(row.gpus, snapshot.device)}" if row.gpus else row.key
    return str(getattr(row, "name", "") or getattr(row, "deployment", "") or "+".join(getattr(row, "models", ())))


# --- facts ------------------------------------------------------------------------------------------------------------


def _formula(snapshot: Snapshot, path: FigurePath, past: Provenance | None, width: int) -> Iterator[Fact]:
    sign = formats.currency_sign(snapshot.currency)
    words = in_words(path)
    if words:
        yield Fact("formula", words)
    if past is None:
        return
    if past.numbers is not None:
        texts = [past.numbers.written(depth).replace("$", sign) for depth in _DEPTHS]
        text = next((text for text in texts if len(text) <= width), texts[-1])
        came_to = number(past.numbers.value, past.numbers.unit).replace("$", sign)
        when = "" if past.tick_ms == snapshot.tick_ms else f"  at {formats.clock(past.tick_ms, snapshot.utc_offset_s)}"
        yield Fact("numbers", f"{text} = {came_to}{when}", "bright")
    for label, told in zip(("counted", *("",) * len(past.counted)), past.counted, strict=False):
        yield Fact(label, told, "bright")


def _unknown(figure: Figure | Interval | None) -> Iterator[Fact]:
    if figure is None or not figure.why:
        return
    label = "" if isinstance(figure, Interval) and figure.low is not None else "unknown"
    yield Fact(label or "note", figure.why, "text")
    if todo := advice(figure.why):
        yield Fact("to do", todo, "ui")


def _from_past(snapshot: Snapshot, path: FigurePath, past: Provenance, *, whole: bool) -> Iterator[Fact]:
    if past.why:
        yield Fact("past", past.why, "quiet")
        return
    yield from _sources(past, whole=whole)
    if past.span is not None:
        yield Fact("window", _window(snapshot, path, past))
    if past.price is not None:
        reason = f" ({past.price.reason})" if past.price.reason else ""
        version = "supposed: nothing of it is stored" if past.price.supposed else f"version {past.price.version}"
        yield Fact("price", f"{past.price.words}{reason}; {version}")
    if whole and past.numbers is not None:
        sign = formats.currency_sign(snapshot.currency)
        label = "made of"
        for depth, name, part in past.numbers.steps():
            made = f" = {part.written(1).replace('$', sign)}" if part.parts and part.formula != "sum" else ""
            text = f"{'  ' * depth}{part.words or name}: {number(part.value, part.unit).replace('$', sign)}{made}"
            yield Fact(label, text)
            label = ""


def _sources(past: Provenance, *, whole: bool) -> Iterator[Fact]:
    """Each series with its counter at both ends; on few rows the first, and how many more there are."""
    shown = past.sources if whole else past.sources[:2]
    for label, source in zip(("read from", *("",) * len(shown)), shown, strict=False):
        series = " or ".join(source.series if whole else source.series[:1]) or f"no series of {source.what}"
        yield Fact(label, f"{series} on {source.of}{_counter(source)}")
        if whole and source.note:
            yield Fact("", source.note, "quiet")
    more = len(past.sources) - len(shown) + past.more_sources
    if more:
        yield Fact("", f"and {more} more", "quiet")


def _counter(source: Source) -> str:
    if source.added is None:
        return ""
    unit = f" {source.unit}" if source.unit else ""
    if source.before is None or source.after is None:
        return f": + {exact(source.added)}{unit}; {source.note}"
    return f": {exact(source.before)} → {exact(source.after)}{unit}"


def _window(snapshot: Snapshot, path: FigurePath, past: Provenance) -> str:
    span = past.span
    assert span is not None
    offset = snapshot.utc_offset_s
    entry, figure = explained(path), figure_at(snapshot, path)
    over = entry.over if entry is not None else "window"
    if over == "now":
        text = f"a reading at {formats.clock(span.to_ms, offset)}"
    else:
        length_s = (span.to_ms - span.from_ms) / 1000
        length = f"{exact(length_s)} s" if length_s < 1000 else formats.duration(length_s)
        text = f"{formats.clock(span.from_ms, offset)} to {formats.clock(span.to_ms, offset)}, {length}"
        text += f" {_OVERS[over]}" if over in _OVERS else ""
    if span.ticks is not None:
        text += f", {span.ticks} tick{'s' if span.ticks != 1 else ''}"
    if isinstance(figure, Figure) and figure.value is not None and over in ("window", "minute"):
        text += f", {exact(figure.coverage * 100, 3)} % covered"
    if span.newest_ms is not None:
        age_s = max(0.0, (snapshot.tick_ms - span.newest_ms) / 1000)
        text += f", newest reading {exact(age_s, 3)} s old"
    return text


def _about(path: FigurePath) -> Iterator[Fact]:
    entry = explained(path)
    if entry is None:
        return
    yield Fact("means", entry.means, "quiet")
    if entry.change:
        yield Fact("set by", f"{', '.join(entry.change)} in config.toml", "quiet")
