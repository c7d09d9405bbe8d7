"""The Frontier screen's plane: every minute of a deployment by its throughput and its interactivity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, wrap
from tokwatch.dashboard.charts.scatter import Goal, Marked, Scatter
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.frontier_part import FrontierPart
from tokwatch.dashboard.widgets.frontier_view import (
    BENCHMARK,
    BEST,
    NOW,
    FrontierView,
    price_words,
    throughput_of,
    throughput_of_reference,
)
from tokwatch.ledger.capacity.looking_back import OperatingPast, tok_s_at_price
from tokwatch.ledger.capacity.operating_point import Throughput
from tokwatch.ledger.capacity.row import PointRow
from tokwatch.ledger.economics.token_cost import usd_per_million

_TRAIL_MS: Final = 30 * 60_000
_MINUTE_MS: Final = 60_000
_TALL: Final = 20  # rows; from there on a blank one stands under the heading
_PER_GPU: Final = {Throughput.OUTPUT_PER_GPU: "out", Throughput.TOTAL_PER_GPU: "all"}  # whose height has a price


class FrontierChart(FrontierPart):
    """A heading and the plane, or what is needed before there is one. Drawn anew only when it changed."""

    DEFAULT_CSS = """
    FrontierChart { height: 1fr; margin: 0 1; }
    """

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._made_of: tuple[object, ...] | None = None
        self._lines: list[Line] = []

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        # Not the view: its figures of the moment change at every tick, the plane once a minute.
        made_of = (*_made_of(self.view), self.look, self.size, "" if self.view else self._without_view())
        if made_of != self._made_of:
            self._made_of, self._lines = made_of, self._draw(width, height)
        return self._lines

    def _draw(self, width: int, height: int) -> list[Line]:
        heading = [Line(width, self.look) for _ in range(min(2 if height >= _TALL else 1, height))]
        view = self.view
        if heading:
            _put_heading(heading[0], view)
        room = height - len(heading)
        if view is None or view.past is None or not view.past.points:
            text = self._without_view() if view is None else missing(view)
            return [*heading, *_paragraph(text, width, self.look, room)]
        return [*heading, *scatter(view, view.past).draw(width, room, self.look)]

    def _without_view(self) -> str:
        if self.frame.snapshot is None:
            return f"{glyphs.ABSENT} {self.frame.starting}"
        return (
            "No deployment has a GPU for itself, so there is nothing to set against each other. A point needs an "
            "inference server and the GPUs that it runs on: 6 Sources says what was found, and what to do."
        )


def _made_of(view: FrontierView | None) -> tuple[object, ...]:
    """What the plane depends on."""
    if view is None:
        return (None,)
    at_minute = view.at_ms // _MINUTE_MS  # in words before the first point
    place = view.row.entity, view.span_ms, view.live, view.reading, at_minute
    return view.past, view.now and view.now.to_ms, view.axis, view.box, view.references, view.sign, place


def _put_heading(line: Line, view: FrontierView | None) -> None:
    x = line.put(0, "THROUGHPUT AGAINST INTERACTIVITY", bold=True) + 2
    if view is None:
        return
    per_token = view.past is not None and any(point.per_token for point in view.past.points)
    against = "1 / mean gap between tokens" if per_token else "1 / mean TPOT"
    for words in (f"{view.axis.value}, against {against}", view.axis.value):
        if len(words) <= line.width - x:
            line.put(x, words, "quiet")
            break


def _paragraph(text: str, width: int, look: Look, height: int) -> list[Line]:
    lines = [Line(width, look) for _ in range(height)]
    for line, words in zip(lines, wrap(text, min(width, 76)), strict=False):
        line.put(0, words, "quiet")
    return lines


def missing(view: FrontierView) -> str:
    """Why there is no plane, and when there will be one."""
    if view.past is None and view.reading:
        return f"{glyphs.ABSENT} reading the past"
    needed = (
        f"{glyphs.ABSENT} No point in the {view.span_words}. A point is one whole minute in which the deployment made "
        "tokens, its pages were read and no GPU came or went; five minutes where its engine counts tokens when a "
        "request ends."
    )
    if not view.live:
        return needed
    first_ms = (view.at_ms // _MINUTE_MS + 2) * _MINUTE_MS
    return f"{needed} With tokens from now on the first comes at {view.when(first_ms)}."


# --- the plane --------------------------------------------------------------------------------------------------------


def scatter(view: FrontierView, past: OperatingPast) -> Scatter:
    """The plane of a view, with what is known of each point."""
    axis = view.axis
    alike = [point for point in past.points if point.mix == past.mix]
    others = [point for point in past.points if point.mix != past.mix]
    frontier = [point for point in reversed(past.frontier) if axis.value in point.frontiers]
    trail = [point for point in alike if point.to_ms > past.to_ms - _TRAIL_MS]
    write_y = formats.count if axis in _PER_GPU else formats.short
    return Scatter(
        cloud=_places(alike, axis),
        frontier=tuple(sorted(_places(frontier, axis))),
        trail=_places(trail, axis),
        marks=tuple(_marks(view, past, trail)),
        goal=_goal(view, past),
        x_unit="tok/s/user",
        y_unit="tok/s" if axis in _PER_GPU else "per MW",
        write_x=lambda value: f"{value:g}" if value < 1000 else formats.count(value),
        write_y=write_y,
        right_unit=f"{view.sign}/M {_PER_GPU.get(axis, '')}",
        write_right=_price_at(past) if axis in _PER_GPU and past.usd_per_gpu_hour is not None else None,
        others=_places(others, axis),
    )


def _places(points: Iterable[PointRow], axis: Throughput) -> tuple[tuple[float, float], ...]:
    """The coordinates of those that have both."""
    return tuple(
        (point.tok_s_per_user, height)
        for point in points
        if point.tok_s_per_user is not None and (height := throughput_of(point, axis)) is not None
    )


def _price_at(past: OperatingPast) -> Callable[[float], str]:
    def write(tok_s_per_gpu: float) -> str:
        usd = usd_per_million(past.usd_per_gpu_hour, tok_s_per_gpu * 3600)
        return "" if usd is None else formats.per_million(usd)

    return write


def _goal(view: FrontierView, past: OperatingPast) -> Goal:
    """The box as far as it can be drawn: its price is of output, so it has a height only there."""
    least, most = view.box.tok_s_per_user_at_least, view.box.usd_per_m_output_at_most
    priced = most is not None and view.axis is Throughput.OUTPUT_PER_GPU
    height = tok_s_at_price(past.usd_per_gpu_hour, most) if priced and most is not None else None
    words = [word for word, limit in (("fast enough", least), ("cheap enough", height)) if limit is not None]
    return Goal(
        x_least=least,
        y_least=height,
        title=" and ".join(words),
        x_label="" if least is None else f"at least {least:g} tok/s per user",
        y_label="" if height is None or most is None else f"at most {price_words(most, view.sign)} per M out",
    )


def _marks(view: FrontierView, past: OperatingPast, trail: list[PointRow]) -> Iterator[Marked]:
    """From the least to the most important."""
    if view.references:
        for reference in past.references:
            height = throughput_of_reference(reference, view.axis)
            if height is not None:
                yield Marked(reference.tok_s_per_user, height, BENCHMARK, reference.name, "ui")
    if len(trail) > 1:
        yield from _mark(trail[0], view, "", view.when(trail[0].to_ms), "quiet")
    if past.best is not None:
        yield from _mark(past.best, view, BEST, f"best {view.when(past.best.to_ms)}", "work")
    if view.now is not None:
        yield from _mark(view.now, view, NOW, "now" if view.live else view.when(view.now.to_ms), "bright")


def _mark(point: PointRow, view: FrontierView, glyph: str, label: str, role: str) -> Iterator[Marked]:
    for x, y in _places([point], view.axis):
        yield Marked(x, y, glyph, label, role)
