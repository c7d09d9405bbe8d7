"""A Snapshot from a View: the assembly. Pure; the same for live, replay, exports and agents."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.bodies import HostBody, ProbeBody, ProblemBody
from tokwatch.ledger.deployment_rows import deployment_rows, traffic_rows
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.economy import Economist
from tokwatch.ledger.entries import State
from tokwatch.ledger.figures import WARMING_UP, known_total, per_second, unknown
from tokwatch.ledger.gpu_rows import cost_per_day, gpu_rows, idle_cost_so_far, state_name, strip_rows
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.server_rows import server_rows
from tokwatch.ledger.snapshot import SCHEMA, AlertRow, Figure, GpuRow, ProbeRow, SelfCost, Snapshot
from tokwatch.ledger.strip import STRIP_MS
from tokwatch.ledger.sums import WINDOW_MS
from tokwatch.ledger.totals import NO_GPU, totals
from tokwatch.ledger.view import View

_SHOWN = ("firing", "resolving")
_SEVERITIES = ("critical", "warning", "info")


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
        alerts=_alerts(moment),
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
    )


def _hardware(rows: tuple[GpuRow, ...]) -> str:
    names = Counter(row.name.removeprefix("NVIDIA ") or "unknown GPU" for row in rows if row.kind != PACKAGE)
    processors = [row.name or "unknown CPU" for row in rows if row.kind == PACKAGE]  # "2× AMD EPYC 9654" by itself
    return ", ".join([*(f"{count}× {name}" for name, count in names.items()), *processors])


def _price(moment: Moment, rows: tuple[GpuRow, ...]) -> str:
    version = moment.version
    if version is None:
        return ""
    since = datetime.fromtimestamp(version.effective_from_ms / 1000, moment.view.zone)
    when = f"{since:%H:%M}" if moment.now_ms - version.effective_from_ms < 86_400_000 else f"{since:%d %b %Y}"
    rates = sorted({row.usd_per_hour.value for row in rows if row.usd_per_hour.value is not None})
    if not rates:
        return ""
    amount = f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g}–{rates[-1]:g}"
    return f"{amount} {version.prices.currency}/GPU-h, {version.source}, since {when}"


def _alerts(moment: Moment) -> tuple[AlertRow, ...]:
    bodies = [
        (key, body)
        for (kind, _, key), body in moment.view.in_force.items()
        if kind == "alert" and isinstance(body, AlertBody) and body.status in _SHOWN
    ]
    bodies.sort(key=lambda pair: (_SEVERITIES.index(pair[1].severity), pair[1].since_ms, pair[0]))
    return tuple(_alert_row(moment, key, body) for key, body in bodies)


def _alert_row(moment: Moment, key: str, alert: AlertBody) -> AlertRow:
    gpus = [(facts, entry) for facts, entry in moment.gpus if entry.entity in alert.gpus]
    still = [(facts, entry) for facts, entry in gpus if moment.state(entry.entity).state == alert.state]
    idle = State(alert.state).idle
    no_money = unknown("no idle time")
    return AlertRow(
        key=key,
        state=state_name(alert.state),
        severity=alert.severity,
        status=alert.status,
        since_ms=alert.since_ms,
        fired_ms=alert.fired_ms,
        gpus=tuple(facts.index for facts, _ in gpus),
        text=_alert_text(moment, alert, [entry.entity for _, entry in still]),
        usd_so_far=_sum([idle_cost_so_far(moment, f, e.entity) for f, e in still]) if idle else no_money,
        usd_per_day=cost_per_day(_sum([moment.rate_usd_per_hour(e.entity) for _, e in still])) if idle else no_money,
    )


def _alert_text(moment: Moment, alert: AlertBody, gpus: list[int]) -> str:
    notes = dict.fromkeys(moment.state(gpu).note for gpu in gpus)
    return "; ".join(note for note in notes if note) or alert.text


def _sum(figures: list[Figure]) -> Figure:
    return known_total(figures, "over")


def _probes(view: View) -> tuple[ProbeRow, ...]:
    return tuple(
        ProbeRow(key, body.ok, body.found, body.hint)
        for (kind, _, key), body in sorted(view.in_force.items(), key=lambda item: item[0])
        if kind == "probe" and isinstance(body, ProbeBody) and not body.gone
    )


def _self_cost(view: View) -> SelfCost:
    cpu_ms, length_ms, page_bytes = view.self_cost.sums
    if view.host is None or not length_ms:
        return SelfCost(unknown(WARMING_UP), unknown(WARMING_UP), unknown(WARMING_UP))
    return SelfCost(
        cpu_share=Figure(cpu_ms / length_ms),
        rss_mib=Figure(view.host.self_rss_kib / 1024),
        scraped_bytes_s=per_second(page_bytes, length_ms, WINDOW_MS),
    )
