"""GPU rows and state strips of a Snapshot."""

from __future__ import annotations

from functools import cache

from tokwatch.ledger.accounts import OF_ANOTHER_USER, Account, Accounts, allocated
from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.bodies import GpuBody
from tokwatch.ledger.entries import GpuEntry, State
from tokwatch.ledger.figures import WARMING_UP, known, known_total, share, tokens_per_joule, unknown, usd_per_million
from tokwatch.ledger.gpu_health import GpuHealth, health, xids
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.book import cost
from tokwatch.ledger.snapshot import Figure, GpuRow, StateSpan, StripRow
from tokwatch.ledger.states import StateBody
from tokwatch.ledger.strip import STRIP_MS
from tokwatch.ledger.sums import SPARK_COUNT

_MIB_PER_GIB = 1024
_NO_WASTE = unknown("its state wastes nothing")


@cache  # a strip asks for it hundreds of times a tick: 6 % of a Snapshot's time
def state_name(state: int) -> str:
    """A state as words: "other work"."""
    return State(state).name.lower().replace("_", " ")


def gpu_rows(moment: Moment, accounts: Accounts) -> tuple[GpuRow, ...]:
    """One row a GPU, by index."""
    reported = xids(moment)
    return tuple(
        _gpu_row(moment, accounts, body, entry, health(entry, reported.get(entry.entity, []), moment.now_ms))
        for body, entry in moment.gpus
    )


def _gpu_row(moment: Moment, accounts: Accounts, body: GpuBody, entry: GpuEntry, ails: GpuHealth) -> GpuRow:
    gpu = entry.entity
    state = moment.state(gpu)
    placement = moment.placement(gpu)
    servers = [server for server in placement.servers if server in moment.view.servers]
    on = [*accounts.on_gpu(gpu), *(Account((server,)) for server in servers if not moment.counted(server))]
    tok_s = _output_tok_s(moment, accounts, on)
    rate = moment.rate_usd_per_hour(gpu, servers)

    # NVML says of every field why it is unknown, but for what takes two samples.
    untold = WARMING_UP if body.meter == "NVML" else f"not told by {body.meter}"

    def gauge(value: float | None, field: str, marks: tuple[str, ...] = ()) -> Figure:
        return known(value, moment.why(gpu, field) or untold, marks)

    return GpuRow(
        entity=gpu,
        index=body.index,
        uuid=body.uuid,
        name=body.name or "",
        state=state_name(state.state),
        confirmed=state.confirmed,
        since_ms=state.since_ms,
        note=_note(state, ails),
        serves=_serves(moment, servers),
        servers=tuple(servers),
        placed_by=placement.method,
        idle=State(state.state).idle,
        tok_s=tok_s,
        spark=_spark(moment, accounts, on),
        tok_per_j=_tok_per_j(moment, accounts, gpu, servers, tok_s),
        usd_per_m_output=_usd_per_million(moment, accounts, gpu, servers, rate, tok_s),
        idle_usd_today=moment.spent_usd(body, moment.view.idle_today.get(gpu, {})),
        usd_per_hour=rate,
        power_w=gauge(_scaled(entry.power_mw, 1000), "power_w", moment.scope(gpu)),
        power_limit_w=_scaled(body.power_limit_mw, 1000),
        utilization=gauge(_scaled(entry.util_permille, 1000), "utilization"),
        memory_used_gib=gauge(_scaled(entry.memory_used_mib, _MIB_PER_GIB), "memory_used_bytes"),
        memory_total_gib=_scaled(body.memory_total_mib, _MIB_PER_GIB),
        temperature_c=gauge(entry.temperature_c, "temperature_c"),
        processes=placement.processes,
        meter=body.meter,
        kind=body.kind,
        power_scope=body.power_scope,
        tensor_activity=gauge(_scaled(entry.tensor_permille, 1000), "tensor_activity"),
        dram_activity=gauge(_scaled(entry.dram_permille, 1000), "dram_activity"),
        memory_temperature_c=gauge(entry.memory_temperature_c, "memory_temperature_c"),
        throttle=ails.throttle,
        throttle_alert=ails.throttle_alert,
        mig=body.mig_profiles,
        xid=ails.xid,
        xid_at_ms=ails.xid_at_ms,
        warnings=ails.warnings,
        state_usd=moment.spent_usd(body, moment.view.in_state.get(gpu, {})) if State(state.state).wasted else _NO_WASTE,
        sm_clock_mhz=gauge(entry.sm_clock_mhz, "sm_clock_mhz"),
    )


def _note(state: StateBody, ails: GpuHealth) -> str:
    """Of what slows a throttled GPU its state's own line speaks already."""
    told = ails.xid_warnings if state.state == State.THROTTLED else ails.warnings
    return "; ".join(part for part in (state.note, *(warning.text for warning in told)) if part)


def _output_tok_s(moment: Moment, accounts: Accounts, on: list[Account]) -> Figure:
    """Output tokens/s of one GPU: its part of each account on it."""
    parts = (share(accounts.output_tok_s(account), _gpu_count(moment, accounts, account)) for account in on)
    return known_total(parts, "nothing served")


def _gpu_count(moment: Moment, accounts: Accounts, account: Account) -> int:
    """On how many GPUs the account's servers are; another user's servers own none, but run on some."""
    gpus = accounts.gpus_of(account) or [gpu for server in account.servers for gpu in moment.gpus_of.get(server, ())]
    return max(1, len(gpus))


def _tok_per_j(moment: Moment, accounts: Accounts, gpu: int, servers: list[int], tok_s: Figure) -> Figure:
    """Of the GPU; of all GPUs of its deployment where prefill is on one and decode on another."""
    if not tok_s.value:
        return unknown(tok_s.why or "no tokens")
    if whole := _whole(accounts, gpu):
        return accounts.tok_per_j(whole.servers[0])
    figure = tokens_per_joule(tok_s, moment.watts(gpu, servers), few=moment.few(servers))
    return allocated(figure) if accounts.shared(gpu) else figure


def _usd_per_million(
    moment: Moment, accounts: Accounts, gpu: int, servers: list[int], rate: Figure, tok_s: Figure
) -> Figure:
    if not servers:
        return unknown("nothing served")
    if not all(moment.counted(server) for server in servers):
        return unknown(OF_ANOTHER_USER)
    if whole := _whole(accounts, gpu):
        return accounts.usd_per_m_output(whole.servers[0])
    figure = usd_per_million(rate, tok_s, few=moment.few(servers), warm=moment.warm(servers))
    return allocated(figure) if accounts.shared(gpu) else figure


def _whole(accounts: Accounts, gpu: int) -> Account | None:
    """The deployment of several servers that the GPU does a part of the work of, and nothing else: a ratio of the GPU
    alone would say nothing."""
    on = accounts.on_gpu(gpu)
    return on[0] if len(on) == 1 and len(on[0].servers) > 1 else None


def _spark(moment: Moment, accounts: Accounts, on: list[Account]) -> tuple[float | None, ...]:
    """Output tokens/s of one GPU over the last two minutes; None where nothing was watched."""
    rates = [
        [None if rate is None else rate * 1000 / gpus for rate in series]
        for account in on
        for gpus in (_gpu_count(moment, accounts, account),)
        for server in account.servers
        for series in counted_sparks(moment, server)
    ]
    return tuple(added(column) for column in zip(*rates, strict=True)) or (None,) * SPARK_COUNT


def counted_sparks(moment: Moment, server: int) -> list[list[float | None]]:
    """Output tokens per ms of each of a server's flows that are not counted at another server."""
    flows = zip(moment.flow_sums(server), moment.window(server, counted=True), strict=True)
    return [sums.spark.rates(moment.now_ms) for sums, totals in flows if totals.output_tokens_ms]


def added(column: tuple[float | None, ...]) -> float | None:
    """Sum of what is known, None when nothing is."""
    parts = [value for value in column if value is not None]
    return sum(parts) if parts else None


def _serves(moment: Moment, servers: list[int]) -> str:
    return " + ".join(_deployment_name(moment, server) for server in servers)


def _deployment_name(moment: Moment, server: int) -> str:
    body = moment.server(server)
    if body is None:
        return ""
    gpus = len(moment.gpus_of.get(server, ()))
    model = body.model.rstrip("/").rsplit("/", 1)[-1] or body.engine
    parallel = f"tp{gpus}" if gpus > 1 and ("tensor parallel", str(gpus)) in body.facts else ""
    return " ".join(part for part in (model, parallel, body.role) if part)


def strip_rows(moment: Moment) -> tuple[StripRow, ...]:
    """The last three hours of every GPU."""
    return tuple(_strip_row(moment, body, entry) for body, entry in moment.gpus)


def _strip_row(moment: Moment, body: GpuBody, entry: GpuEntry) -> StripRow:
    spans = moment.view.gpu_sums[entry.entity].strip.spans(moment.now_ms)
    return StripRow(
        entity=entry.entity,
        index=body.index,
        spans=tuple(StateSpan(start, end, state_name(state)) for start, end, state in spans),
        idle_usd=_idle_usd(moment, body, [(start, end) for start, end, state in spans if state.idle]),
    )


def _idle_usd(moment: Moment, body: GpuBody, idle: list[tuple[int, int]]) -> Figure:
    spent: dict[int, int] = {}
    for start, end, version in moment.view.book.segments(moment.now_ms - STRIP_MS, moment.now_ms):
        key = version.id if version else 0
        length_ms = sum(clip_ms(t0, t1, start, end) for t0, t1 in idle)
        if length_ms:
            spent[key] = spent.get(key, 0) + length_ms
    return moment.spent_usd(body, spent)


def cost_per_day(rate: Figure) -> Figure:
    """A day at the present price."""
    return rate if rate.value is None else Figure(cost(rate.value, 24 * 3_600_000), marks=rate.marks)


def _scaled(value: int | None, scale: int) -> float | None:
    return None if value is None else value / scale
