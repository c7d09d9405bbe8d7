"""Money: what the GPUs cost by part and what idles of it, what the tokens earn, how else to pay, and what if."""

from __future__ import annotations

from typing import ClassVar, Final, get_args

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.screens.what_if_editing import EDITING, WhatIfEditing
from tokwatch.dashboard.widgets.break_even_chart import BreakEvenChart
from tokwatch.dashboard.widgets.footer import Footer
from tokwatch.dashboard.widgets.money_cost_chart import CostChart
from tokwatch.dashboard.widgets.money_idle_bars import IdleBars
from tokwatch.dashboard.widgets.money_layout import Name, Page, Wants, pages
from tokwatch.dashboard.widgets.money_page import MoneyPage
from tokwatch.dashboard.widgets.money_tiers import TierTable
from tokwatch.dashboard.widgets.money_tiles import MoneyTiles
from tokwatch.dashboard.widgets.money_ways import WaysTable
from tokwatch.dashboard.widgets.placing import place
from tokwatch.dashboard.widgets.what_if_panel import WhatIfPanel
from tokwatch.feeds.questions.cost_past import CostPast
from tokwatch.feeds.questions.paid_past import PaidPast
from tokwatch.feeds.questions.prices_at import PricesAt
from tokwatch.ledger.alerts.budget import month_span_ms
from tokwatch.ledger.cost_past import CostHistory
from tokwatch.ledger.economics.ways_to_pay import Paid
from tokwatch.ledger.local_time import zone_of
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import Snapshot

_TURN: Final = (("tab", "more"),)
_DIALS: Final = (("↑↓", "choose"), ("+ −", "change"), ("r", "reset"))
_ALWAYS: Final = (("$", "price"), ("w", "what if"), ("e", "export"), ("i", "source"), ("?", "help"))
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS
_QUARTERS_OF_A_DAY: Final = 96
# How often each part of the past is asked anew: live it grows, elsewhere it only moves with the moment looked at.
_CHART_MS: Final = {True: 5 * _MINUTE_MS, False: 15 * _MINUTE_MS}
_SUMS_MS: Final = {True: _HOUR_MS, False: 6 * _HOUR_MS}


class MoneyScreen(WhatIfEditing):
    """Sections come, go and turn pages with the size of the terminal, as money_layout.pages says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *EDITING,
        Binding("tab", "turn_page(1)", "The next sections", id="money.next"),
        Binding("shift+tab", "turn_page(-1)", "The sections before", id="money.before"),
        Binding("pagedown", "scroll(10)", "Ten lines down"),
        Binding("pageup", "scroll(-10)", "Ten lines up"),
        Binding("escape", "app.leave", "Back"),
    ]
    TAB, KEYS = "Money", (*_TURN, *_DIALS, *_ALWAYS)
    _plan: tuple[int, int, Wants] | None = None
    _pages: tuple[Page, ...] = ()
    _number = 0  # of the page on screen

    def body(self) -> ComposeResult:
        look = self.tokwatch.look
        panel = WhatIfPanel(look)
        self._asked: dict[str, object] = {}
        self._sections: dict[Name, Widget] = {
            "tiles": MoneyTiles(look),
            "chart": CostChart(look),
            "tiers": TierTable(look),
            "ways": WaysTable(look),
            "bars": IdleBars(look),
            "what_if": panel,
            "break_even": BreakEvenChart(look, panel),
            "details": MoneyPage(look),
        }
        yield from self._sections.values()

    # Frames

    def show(self, frame: Frame) -> None:
        super().show(frame)
        if frame.snapshot is not None and not frame.kept:
            self._ask_the_past(frame, frame.snapshot)

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        plan = (width, height - 2 - sum(self._bottom_rows or ()), self._wants(frame.snapshot))
        if plan != self._plan:
            self._plan = plan
            self._pages = pages(*plan)
            self._show_page()
            self.query_one(MoneyTiles).share_out(width)

    def _wants(self, snapshot: Snapshot | None) -> Wants:
        if snapshot is None or snapshot.economy.cost.total.value is None:
            return Wants(priced=False)
        chart = self.query_one(CostChart)
        return Wants(
            priced=True,
            tiers=self.query_one(TierTable).count(snapshot),
            ways=self.query_one(WaysTable).count(),
            bars=self.query_one(IdleBars).count(snapshot),
            chart=chart.history is None or chart.history.known,
        )

    def _show_page(self) -> None:
        self._number = min(self._number, len(self._pages) - 1)
        page = self._pages[self._number]
        for name in get_args(Name):
            place(self._sections[name], page.get(name))
        turn, dials = _TURN if len(self._pages) > 1 else (), _DIALS if "what_if" in page else ()
        self.query_one(Footer).offer((*turn, *dials, *_ALWAYS))

    # The past

    def _ask_the_past(self, frame: Frame, snapshot: Snapshot) -> None:
        at_ms, live = snapshot.tick_ms, frame.live
        grid_ms, sums_grid_ms = _CHART_MS[live], _SUMS_MS[live]
        prices = snapshot.price, frame.what_if, live
        if self._is_news("prices", (prices, at_ms // _MINUTE_MS)):
            self.ask(PricesAt(at_ms), self.take_prices, group="prices")
        if self._is_news("chart", (prices, at_ms // grid_ms)):
            # In the past the quarter hour of the moment itself would tell what came after it.
            end_ms = at_ms if live else at_ms // grid_ms * grid_ms
            self.ask(CostPast(end_ms, _DAY_MS, _QUARTERS_OF_A_DAY), self._take_chart, group="chart")
        if self._is_news("sums", (prices, at_ms // sums_grid_ms)):
            end_ms = at_ms if live else at_ms // sums_grid_ms * sums_grid_ms
            from_ms, _ = month_span_ms(end_ms, zone_of(snapshot.timezone))
            self.ask(PaidPast(end_ms, 7 * _DAY_MS), self._take_paid, group="paid")
            if end_ms > from_ms:
                self.ask(CostPast(end_ms, end_ms - from_ms, 1), self._take_month, group="month")

    def _is_news(self, what: str, about: object) -> bool:
        news = self._asked.get(what) != about
        self._asked[what] = about
        return news

    def take_prices(self, prices: Prices | None) -> None:
        super().take_prices(prices)
        table = self.query_one(TierTable)
        table.token_list = prices.tokens if prices else None
        table.redraw()

    def _take_chart(self, history: CostHistory) -> None:
        self.query_one(CostChart).take(history)
        self._lay_out_again()

    def _take_paid(self, paid: Paid | None) -> None:
        self.query_one(WaysTable).take(paid)
        self._lay_out_again()

    def _take_month(self, month: CostHistory) -> None:
        usd = month.buckets[0].usd if month.buckets else None
        self.query_one(MoneyTiles).set_month(usd.idle if usd else None)

    def _lay_out_again(self) -> None:
        self.lay_out(self.tokwatch.frame, self.size.width, self.size.height)

    # Keys

    def action_turn_page(self, by: int) -> None:
        self._number = (self._number + by) % len(self._pages)
        self._show_page()

    def action_down(self) -> None:
        if self.editing:
            self.panel.move(1)
        else:
            self.action_scroll(1)

    def action_up(self) -> None:
        if self.editing:
            self.panel.move(-1)
        else:
            self.action_scroll(-1)

    def action_scroll(self, by: int) -> None:
        self.query_one(MoneyPage).scroll(by)
