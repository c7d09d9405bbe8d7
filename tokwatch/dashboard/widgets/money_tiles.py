"""The four tiles of the Money screen: cost, revenue, profit, idle tax; and the row in which they stand."""

from __future__ import annotations

from itertools import pairwise

from textual.app import ComposeResult
from textual.containers import Horizontal

from tokwatch.dashboard import formats
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.tile import ABSENT, Piece, Tile, cells_of, value
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.snapshot import Figure, Snapshot

NO_PRICE = ("press $ to set a price", "$ sets a price")
NO_TOKEN_PRICES = ("[[prices.tokens]] in the config sets token prices", "[[prices.tokens]]")
_PARTS = ("rent", "capex", "opex", "space", "energy")
_TAX = FigurePath("economy", "cost.idle_tax")
_WEIGHTS = (26, 26, 26, 40)
_SMALL_WEIGHTS = (17, 16, 16, 26)


class MoneyTile(Tile):
    """A tile with one amount an hour: large where there is room, else on its second row."""

    role = "text"  # white is for what the screen is about

    def put_amount(self, snapshot: Snapshot, field: str, figure: Figure, why: tuple[str, str]) -> bool:
        """False where the amount is not known, which it says with its reason, or with how to set it."""
        sign = formats.currency_sign(snapshot.currency)
        self.put(0, Piece(self.title))
        if figure.value is None:
            self.put(1, ABSENT)
            self.put_paragraph(1 if self.last < 2 else 2, *why, "quiet")
            return False
        of = FigurePath("economy", field)
        # Hundreds take the room of the cents, which the tables have.
        ways = (formats.figure(figure, write) for write in (formats.amount, formats.count))
        if not any(self.put_big(sign, figure, text, "/h", role=self.role, of=of) for text in ways):
            amount = formats.figure(figure, lambda usd: formats.money(usd, sign))
            self.put(1, value(figure, amount, self.role, of), Piece("/h"))
        return True

    def put_last(self, *groups: tuple[Piece, ...]) -> None:
        """As many groups on the last row as fit, from the left; nothing where the amount stands there."""
        if self.last < 2:
            return
        shown: tuple[Piece, ...] = ()
        for group in groups:
            wider = (*shown, *((Piece("  "),) if shown else ()), *group)
            if cells_of(wider) > self.room:
                break
            shown = wider
        self.put(self.last, *shown)


class CostTile(MoneyTile):
    """What the GPUs cost an hour, and for what."""

    title = "COST"

    def fill(self, snapshot: Snapshot) -> None:
        cost = snapshot.economy.cost
        why = NO_PRICE if not snapshot.price else (cost.total.why, "6 says why")
        if self.put_amount(snapshot, "cost.total", cost.total, why):
            parts = ((name, getattr(cost, name)) for name in _PARTS)
            self.put_last(
                *(
                    (
                        value(figure, formats.figure(figure, formats.amount), of=FigurePath("economy", f"cost.{name}")),
                        Piece(f" {name}"),
                    )
                    for name, figure in parts
                    if figure.value
                )
            )


class RevenueTile(MoneyTile):
    """What the tokens fetch an hour at the list of token prices."""

    title = "REVENUE"

    def fill(self, snapshot: Snapshot) -> None:
        revenue = snapshot.economy.earns.revenue_usd_per_hour
        why = NO_TOKEN_PRICES if revenue.why.startswith("no token prices") else (revenue.why, "6 says why")
        if self.put_amount(snapshot, "earns.revenue_usd_per_hour", revenue, why):
            output = snapshot.economy.output_tok_s
            per_hour = formats.figure(output, lambda tok_s: formats.short(tok_s * 3600))
            self.put_last((value(output, per_hour, of=FigurePath("economy", "output_tok_s")), Piece(" tokens out / h")))


class ProfitTile(MoneyTile):
    """Revenue − cost."""

    title, role = "PROFIT", "bright"

    def fill(self, snapshot: Snapshot) -> None:
        earns = snapshot.economy.earns
        profit, needs = earns.profit_usd_per_hour, "needs token prices" if snapshot.price else "needs prices"
        if self.put_amount(snapshot, "earns.profit_usd_per_hour", profit, (needs, needs)):
            sign = formats.currency_sign(snapshot.currency)
            of = FigurePath("economy", "earns.margin")
            margin = (value(earns.margin, formats.figure(earns.margin, formats.percent), of=of), Piece(" % margin"))
            per_mwh = formats.figure(earns.profit_usd_per_mwh, lambda usd: formats.money(usd, sign))
            of = FigurePath("economy", "earns.profit_usd_per_mwh")
            self.put_last(margin, (value(earns.profit_usd_per_mwh, per_mwh, of=of), Piece("/MWh")))


class IdleTaxTile(MoneyTile):
    """How much dearer idle GPUs make every token, and what they cost. It shouts only while something is idle."""

    title = "IDLE TAX"
    usd_this_month: float | None = None  # from the stored past

    def ground(self) -> str:
        return "waste_tint" if self._idle else "surface"

    @property
    def _idle(self) -> bool:
        return self.frame.snapshot is not None and self.frame.snapshot.totals.gpus_idle > 0

    def fill(self, snapshot: Snapshot) -> None:
        cost, sign = snapshot.economy.cost, formats.currency_sign(snapshot.currency)
        strong, plain = ("waste", "waste") if self._idle else ("text", "quiet")
        self.put(0, Piece(self.title, plain, bold=self._idle))
        if cost.idle.value is None:
            self.put(1, ABSENT)
            self.put_paragraph(1 if self.last < 2 else 2, *NO_PRICE, plain)
            return
        amounts = self._amounts(snapshot, sign, strong, plain)
        beside = max(map(cells_of, amounts))
        tax = formats.figure(cost.idle_tax, lambda share: f"+{formats.percent(share)}")
        if self._idle and self.put_big("", cost.idle_tax, tax, "%", waste=True, beside=beside, of=_TAX):
            for row, amount in enumerate(amounts, 1):
                self.put(row, *amount, right=True)
            self.put(self.last, Piece("what idle adds to every token sold", plain))
            return
        known = cost.idle_tax.infinite or cost.idle_tax.value is not None
        written = Piece(f"{tax} %" if known and not cost.idle_tax.infinite else tax, strong, bold=True, of=_TAX)
        if self.last < 2:
            self.put(0, written, right=True)
            self.put_fitting(1, amounts)
            return
        self.put(1, written)
        for row, amount in enumerate(amounts[: self.last], 1):
            self.put(row, *amount, right=True)
        if self.last > len(amounts):
            self.put(self.last, Piece("what idle adds to every token sold", plain))

    def put_fitting(self, row: int, groups: list[tuple[Piece, ...]]) -> None:
        """As many groups on a row as fit."""
        shown: tuple[Piece, ...] = groups[0]
        for group in groups[1:]:
            wider = (*shown, Piece(" "), *group)
            if cells_of(wider) <= self.room:
                shown = wider
        self.put(row, *shown)

    def _amounts(self, snapshot: Snapshot, sign: str, strong: str, plain: str) -> list[tuple[Piece, ...]]:
        cost, today = snapshot.economy.cost.idle, snapshot.totals.idle_usd_today
        small = self.last < 2

        def written(figure: Figure, of: FigurePath | None = None) -> Piece:
            return Piece(formats.figure(figure, lambda usd: formats.money(usd, sign)), strong, bold=True, of=of)

        found = [
            (written(cost, FigurePath("economy", "cost.idle")), Piece("/h" if small else "/h paid for idle", plain))
        ]
        if today.value is not None:
            found.append((written(today, FigurePath("totals", "idle_usd_today")), Piece(" today", plain)))
        if self.usd_this_month is not None:
            found.append((written(Figure(self.usd_this_month)), Piece(" this month", plain)))
        return list(found)


class MoneyTiles(Horizontal):
    """The tiles side by side."""

    DEFAULT_CSS = f"""
    MoneyTiles {{ padding: 0 {MARGIN}; position: absolute; }}
    MoneyTiles > Tile {{ height: 100%; margin: 0 1 0 0; }}
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def compose(self) -> ComposeResult:
        for kind in (CostTile, RevenueTile, ProfitTile, IdleTaxTile):
            yield kind(self._look)

    def share_out(self, width: int) -> None:
        """Widths for a terminal of `width` columns."""
        weights = _WEIGHTS if width >= 100 else _SMALL_WEIGHTS
        total = width - 2 * MARGIN - (len(weights) - 1)
        edges = [round(total * sum(weights[:number]) / sum(weights)) for number in range(len(weights) + 1)]
        for tile, (left, right) in zip(self.query(Tile), pairwise(edges), strict=True):
            tile.styles.width = right - left

    def set_month(self, usd: float | None) -> None:
        """What idle GPUs cost this month."""
        tile = self.query_one(IdleTaxTile)
        if tile.usd_this_month != usd:
            tile.usd_this_month = usd
            tile.redraw()
