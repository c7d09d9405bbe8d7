"""Host: all that the fleet knows of one host, and the door into it."""

from __future__ import annotations

from collections.abc import Callable

from textual.binding import Binding

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.fleet.host_fields import look_of, skew
from tokwatch.dashboard.fleet.screens.page import FleetDocument, FleetPageScreen
from tokwatch.dashboard.fleet.screens.sources import troubles
from tokwatch.dashboard.screens.page import SCROLLING
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.document import Page
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, HostRow, ModelRow, ReplicaRow
from tokwatch.ledger.fleet.tally import HostKey


class HostPage(FleetDocument):
    """The text of the screen."""

    def __init__(self, look: Look, host: HostKey) -> None:
        super().__init__(look)
        self.host = host

    def write(self, page: Page) -> None:
        snapshot = self.frame.snapshot
        row = row_of(snapshot, self.host) if snapshot else None
        if snapshot is None or row is None:
            page.text(1, f"{glyphs.ABSENT} {self.host.host} is not told of at this moment")
            return
        page.heading(row.label, row.hardware)
        for what, text in troubles(row):
            line = page.line()
            line.put(2, glyphs.FAILED if what == "down" else glyphs.WARNING, "alarm" if what == "down" else "waste")
            page.beside(line, 4, f"{what} {text}", "alarm" if what == "down" else "waste")
        _write_gpus(page, row)
        _write_figures(page, row, snapshot)
        _write_models(page, row, snapshot)
        _write_place(page, row)


class HostScreen(FleetPageScreen):
    """Over whatever screen it was opened from; enter once more goes into it."""

    BINDINGS = [*SCROLLING, Binding("enter,o", "door", "Into the host: its own dashboard")]
    PAGE, TAB, DRILLED = HostPage, "Hosts", True
    KEYS = (("?", "help"), ("⏎", "into it"), ("esc", "back"), ("↑↓", "scroll"), ("space", "pause"), ("←→", "time"))

    def __init__(self, host: HostKey) -> None:
        super().__init__()
        self.host = host

    def page(self) -> FleetDocument:
        return HostPage(self.fleet.look, self.host)

    def action_door(self) -> None:
        snapshot = self.fleet.frame.snapshot
        row = row_of(snapshot, self.host) if snapshot else None
        self.fleet.look_into(row.key if row else self.host)


def row_of(snapshot: FleetSnapshot, host: HostKey) -> HostRow | None:
    """The host's row. Where its place was not told when it was opened, or is not told now, the only one of its name."""
    exact = next((row for row in snapshot.hosts if row.key == host), None)
    if exact is not None:
        return exact
    like = [row for row in snapshot.hosts if row.key.may_be(host)]
    return like[0] if len(like) == 1 else None


def _write_gpus(page: Page, row: HostRow) -> None:
    page.heading("GPUS", "none told" if row.gpus is None else str(row.gpus))
    if not row.up or not row.states:
        page.text(14, "what they do is not known now", "quiet")
    for state, count in sorted(row.states, key=lambda each: -each[1]) if row.up else ():
        look = look_of(state)
        line = page.line()
        line.put(14, look.glyph, look.role)
        line.put(16, look.word, look.role if look.role in ("waste", "alarm") else "text", width=12)
        line.put(28, formats.count(count), bold=True)


def _write_figures(page: Page, row: HostRow, snapshot: FleetSnapshot) -> None:
    sign = formats.currency_sign(snapshot.currency)
    page.heading("FIGURES", f"over {snapshot.window_s:g} s")
    told: tuple[tuple[str, Figure, Callable[[float], str], str], ...] = (
        ("output", row.tok_s, formats.count, "tok/s"),
        ("prompt", row.prompt_tok_s, formats.count, "tok/s"),
        ("per watt", row.tok_per_j, formats.ratio, "tok/s/W"),
        ("power", row.power_w, formats.watts, "of its boards"),
        ("facility", row.facility_w, formats.watts, "at the building's meter"),
        ("utilisation", row.utilization, formats.percent, "% of the time a kernel ran"),
        ("memory", row.memory_used_gib, formats.count, _of_memory(row)),
        ("cost", row.usd_per_hour, lambda usd: formats.money(usd, sign), "an hour"),
        ("per M output", row.usd_per_m_output, lambda usd: sign + formats.per_million(usd), ""),
        ("idle", row.idle_usd_per_hour, lambda usd: formats.money(usd, sign), f"an hour for {row.gpus_idle} GPUs"),
    )
    for name, figure, write, unit in told:
        known = figure.value is not None or figure.infinite
        text = f"{formats.figure(figure, write)} {unit if known else figure.why}".rstrip()
        page.fact(name, text, "text" if known else "quiet")
    for name, count in (("running", row.running), ("waiting", row.waiting)):
        why = row.tok_s.why or "not told by all of its servers"
        page.fact(
            name, *((f"{glyphs.ABSENT} {why}", "quiet") if count is None else (f"{formats.count(count)} requests",))
        )


def _of_memory(row: HostRow) -> str:
    return "GiB" if row.memory_total_gib is None else f"of {formats.count(round(row.memory_total_gib))} GiB"


def _write_models(page: Page, row: HostRow, snapshot: FleetSnapshot) -> None:
    page.heading("SERVES", "" if row.models else "nothing")
    for name in row.models:
        model = next((model for model in snapshot.models if model.model == name), None)
        replica = next((part for part in model.replicas if part.key == row.key), None) if model else None
        if model is not None and replica is not None:
            page.fact("", name)
            page.fact("", _replica_words(model, replica), "quiet")
            if replica.verdict:
                page.fact("", replica.verdict, "waste")


def _replica_words(model: ModelRow, replica: ReplicaRow) -> str:
    engines = ", ".join(map(formats.engine, model.engines))
    kv = formats.figure(replica.kv_usage, formats.percent)
    servers = f"{replica.servers} server{'' if replica.servers == 1 else 's'}"
    return f"{engines}, {servers}, {formats.figure(replica.tok_s, formats.count)} tok/s, KV cache {kv} %"


def _write_place(page: Page, row: HostRow) -> None:
    page.heading("WHERE, AND WHAT TELLS OF IT")
    for name, text in (("site", row.site), ("region", row.region), ("cluster", row.cluster)):
        page.fact(name, text or glyphs.ABSENT)
    page.fact("agent", f"tokwatch {row.agent}" if row.agent else "none: told by others")
    page.fact("age", f"{formats.duration(row.age_s)} since its newest sample")
    off = skew(row.clock_skew_s)
    page.fact("clock", f"{off} s off ours" if off else "not known how far off")
