"""Figures of a window of any length, and of two side by side: the sums of its ticks, divided last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from tokwatch.ledger.entries import State, TickRecord
from tokwatch.ledger.figure import UNMEASURED, Figure, Interval
from tokwatch.ledger.figures import (
    FEW_TOKENS,
    NO_PRICE,
    WARMING_UP,
    known_total,
    per_second,
    tokens_per_joule,
    total,
    unknown,
    usd_per_million,
)
from tokwatch.ledger.goodput import LATENCIES, Population, service_level
from tokwatch.ledger.latency import Observations
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.book import MS_PER_HOUR
from tokwatch.ledger.slo import Outcomes
from tokwatch.ledger.sums import FlowTotals
from tokwatch.ledger.totals import NO_GPU, NO_SERVER
from tokwatch.ledger.view import View
from tokwatch.ledger.window_sums import AT_WORK, Requests, WindowSums

NOTHING = "nothing was recorded then"
NOT_TOLD = "not on page"
_NONE = Figure(None, NOTHING)


class WindowFigures(msgspec.Struct, frozen=True):
    """What a box did in (from_ms, to_ms], all of its GPUs and accepted servers together, each token once."""

    from_ms: int
    to_ms: int
    currency: str = "USD"
    coverage: float = 0.0  # watched / length
    tok_s: Figure = _NONE  # output
    prompt_tok_s: Figure = _NONE  # cached ones included
    tok_per_j: Figure = _NONE  # output tokens of the servers on GPUs, per joule of all GPUs
    usd_per_m_output: Figure = _NONE  # all-in: idle GPUs included
    usd_per_m_all: Figure = _NONE  # prompt + output
    usd_per_hour: Figure = _NONE
    power_w: Figure = _NONE  # of the boards
    gpus_at_work: Figure = _NONE  # mean number
    gpus_idle: Figure = _NONE
    requests_s: Figure = _NONE  # finished
    prompt_tokens: Figure = _NONE  # a finished request, mean
    running: Figure = _NONE  # requests, mean
    waiting: Figure = _NONE
    slo_met: Interval = Interval(None, None, NOTHING)


# What each is called, and its unit; "$" stands for the currency.
LABELS: Mapping[str, tuple[str, str]] = {
    "tok_s": ("output", "tok/s"),
    "prompt_tok_s": ("prompt", "tok/s"),
    "tok_per_j": ("tokens per watt", "tok/s/W"),
    "usd_per_m_output": ("output tokens cost", "$/M"),
    "usd_per_m_all": ("all tokens cost", "$/M"),
    "usd_per_hour": ("GPUs cost", "$/h"),
    "power_w": ("power", "W"),
    "slo_met": ("SLO met", "%"),
    "gpus_at_work": ("GPUs at work", "mean"),
    "gpus_idle": ("GPUs idle", "mean"),
    "requests_s": ("requests finished", "/s"),
    "prompt_tokens": ("prompt length", "tokens"),
    "running": ("requests running", "mean"),
    "waiting": ("requests waiting", "mean"),
}
LOAD = ("gpus_at_work", "gpus_idle", "requests_s", "prompt_tokens", "running", "waiting")  # behind the others


class Compared(msgspec.Struct, frozen=True):
    """One figure of two windows."""

    name: str  # field of WindowFigures
    before: Figure | Interval
    after: Figure | Interval
    change: Figure  # (after − before) / before


def window_figures(view: View | None, records: Iterable[TickRecord], from_ms: int, to_ms: int) -> WindowFigures:
    """Of the ticks in (from_ms, to_ms]; view: that of the last of them, None where there is none."""
    if view is None:
        return WindowFigures(from_ms, to_ms)
    moment = Moment(view)
    return _figures(WindowSums(moment, from_ms, to_ms).add(records))


def compared(before: WindowFigures, after: WindowFigures) -> tuple[Compared, ...]:
    """Every figure of both, in the order of LABELS."""
    return tuple(
        Compared(name, getattr(before, name), getattr(after, name), _change(name, before, after)) for name in LABELS
    )


def _change(name: str, before: WindowFigures, after: WindowFigures) -> Figure:
    earlier, later = getattr(before, name), getattr(after, name)
    if isinstance(earlier, Interval):
        return unknown("known between bounds only")
    if name.startswith("usd") and before.currency != after.currency:
        return unknown("in two currencies")
    if earlier.value is None or later.value is None:
        return unknown(earlier.why or later.why)
    if not earlier.value:
        return unknown("0 before") if later.value else Figure(0.0)
    marks = tuple(sorted({*earlier.marks, *later.marks}))
    return Figure((later.value - earlier.value) / earlier.value, marks=marks)


def _figures(sums: WindowSums) -> WindowFigures:
    width_ms = sums.to_ms - sums.from_ms
    every = [requests.totals for requests in sums.requests.values()]
    placed = [requests.totals for (server, _), requests in sums.requests.items() if server in sums.placed]
    output, prompt = _rate(sums, every, "output_tokens"), _rate(sums, every, "prompt_tokens")
    placed_output = _rate(sums, placed, "output_tokens")
    placed_all = known_total([placed_output, _rate(sums, placed, "prompt_tokens")], NO_SERVER)
    few = sum(totals.output_tokens for totals in placed) < FEW_TOKENS
    watts = [_watts(sums, gpu) for gpu in sorted(sums.drawn)]
    all_watts = total(watts, NO_GPU)  # of a ratio nothing may be missing
    usd_per_hour = _usd_per_hour(sums)
    version = sums.moment.version
    return WindowFigures(
        from_ms=sums.from_ms,
        to_ms=sums.to_ms,
        currency=version.prices.currency if version else "USD",
        coverage=min(1.0, sums.watched_ms / width_ms),
        tok_s=output,
        prompt_tok_s=prompt,
        tok_per_j=tokens_per_joule(placed_output, all_watts, few=few) if placed_output.value else _no(placed_output),
        usd_per_m_output=usd_per_million(usd_per_hour, placed_output, few=few, warm=True),
        usd_per_m_all=usd_per_million(usd_per_hour, placed_all, few=few, warm=True),
        usd_per_hour=usd_per_hour,
        power_w=known_total(watts, NO_GPU),
        gpus_at_work=_in_states(sums, lambda state: state in AT_WORK),
        gpus_idle=_in_states(sums, lambda state: state.idle),
        requests_s=_rate(sums, every, "finished"),
        prompt_tokens=_prompt_tokens(every),
        running=_mean(sums, "running"),
        waiting=_mean(sums, "waiting"),
        slo_met=_slo_met(sums),
    )


def _rate(sums: WindowSums, flows: list[FlowTotals], field: str) -> Figure:
    if not flows:
        return unknown(NO_SERVER)
    if not sums.counted_ms:
        return unknown(WARMING_UP)
    if not any(getattr(totals, f"{field}_ms") for totals in flows):
        return unknown(NOT_TOLD)
    return per_second(sum(getattr(totals, field) for totals in flows), sums.counted_ms, sums.to_ms - sums.from_ms)


def _no(tok_s: Figure) -> Figure:
    return unknown(tok_s.why or "no tokens")


def _watts(sums: WindowSums, gpu: int) -> Figure:
    energy_mj, measured_ms = sums.drawn[gpu]
    if not measured_ms:
        return unknown(sums.moment.why(gpu, "energy_mj") or UNMEASURED.why)
    coverage = min(1.0, measured_ms / (sums.to_ms - sums.from_ms))
    return Figure(energy_mj / measured_ms, coverage=coverage, marks=sums.moment.scope(gpu))


def _usd_per_hour(sums: WindowSums) -> Figure:
    usd, watched_ms = sums.charges.total_usd, sums.watched_ms
    if not sums.drawn:
        return unknown(NO_GPU)
    if usd is None or not watched_ms:
        return unknown(NO_PRICE if watched_ms else WARMING_UP)
    marks = () if sums.charges.complete and not sums.charges.unmetered_ms else ("part",)
    return Figure(usd / (watched_ms / MS_PER_HOUR), marks=marks)


def _in_states(sums: WindowSums, wanted: Callable[[State], bool]) -> Figure:
    if not sums.watched_ms or not sums.state_ms:
        return unknown(WARMING_UP if sums.drawn else NO_GPU)
    return Figure(sum(ms for state, ms in sums.state_ms.items() if wanted(State(state))) / sums.watched_ms)


def _mean(sums: WindowSums, field: str) -> Figure:
    told = [(getattr(each, field), getattr(each, f"{field}_ms")) for each in sums.waited.values()]
    if not told:
        return unknown(NO_SERVER)
    if not any(told_ms for _, told_ms in told):
        return unknown(NOT_TOLD if sums.counted_ms else WARMING_UP)
    marks = () if all(told_ms for _, told_ms in told) else ("part",)
    return Figure(sum(requests_ms for requests_ms, _ in told) / sums.watched_ms, marks=marks)


def _prompt_tokens(flows: list[FlowTotals]) -> Figure:
    both = [totals for totals in flows if totals.prompt_tokens_ms and totals.finished_ms]
    finished = sum(totals.finished for totals in both)
    if not finished:
        return unknown("no request finished" if both else NOT_TOLD if flows else NO_SERVER)
    return Figure(sum(totals.prompt_tokens for totals in both) / finished)


def _slo_met(sums: WindowSums) -> Interval:
    settings = sums.moment.view.settings
    populations = [
        _population(sums, server, model, requests) for (server, model), requests in sorted(sums.requests.items())
    ]
    return service_level(populations, settings.slo()).met


def _population(sums: WindowSums, server: int, model: str, requests: Requests) -> Population:
    timed, view = requests.timed, sums.moment.view
    observed = {name: list(requests.histograms.named(name)) for name in LATENCIES}
    now = view.servers.get(server)
    return Population(
        slo=view.settings.slo(model),
        outcomes=Outcomes(
            finished=timed.finished if timed.finished_ms else None,
            unfinished=timed.failed + timed.aborted,
            running=(now.running or 0) if now else 0,
        ),
        latencies={name: Observations(layouts) for name, layouts in observed.items() if layouts},
        output_tokens=timed.output_tokens,
        length_ms=timed.length_ms,
    )
