"""The five headline tiles, and the row in which they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Horizontal

from tokwatch.dashboard import formats
from tokwatch.dashboard.layout import MARGIN, tile_widths
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.tile import ABSENT, Piece, Tile, TileView, cells_of, few, value
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.snapshot import Snapshot

_WHOSE = {"module": "module", "package": "CPU"}  # watts, by their scope
_NO_PRICE = ("press $ to set a price", "$ sets a price")


class OutputTile(Tile):
    """Output tokens per second, with their last two minutes."""

    title = "OUTPUT"

    def fill(self, snapshot: Snapshot) -> None:
        totals = snapshot.totals
        self.put(0, Piece(self.title))
        self.put(1, value(totals.tok_s, formats.figure(totals.tok_s, formats.count), of=_of("tok_s")), Piece(" tok/s"))
        self.put_spark(totals.tok_s_spark)
        if self.tall:
            every = formats.figure(totals.tok_s_all, formats.short)
            caption = " with prompt"  # with signs before it there may be no room for both words
            self.put(
                self.last,
                Piece(every, of=_of("tok_s_all")),
                Piece(caption if len(every + caption) <= self.room else " in all"),
            )


class TokensPerWattTile(Tile):
    """Output tokens per joule of board energy."""

    title = "TOKENS PER WATT"

    def fill(self, snapshot: Snapshot) -> None:
        totals = snapshot.totals
        self.put(0, Piece(self.title))
        self.put(
            1,
            value(totals.tok_per_j, formats.figure(totals.tok_per_j, formats.ratio), of=_of("tok_per_j")),
            Piece(" tok/s/W"),
        )
        whose = _WHOSE.get(snapshot.power_scope, "board")
        if totals.power_w.value is None:
            self.put_paragraph(2, f"no {whose} watts: {totals.power_w.why}", "6 says why", "quiet")
            return
        if totals.tok_per_j.value is None:
            self.put_paragraph(2, totals.tok_per_j.why, "6 says why", "quiet")
        else:
            self.put_spark(totals.tok_per_j_spark)
        if self.tall:
            watts = Piece(formats.figure(totals.power_w, formats.count), of=_of("power_w"))
            self.put(self.last, Piece(f"{whose} "), watts, Piece(" W"))


class PriceTile(Tile):
    """Cost of a million tokens, all-in."""

    title = "$ PER M TOKENS"

    def fill(self, snapshot: Snapshot) -> None:
        totals = snapshot.totals
        sign = formats.currency_sign(snapshot.currency)
        self.put(0, Piece(self.title.replace("$ ", sign.strip() + " ")))
        if not snapshot.price:
            self.put(1, ABSENT._replace(of=_of("usd_per_m_output")))
            self.put_paragraph(2, *_NO_PRICE, "quiet")
            return
        if totals.usd_per_m_output.value is None and not totals.usd_per_m_output.infinite:
            self.put(1, ABSENT._replace(of=_of("usd_per_m_output")))
            self.put_paragraph(2, totals.usd_per_m_output.why, "6 says why", "quiet")
            return
        output = formats.figure(totals.usd_per_m_output, formats.per_million)
        unit = "out" + few(totals.usd_per_m_output)
        every = value(
            totals.usd_per_m_all, formats.figure(totals.usd_per_m_all, formats.ratio), of=_of("usd_per_m_all")
        )
        of = _of("usd_per_m_output")
        if self.put_big(sign, totals.usd_per_m_output, output, unit, of=of):
            self.put(self.last, every, Piece(" all tokens"))
        else:
            self.put(1, value(totals.usd_per_m_output, output, "bright", of), Piece(" " + unit))
            self.put(2, every, Piece(" all"))


class SloTile(Tile):
    """The share of requests within the SLO; without limits, the latency that could become one."""

    title = "SLO MET"

    def fill(self, snapshot: Snapshot) -> None:
        totals = snapshot.totals
        if not totals.slo and totals.slo_met.low is None:
            self.put(0, Piece("TTFT p95"))
            latency = formats.interval(totals.ttft_p95_s, formats.seconds)
            self.put(1, _interval(latency, "ttft_p95_s"), Piece(" s"))
            self.put(2, Piece("no SLO set"))
            if self.tall:
                requests = Piece(formats.figure(totals.requests_s, formats.count), of=_of("requests_s"))
                self.put(self.last, requests, Piece(" req/s"))
            return
        self.put(0, Piece(self.title))
        if totals.slo_met.low is None:
            self.put(1, ABSENT._replace(of=_of("slo_met")))
            self.put_paragraph(2, totals.slo_met.why, "6 says why", "quiet")
            return
        self.put(1, _interval(formats.interval(totals.slo_met, formats.percent_tenths), "slo_met"), Piece(" %"))
        if totals.slo_met.why:  # of few requests the counts say more than a verdict
            words, _, counts = totals.slo_met.why.partition(": ")
            for row, text in enumerate((words, counts) if self.tall else (counts,), 2):
                self.put(row, Piece(text))
        else:
            words = formats.verdict(totals.slo_verdict, totals.slo_target) or "of requests"
            role = "alarm" if totals.slo_verdict == "missed" else "quiet"
            self.put(2, Piece(words if len(words) <= self.room else words.rpartition(": ")[2], role))
        if not self.tall:
            return
        goodput = formats.interval(totals.goodput_req_s, formats.count)
        unit = " req/s" if len("goodput ") + len(goodput) + 6 <= self.room else "/s"
        self.put(self.last, Piece("goodput "), Piece(goodput, of=_of("goodput_req_s")), Piece(unit))


class IdleTile(Tile):
    """What is paid for and does nothing. It shouts only while something is idle."""

    title = "IDLE CAPACITY"

    def ground(self) -> str:
        return "waste_tint" if self._idle else "surface"

    @property
    def _idle(self) -> bool:
        return self.frame.snapshot is not None and self.frame.snapshot.totals.gpus_idle > 0

    def fill(self, snapshot: Snapshot) -> None:
        totals = snapshot.totals
        sign = formats.currency_sign(snapshot.currency)
        strong, plain = ("waste", "waste") if self._idle else ("text", "quiet")
        self.put(0, Piece(self.title, plain, bold=self._idle))
        gpus = (
            Piece(f"{totals.gpus_idle} of {totals.gpus}", strong, bold=True),
            Piece(f" {_devices(snapshot)}", plain),
        )
        if not snapshot.price:
            self.put(1, ABSENT._replace(of=_of("usd_per_m_output")))
            self.put(1, *gpus, right=True)
            self.put_paragraph(2, *_NO_PRICE, plain)
            return
        share: tuple[Piece, ...] = ()
        if self._idle and totals.idle_share_of_cost.value is not None:
            per_cent = formats.figure(totals.idle_share_of_cost, formats.percent)
            of = _of("idle_share_of_cost")
            share = (
                Piece(per_cent, strong, bold=True, of=of),
                Piece(" %", strong, bold=True),
                Piece(" of cost", plain),
            )
        today: tuple[Piece, ...] = ()
        if totals.idle_usd_today.value is not None:
            amount = formats.figure(totals.idle_usd_today, lambda usd: formats.money(usd, sign))
            today = (Piece(amount, strong, bold=True, of=_of("idle_usd_today")), Piece(" today", plain))
        self.put(1, *gpus, right=True)
        big = formats.figure(totals.idle_usd_per_hour, formats.amount)
        beside = max(cells_of(gpus), cells_of(share))
        of = _of("idle_usd_per_hour")
        if self._idle and self.put_big(sign, totals.idle_usd_per_hour, big, "/h", waste=True, beside=beside, of=of):
            self.put(2, *share, right=True)
            if totals.idle_since_ms is not None:
                since = formats.hour_minute(totals.idle_since_ms, snapshot.utc_offset_s)
                self.put(self.last, Piece(f"since {since}", plain))
            self.put(self.last, *today, right=True)
            return
        an_hour = formats.figure(totals.idle_usd_per_hour, lambda usd: formats.money(usd, sign))
        self.put(1, value(totals.idle_usd_per_hour, an_hour, strong, of), Piece("/h", plain))
        self.put(self.last, *today)
        if cells_of(today) + 1 + cells_of(share) <= self.room:
            self.put(self.last, *share, right=True)


def _devices(snapshot: Snapshot) -> str:
    return snapshot.device if snapshot.totals.gpus == 1 else f"{snapshot.device}s"


def _interval(text: str, field: str) -> Piece:
    absent = text == ABSENT.text
    return (ABSENT if absent else Piece(text, "text", bold=True))._replace(of=_of(field))


def _of(field: str) -> FigurePath:
    return FigurePath("totals", field)


KINDS: Final = (OutputTile, TokensPerWattTile, PriceTile, SloTile, IdleTile)


class Tiles(Horizontal):
    """The tiles side by side. Each is a widget of its own, because a repaint starts at its widget's left edge."""

    DEFAULT_CSS = f"""
    Tiles {{ height: 7; padding: 0 {MARGIN}; }}
    Tiles > TileView {{ height: 100%; margin: 0 1 0 0; }}
    """

    def __init__(self, look: Look, kinds: Sequence[Callable[[Look], TileView[Any]]] = KINDS) -> None:
        """kinds: as many as tile_widths has room for."""
        super().__init__()
        self._look = look
        self._kinds = kinds

    def compose(self) -> ComposeResult:
        for kind, cells in zip(self._kinds, tile_widths(self.app.size.width), strict=True):
            tile = kind(self._look)
            _set_width(tile, cells)
            yield tile

    def share_out(self, width: int) -> None:
        """Widths for a terminal of `width` columns; a tile without one is left out."""
        for tile, cells in zip(self.query(TileView), tile_widths(width), strict=True):
            _set_width(tile, cells)


def _set_width(tile: TileView[Any], cells: int) -> None:
    tile.display = cells > 0
    tile.styles.width = cells
