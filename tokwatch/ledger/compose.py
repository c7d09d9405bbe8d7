"""A Snapshot from a View: the assembly. Pure; the same for live, replay, exports and agents."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.alert_rows import alert_rows
from tokwatch.ledger.bodies import HostBody, ProbeBody, ProblemBody
from tokwatch.ledger.capacity.rows import capacity_rows
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.figures import WARMING_UP, known_total, per_second, unknown
from tokwatch.ledger.gpu_rows import gpu_rows, strip_rows
from tokwatch.ledger.local_time import known_zone
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.money.economy import Economist
from tokwatch.ledger.money.rows import deployment_rows, traffic_rows
from tokwatch.ledger.prices.book import SUPPOSED
from tokwatch.ledger.server_rows import server_rows
from tokwatch.ledger.snapshot import SCHEMA, Figure, GpuRow, ProbeRow, SelfCost, Snapshot
from tokwatch.ledger.strip import STRIP_MS
from tokwatch.ledger.sums import WINDOW_MS
from tokwatch.ledger.totals import NO_GPU, totals
from tokwatch.ledger.view import View


def snapshot(view: View, *, mode: str, session: str = "") -> Snapshot:
    """The Snapshot of the view's last tick."""
    moment = Moment(view)
    assert view.tick is not None
    accounts = Accounts(moment)
    rows, strips = gpu_rows(moment, accounts), strip_rows(moment)
    economist = Economist(moment, accounts)
    host = next(
        (body for (kind, _, _), body in view.in_force.items() if kind == "facts" and isinstance(body, HostBody)), None
    )
    local = datetime.fromtimestamp(moment.now_ms / 1000, view.zone)
    offset = local.utcoffset()
    return Snapshot(
        schema=SCHEMA,
        mode=mode,
        kind=view.run.kind,
        session=session,
        recorded_s=(moment.now_ms - view.run.started_ms) / 1000,
        host=host.name if host else view.run.host,
        tick_ms=moment.now_ms,
        wall_ms=view.tick.wall_ms,
        timezone=view.run.timezone if known_zone(view.run.timezone) else "UTC",
        utc_offset_s=0 if offset is None else int(offset.total_seconds()),
        interval_s=view.settings.interval_s,
        window_s=WINDOW_MS / 1000,
        warm=moment.warm([server for server, _ in moment.servers]),
        hardware=_hardware(rows),
        engines=tuple(sorted(Counter(body.engine for _, body in moment.servers).items())),
        currency=moment.version.prices.currency if moment.version else "USD",
        price=_price(moment, rows),
        totals=totals(moment, accounts, rows),
        gpus=rows,
        strip=strips,
        strip_from_ms=moment.now_ms - STRIP_MS,
        strip_idle_usd=known_total((strip.idle_usd for strip in strips), NO_GPU),
        alerts=alert_rows(moment),
        servers=server_rows(moment, accounts),
        probes=_probes(view),
        self_cost=_self_cost(view),
        problems=tuple(
            body.text
            for (kind, entity, _), body in sorted(view.in_force.items(), key=lambda item: item[0])
            if kind == "problem" and entity == 0 and isinstance(body, ProblemBody) and body.text
        ),
        economy=economist.of_all(),
        deployments=deployment_rows(moment, accounts, economist),
        traffic=traffic_rows(moment, accounts, economist),
        capacity=capacity_rows(moment, accounts, with_points=False),
    )


def _hardware(rows: tuple[GpuRow, ...]) -> str:
    names = Counter(row.name.removeprefix("NVIDIA ") or "unknown GPU" for row in rows if row.kind != PACKAGE)
    processors = [row.name or "unknown CPU" for row in rows if row.kind == PACKAGE]  # "2× AMD EPYC 9654" by itself
    return ", ".join([*(f"{count}× {name}" for name, count in names.items()), *processors])


def _price(moment: Moment, rows: tuple[GpuRow, ...]) -> str:
    version = moment.version
    if version is None:
        return ""
    begun = datetime.fromtimestamp(version.effective_from_ms / 1000, moment.view.zone)
    when = f"{begun:%H:%M}" if moment.now_ms - version.effective_from_ms < 86_400_000 else f"{begun:%d %b %Y}"
    rates = sorted({row.usd_per_hour.value for row in rows if row.usd_per_hour.value is not None})
    if not rates:
        return ""
    amount = f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g}–{rates[-1]:g}"
    since = "" if version.source == SUPPOSED else f", since {when}"
    return f"{amount} {version.prices.currency}/GPU-h, {version.source}{since}"


def _probes(view: View) -> tuple[ProbeRow, ...]:
    return tuple(
        ProbeRow(key, body.ok, body.found, body.hint)
        for (kind, _, key), body in sorted(view.in_force.items(), key=lambda item: item[0])
        if kind == "probe" and isinstance(body, ProbeBody) and not body.gone
    )


def _self_cost(view: View) -> SelfCost:
    cpu_ms, length_ms, page_bytes, left_out = view.self_cost.sums
    if view.host is None or not length_ms:
        return SelfCost(*(unknown(WARMING_UP),) * 4)
    return SelfCost(
        cpu_share=Figure(cpu_ms / length_ms),
        rss_mib=Figure(view.host.self_rss_kib / 1024),
        scraped_bytes_s=per_second(page_bytes, length_ms, WINDOW_MS),
        late_ticks=Figure(left_out),
    )
