"""Keeping: the home screen as text that first sight can paint before Textual is imported."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.theme import Ink, Look, style_of
from tokwatch.dashboard.widgets.header import Heading, draw_heading
from tokwatch.first_sight.kept import LARGEST, KeptFrame, Run
from tokwatch.ledger.snapshot import Snapshot

if TYPE_CHECKING:
    from tokwatch.dashboard.app import TokwatchApp

_SYSTEMS = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}
_EVERY_S = 60.0
_LONG_AGE_S = 7500.0  # "2h 05m": as wide as ages get

Piece = tuple[int, list[Segment]]  # column, and what stands from there on


class Keeper:
    """Has the home screen written down once a minute and at the end."""

    def __init__(self, look_key: str, write: Callable[[Path, str, Snapshot], None]) -> None:
        """look_key: see first_sight.look. write: into a store; blocks, and does not raise."""
        self._look_key = look_key
        self._write = write
        self._last: tuple[Path, str, Snapshot] | None = None

    def watch(self, app: TokwatchApp) -> None:
        """From now on; call it on the event loop."""
        app.set_interval(_EVERY_S, lambda: self._keep(app))

    def take(self, app: TokwatchApp) -> None:
        """What is on the home screen now, for keep_last()."""
        home, snapshot, store = app.screen_stack[0], app.frame.snapshot, app.store
        if isinstance(home, FrameScreen) and snapshot is not None and store is not None:
            text = kept_text(home, app.look, self._look_key, app.console.color_system)
            if text is not None:
                self._last = (store, text, snapshot)

    def keep_last(self) -> None:
        """Write what was taken last, when the app has ended."""
        if self._last is not None:
            self._write(*self._last)

    def _keep(self, app: TokwatchApp) -> None:
        self.take(app)
        if self._last is not None:
            app.run_worker(partial(self._write, *self._last), group="keep", thread=True)


def kept_text(home: FrameScreen, look: Look, look_key: str, colours: str | None) -> str | None:
    """What the screen shows, as KeptFrame.encode() writes it; None while it shows nothing that was measured now.

    colours: the colour system of Textual's console, by its name.
    """
    frame = home.tokwatch.frame
    if frame.snapshot is None or frame.kept or not frame.live or frame.snapshot.kind != "recorded":
        return None
    width, height = home.size
    rows: list[list[Piece]] = [[] for _ in range(height)]
    age_end = 0
    for canvas in home.canvases:
        at = canvas.region
        if not at or not canvas.display:
            continue
        if isinstance(canvas, Heading):
            segments, age_end = _heading(canvas, frame)
            rows[at.y].append((at.x, segments))
            continue
        for y, line in enumerate(canvas.drawn()[: at.height], at.y):
            if 0 <= y < height:
                rows[y].append((at.x, list(line.strip())))
    styles = _Styles(_SYSTEMS.get(colours or ""))
    page = style_of(look.palette, Ink())
    styles.number(page)
    text = KeptFrame(
        width=width,
        height=height,
        wall_ms=frame.snapshot.wall_ms,
        look=look_key,
        age_sign=glyphs.to_ascii("◌") if look.ascii_only else "◌",
        age_end=age_end,
        age_styles=(
            styles.number(style_of(look.palette, Ink("ui", "surface"))),
            styles.number(style_of(look.palette, Ink("quiet", "surface"))),
        ),
        rows=[styles.runs(_filled(pieces, width, page)) for pieces in rows],
        styles=styles.codes,
    ).encode()
    return text if len(text) <= LARGEST else None


def _heading(heading: Heading, frame: Frame) -> tuple[list[Segment], int]:
    """The row as it will be when the frame is old, without the words for that, and the column that they end before."""
    line, told = draw_heading(replace(frame, kept=True, age_s=_LONG_AGE_S), heading.size.width, heading.look)
    line.put(told.start, " " * len(told))
    return list(line.strip()), heading.region.x + told.stop


def _filled(pieces: list[Piece], width: int, page: Style) -> list[Segment]:
    """The row without gaps."""
    row: list[Segment] = []
    end = 0
    for x, segments in sorted(pieces, key=lambda piece: piece[0]):
        if x > end:
            row.append(Segment(" " * (x - end), page))
        row += segments
        end = x + sum(segment.cell_length for segment in segments)
    if end < width:
        row.append(Segment(" " * (width - end), page))
    return row


class _Styles:
    """Styles by number, each as its SGR parameters in the terminal's colours."""

    def __init__(self, colours: ColorSystem | None) -> None:
        self.codes: list[str] = []
        self._colours = colours
        self._numbers: dict[str, int] = {}

    def number(self, style: Style | None) -> int:
        sequence = (style or Style()).render("x", color_system=self._colours)
        codes = sequence.partition("x")[0].removeprefix("\x1b[").removesuffix("m")
        if codes not in self._numbers:
            self._numbers[codes] = len(self.codes)
            self.codes.append(codes)
        return self._numbers[codes]

    def runs(self, row: list[Segment]) -> list[Run]:
        return [(self.number(segment.style), segment.text) for segment in row if segment.text]
