"""Rows of capacity from one Moment: K and its use, the present point, the frontier and the box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from functools import cached_property

from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.bodies import ServerBody
from tokwatch.ledger.capacity.capacity import (
    HOUR_MS,
    NOT_LEARNT,
    DeclaredCapacity,
    LearntCapacity,
    Load,
    declared,
    headroom_tok_s,
    utilisation,
)
from tokwatch.ledger.capacity.frontier import Box, Frontier, Worth, best, gap, non_dominated, on_any
from tokwatch.ledger.capacity.looking_back import OperatingPast, coverage, prompt_per_output, time_in_box
from tokwatch.ledger.capacity.operating_point import MIXES, PER_TOKEN, OperatingPoint, Throughput
from tokwatch.ledger.capacity.row import CapacityRow, LearntRow, PointRow
from tokwatch.ledger.economics.token_cost import usd_per_million
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import known, unknown
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.registry import owner_units
from tokwatch.ledger.slo import NO_SLO

NO_TOKENS_LATELY = "no tokens in the last minute"
NO_WHOLE_HOUR = "no whole hour yet"
WorthOf = Callable[[int, OperatingPoint], Worth]  # of a point of a unit
Past = Mapping[int, Sequence[OperatingPoint]]


def capacity_rows(
    moment: Moment,
    accounts: Accounts,
    worth: WorthOf | None = None,
    past: Past | None = None,
    *,
    with_points: bool = True,
) -> tuple[CapacityRow, ...]:
    """One of each deployment that has GPUs at the moment.

    worth: at GPU prices alone unless given. past: windows of each unit, for frontiers of these instead of the trailing
    seven days. with_points False leaves `frontier` and `best` out: 48 points take 1.7 ms and 26 kB.
    """
    return tuple(
        _Unit(moment, accounts, unit, gpus, worth, past).row(with_points)
        for unit, gpus in sorted(_gpus_of(moment).items())
    )


def looked_back(
    moment: Moment,
    accounts: Accounts,
    unit: int,
    windows: Sequence[OperatingPoint],
    *,
    span_ms: tuple[int, int],
    box: Box | None = None,
) -> OperatingPast | None:
    """A deployment over (from, to] by these windows of it, by time, at the moment's prices; None: it has no GPU now.

    box: to be judged by instead of the configured one.
    """
    gpus = _gpus_of(moment).get(unit)
    if gpus is None:
        return None
    return _Unit(moment, accounts, unit, gpus, None, {unit: windows}, box).past(windows, span_ms)


def _gpus_of(moment: Moment) -> dict[int, list[int]]:
    """Deployment → its GPUs at the moment."""
    gpus_of: dict[int, list[int]] = {}
    for _, entry in moment.gpus:
        if entry.owner in moment.view.entities:
            gpus_of.setdefault(entry.owner, []).append(entry.entity)
    return gpus_of


class _Unit:
    """One deployment at a moment."""

    def __init__(
        self,
        moment: Moment,
        accounts: Accounts,
        unit: int,
        gpus: Sequence[int],
        worth: WorthOf | None,
        past: Past | None,
        box: Box | None = None,
    ) -> None:
        self._moment, self._accounts, self._unit, self._gpus = moment, accounts, unit, gpus
        units = owner_units(moment.view.entities[unit])
        self._servers = tuple(server for part in units for server in part if server in moment.view.servers)
        self._bodies: list[ServerBody] = [body for server in self._servers if (body := moment.server(server))]
        self._worth, self._past = worth or self._at_gpu_prices, past
        self._box = moment.view.settings.box if box is None else box

    def row(self, with_points: bool, mix_at_rest: str | None = None) -> CapacityRow:
        """All of it, or all but the points of the frontier. mix_at_rest: compared where nothing is made now, instead of
        the last one."""
        last = self._moment.in_force("operating", self._unit, OperatingPoint)
        now = last if last is not None and self._moment.now_ms - last.to_ms < 2 * (last.to_ms - last.from_ms) else None
        mix = mix_at_rest if now is None and mix_at_rest is not None else last.mix if last else ""
        learnt = self._learnt()
        said, point = self._declared(), learnt.get(mix)
        learnt_tok_s = point.computed_tok_s_per_gpu if point else None
        capacity = known(said.tok_s_per_gpu if said else learnt_tok_s, self._why_none())
        tok_s = self._computed_tok_s()
        frontier = self._frontier(mix)
        drawn = frontier if with_points else ()
        on = {each: set(map(id, non_dominated(drawn, each))) for each in Throughput}
        top = best(drawn, self._box, self._worth_of, Throughput.OUTPUT_PER_GPU)
        return CapacityRow(
            entity=self._unit,
            servers=self._servers,
            models=tuple(sorted({body.model for body in self._bodies if body.model})),
            deployment=next((body.deployment for body in self._bodies if body.deployment), ""),
            gpus=len(self._gpus),
            mix=mix,
            capacity_tok_s_per_gpu=capacity,
            capacity_source="declared" if said else "learnt" if point else "",
            capacity_words=said.source if said else "",
            capacity_to_ms=point.to_ms if point and not said else None,
            learnt=tuple(LearntRow(of, p.computed_tok_s_per_gpu, p.from_ms, p.to_ms) for of, p in learnt.items()),
            computed_tok_s=tok_s,
            utilisation=self._against(tok_s, capacity, utilisation),
            headroom_tok_s=self._against(tok_s, capacity, headroom_tok_s),
            load_factor=self._load_factor(),
            now=self._point(now, on) if now else None,
            frontier=tuple(self._point(each, on) for each in drawn),
            best=self._point(top, on) if top else None,
            gap=known(gap(now, frontier, Throughput.OUTPUT_PER_GPU), "nothing as fast was seen")
            if now
            else unknown(NO_TOKENS_LATELY),
            box=self._box,
        )

    def past(self, windows: Sequence[OperatingPoint], span_ms: tuple[int, int]) -> OperatingPast:
        """Every window as a point, and what they add up to."""
        commonest = Counter(window.mix for window in windows).most_common(1)
        row = self.row(with_points=True, mix_at_rest=commonest[0][0] if commonest else None)
        points = tuple(self._point(window, {}) for window in windows)
        return OperatingPast(
            entity=self._unit,
            from_ms=span_ms[0],
            to_ms=span_ms[1],
            mix=row.mix,
            box=self._box,
            points=points,
            frontier=row.frontier,
            best=row.best,
            time=time_in_box(points) if self._box.set else None,
            prompt_per_output=prompt_per_output(windows),
            coverage=coverage(windows, *span_ms),
            usd_per_gpu_hour=self._usd_per_gpu_hour,
            references=self._moment.view.settings.references,
        )

    # --- capacity -------------------------------------------------------------------------------------------------

    def _declared(self) -> DeclaredCapacity | None:
        models, deployments = ({getattr(body, key) for body in self._bodies} for key in ("model", "deployment"))
        return declared(self._moment.view.settings.capacity, models, deployments)

    def _learnt(self) -> dict[str, OperatingPoint]:
        """The best five minutes by mix."""
        found = ((mix, self._moment.in_force("capacity", self._unit, LearntCapacity, mix)) for mix in ("", *MIXES))
        points = ((mix, learnt.best(self._moment.now_ms)) for mix, learnt in found if learnt)
        return {mix: point for mix, point in points if point}

    def _why_none(self) -> str:
        settings = self._moment.view.settings
        return NOT_LEARNT if all(settings.slo(body.model).limits for body in self._bodies) else NO_SLO

    def _computed_tok_s(self) -> Figure:
        """Output and uncached prompt tokens a second, over the usual window."""
        output, prompt, cached = (
            self._accounts.rate(self._servers, f"{name}_tokens", "nothing served")
            for name in ("output", "prompt", "cached")
        )
        if output.value is None and prompt.value is None:
            return output
        computed = max(0.0, (prompt.value or 0.0) - (cached.value or 0.0)) + (output.value or 0.0)
        of = output if output.value is not None else prompt
        return Figure(computed, coverage=of.coverage, marks=of.marks)

    def _against(self, tok_s: Figure, capacity: Figure, of: Callable[[float, float, int], float]) -> Figure:
        if capacity.value is None or tok_s.value is None:
            return unknown(capacity.why or tok_s.why)
        return Figure(of(tok_s.value, capacity.value, len(self._gpus)), coverage=tok_s.coverage, marks=tok_s.marks)

    def _load_factor(self) -> Figure:
        load = self._moment.in_force("load", self._unit, Load)
        hours = load.trailing_day(self._moment.now_ms // HOUR_MS * HOUR_MS) if load else None
        return known(hours.factor if hours else None, NO_WHOLE_HOUR)

    # --- points ---------------------------------------------------------------------------------------------------

    def _frontier(self, mix: str) -> tuple[OperatingPoint, ...]:
        if self._past is not None:
            return on_any([point for point in self._past.get(self._unit, ()) if point.mix == mix])
        found = self._moment.in_force("frontier", self._unit, Frontier, mix)
        return found.at(self._moment.now_ms) if found else ()

    def _worth_of(self, point: OperatingPoint) -> Worth:
        return self._worth(self._unit, point)

    def _at_gpu_prices(self, _: int, point: OperatingPoint) -> Worth:
        """What its output cost at the present price of its GPUs, electricity at their present draw."""
        output = point.output_tok_s_per_gpu
        return Worth(None if output is None else usd_per_million(self._usd_per_gpu_hour, output * 3600))

    @cached_property
    def _usd_per_gpu_hour(self) -> float | None:
        """Of its GPUs the mean; unknown as soon as one is."""
        rates = [self._moment.rate_usd_per_hour(gpu).value for gpu in self._gpus]
        known_rates = [rate for rate in rates if rate is not None]
        return sum(known_rates) / len(rates) if len(known_rates) == len(rates) else None

    def _point(self, point: OperatingPoint, on: Mapping[Throughput, Set[int]]) -> PointRow:
        worth = self._worth_of(point)
        return PointRow(
            from_ms=point.from_ms,
            to_ms=point.to_ms,
            gpus=point.gpus,
            tok_s_per_user=point.interactivity,
            per_token=point.latency == PER_TOKEN,
            output_tok_s_per_gpu=point.output_tok_s_per_gpu,
            total_tok_s_per_gpu=point.total_tok_s_per_gpu,
            output_tok_s_per_board_mw=Throughput.OUTPUT_PER_MW.of(point),
            total_tok_s_per_board_mw=Throughput.TOTAL_PER_MW.of(point),
            prompt_share=point.prompt_share,
            running=point.running,
            slo_met_at_least=point.attained_low,
            usd_per_m_output=worth.usd_per_m_output,
            profit_usd_per_hour=worth.profit_usd_per_hour,
            side=self._box.side(point.interactivity, worth.usd_per_m_output),
            frontiers=tuple(each.value for each, points in on.items() if id(point) in points),
            mix=point.mix,
            cached_share=point.cached_share,
        )
