"""The five headline tiles of the fleet."""

from __future__ import annotations

from typing import Final

from tokwatch.dashboard import formats
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.widgets.tile import ABSENT, Piece, TileView, cells_of, few, value
from tokwatch.ledger.figures import known_total
from tokwatch.ledger.fleet.snapshot import FleetSnapshot

_NO_PRICE: Final = ("no price set: [prices] in config.toml", "no price set")


class FleetTile(TileView[FleetFrame]):
    """A tile of the FleetSnapshot."""

    def fill(self, snapshot: FleetSnapshot) -> None:
        """Writes the tile."""
        raise NotImplementedError

    def write(self) -> None:
        if self.frame.snapshot is None:
            self.write_absent()
        else:
            self.fill(self.frame.snapshot)


class FleetOutputTile(FleetTile):
    """Output tokens per second of all hosts, with the last hour."""

    title = "OUTPUT"

    def fill(self, snapshot: FleetSnapshot) -> None:
        total = snapshot.total
        self.put(0, Piece(self.title))
        self.put(1, value(total.tok_s, formats.figure(total.tok_s, formats.count)), Piece(" tok/s"))
        if total.tok_s.value is None:
            self.put_paragraph(2, total.tok_s.why, "4 says why", "quiet")
            return
        self.put_spark([point.output_tok_s for point in snapshot.trend])
        if self.tall:
            up, every = formats.count(total.hosts - total.hosts_down), formats.count(total.hosts)
            self.put(self.last, Piece(f"{up} of {every} hosts" if total.hosts_down else f"{every} hosts"))


class FleetPerWattTile(FleetTile):
    """Output tokens per joule of board energy, idle boards included."""

    title = "TOKENS PER WATT"

    def fill(self, snapshot: FleetSnapshot) -> None:
        total = snapshot.total
        self.put(0, Piece(self.title))
        self.put(1, value(total.tok_per_j, formats.figure(total.tok_per_j, formats.ratio)), Piece(" tok/s/W"))
        if total.tok_per_j.value is None:
            self.put_paragraph(2, total.tok_per_j.why, "4 says why", "quiet")
        else:
            self.put_spark([_per_watt(point.output_tok_s, point.power_w) for point in snapshot.trend])
        if self.tall:
            self.put(self.last, Piece("board "), Piece(formats.figure(total.power_w, formats.watts)))


def _per_watt(tok_s: float | None, power_w: float | None) -> float | None:
    return None if tok_s is None or not power_w else tok_s / power_w


class FleetPriceTile(FleetTile):
    """Cost of a million output tokens, all-in."""

    title = "$ PER M TOKENS"

    def fill(self, snapshot: FleetSnapshot) -> None:
        total, sign = snapshot.total, formats.currency_sign(snapshot.currency)
        self.put(0, Piece(self.title.replace("$ ", sign.strip() + " ")))
        if not snapshot.price:
            self.put(1, ABSENT)
            self.put_paragraph(2, *_NO_PRICE, "quiet")
            return
        if total.usd_per_m_output.value is None and not total.usd_per_m_output.infinite:
            self.put(1, ABSENT)
            self.put_paragraph(2, total.usd_per_m_output.why, "4 says why", "quiet")
            return
        output = formats.figure(total.usd_per_m_output, formats.per_million)
        unit = "out" + few(total.usd_per_m_output)
        an_hour = formats.figure(total.usd_per_hour, lambda usd: formats.money(usd, sign))
        if self.put_big(sign, total.usd_per_m_output, output, unit):
            self.put(self.last, value(total.usd_per_hour, an_hour), Piece("/h in all"))
        else:
            self.put(1, value(total.usd_per_m_output, output, "bright"), Piece(" " + unit))
            self.put(2, value(total.usd_per_hour, an_hour), Piece("/h"))


class FleetLatencyTile(FleetTile):
    """The bucket in which the TTFT p95 of all requests falls."""

    title = "TTFT p95"

    def fill(self, snapshot: FleetSnapshot) -> None:
        self.put(0, Piece(self.title))
        text = formats.interval(snapshot.ttft_p95_s, formats.seconds)
        known = snapshot.ttft_p95_s.low is not None
        self.put(1, Piece(text, "text" if known else "faint", bold=known), Piece(" s"))
        waiting = sum(row.waiting or 0 for row in snapshot.hosts)
        self.put(2, Piece(f"{formats.count(waiting)} waiting"))
        if self.tall:
            requests = known_total((row.requests_s for row in snapshot.models), "no requests")
            self.put(self.last, Piece(formats.figure(requests, formats.count)), Piece(" req/s"))


class FleetIdleTile(FleetTile):
    """What is paid for and does nothing. It shouts only while something is idle."""

    title = "IDLE CAPACITY"

    def ground(self) -> str:
        return "waste_tint" if self._idle else "surface"

    @property
    def _idle(self) -> bool:
        return self.frame.snapshot is not None and self.frame.snapshot.total.gpus_idle > 0

    def fill(self, snapshot: FleetSnapshot) -> None:
        total, sign = snapshot.total, formats.currency_sign(snapshot.currency)
        strong, plain = ("waste", "waste") if self._idle else ("text", "quiet")
        idle, of = formats.count(total.gpus_idle), formats.count(total.gpus)
        gpus = (Piece(f"{idle} of {of}", strong, bold=True), Piece(" GPUs", plain))
        usd = total.idle_usd_per_hour
        self.put(0, Piece(self.title, plain, bold=self._idle))
        if usd.value is None:
            self.put(1, ABSENT)
            self.put(1, *gpus, right=True)
            self.put_paragraph(2, *(_NO_PRICE if not snapshot.price else (usd.why, "4 says why")), plain)
            return
        share: tuple[Piece, ...] = ()
        if self._idle and total.usd_per_hour.value:
            per_cent = formats.percent(usd.value / total.usd_per_hour.value)
            share = Piece(f"{per_cent} %", strong, bold=True), Piece(" of cost", plain)
        day = Piece(formats.money(usd.value * 24, sign), strong, bold=True), Piece("/day", plain)
        big = formats.figure(usd, _large)
        beside = max(cells_of(gpus), cells_of(share))
        if self._idle and self.put_big(sign, usd, big, "/h", waste=True, beside=beside):
            self.put(1, *gpus, right=True)
            self.put(2, *share, right=True)
            self.put(self.last, *day, right=True)
            return
        an_hour = (
            value(usd, formats.figure(usd, lambda amount: formats.money(amount, sign)), strong),
            Piece("/h", plain),
        )
        self.put(1, *an_hour)
        fits = cells_of(an_hour) + 1 + cells_of(gpus) <= self.room
        self.put(1, *(gpus if fits else gpus[:1]), right=True)
        self.put(self.last, *day)
        if cells_of(day) + 1 + cells_of(share) <= self.room:
            self.put(self.last, *share, right=True)


def _large(usd: float) -> str:
    """Money as a large figure: from 100 on there is no room for cents."""
    return formats.amount(usd) if usd < 99.995 else formats.count(usd)


FLEET_TILES: Final = (FleetOutputTile, FleetPerWattTile, FleetPriceTile, FleetLatencyTile, FleetIdleTile)
