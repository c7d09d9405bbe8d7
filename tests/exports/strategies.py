"""Hypothesis strategies: any quarter hours of the made-up box, and any price book."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.exports.box import (
    ACME_SEEN,
    BETA_SEEN,
    DECODE_FLOW,
    DEEPSEEK_SEEN,
    GPU_0,
    GPU_1,
    GROUP,
    LLAMA,
    LLAMA_FLOW,
    NOBODY_SEEN,
    NOON_MS,
    PAIR,
    PAIR_AND_QWEN,
    PREFILL,
    PREFILL_FLOW,
    QWEN,
    QWEN_FLOW,
    TENANT_FLOW,
    flow_quarter,
    gpu_quarter,
    host_quarter,
    version,
)
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.electricity import Electricity, Flat, Period, TimeOfUse
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Own, Rent
from tokwatch.ledger.prices.token_prices import TokenPrice, Tokens
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

OWNERS = (0, QWEN, LLAMA, GROUP, PREFILL, PAIR, PAIR_AND_QWEN)
FLOWS = (QWEN_FLOW, LLAMA_FLOW, TENANT_FLOW, PREFILL_FLOW, DECODE_FLOW)
SEEN = (ACME_SEEN, BETA_SEEN, NOBODY_SEEN, DEEPSEEK_SEEN)


@st.composite
def gpu_quarters(draw: st.DrawFn) -> list[GpuQuarter]:
    """Rows of two GPUs over an hour and a half, with any owner, states, gaps and unknowns."""
    rows = []
    for number in range(6):
        for gpu in (GPU_0, GPU_1):
            for owner in sorted(draw(st.sets(st.sampled_from(OWNERS), max_size=2))):
                states = draw(st.dictionaries(st.sampled_from(State), st.integers(1, 100_000), max_size=4))
                energy_mj = draw(st.none() | st.integers(0, 10**9))
                idle_mj = None if energy_mj is None else draw(st.none() | st.integers(0, energy_mj))
                gap_ms = draw(st.sampled_from([0, 0, 40_000]))
                rows.append(gpu_quarter(number, gpu, owner, states, energy_mj, gap_ms, idle_mj))
    return rows


@st.composite
def host_quarters(draw: st.DrawFn) -> list[HostQuarter]:
    """Rows of the box over an hour and a half, often without sensors."""
    drawn = st.none() | st.integers(0, 10**10)
    return [
        host_quarter(number, draw(drawn), draw(drawn), draw(st.sampled_from([QUARTER_MS, 1000])))
        for number in sorted(draw(st.sets(st.integers(0, 5))))
    ]


@st.composite
def flow_quarters(draw: st.DrawFn, flows: Sequence[int]) -> list[FlowQuarter]:
    """Rows of any of the flows over an hour and a half, often without tokens."""
    tokens = st.sampled_from([None, 0, 1, 2]) | st.integers(0, 10**9)
    return [
        flow_quarter(number, flow, draw(tokens), draw(tokens), draw(tokens), finished=draw(tokens))
        for number in range(6)
        for flow in sorted(draw(st.sets(st.sampled_from(flows))))
    ]


_seen: st.SearchStrategy[list[FlowQuarter]] = st.just([]) | flow_quarters(SEEN)  # half of the boxes have no gateway
quarters = st.builds(Quarters, gpu_quarters(), flow_quarters(FLOWS), host_quarters(), _seen)

_TERMS: list[Rent | Own] = [
    Rent(2.35),
    Rent(1.7, elastic=True),
    Rent(2.0, power_included=False),
    Own(server_usd=320_000, gpus_per_server=8, years=4, opex_rate=0.05),
    Own(
        server_usd=320_000,
        gpus_per_server=8,
        years=4,
        cost_of_capital=0.1,
        depreciation="capital-recovery",
        colocation_usd_per_kw_month=184.06,
        provisioned_kw=1.275,
    ),
]
_evening = TimeOfUse("Europe/Berlin", (Period(0.31, (0, 1, 2, 3, 4, 5, 6), 13 * 60 + 15, 20 * 60),), otherwise=0.09)
_ELECTRICITY: list[Electricity] = [Flat(0.085), _evening]
_facility = st.builds(
    Facility,
    st.none() | st.just(1.3),
    st.sampled_from(["", "measured", "per gpu", "ratio"]),
    st.just(150.0),
    st.just(0.43),
    st.none() | st.just(Carbon(348, "eGRID2023", 2023)),
)
_tokens = st.sampled_from(
    [Tokens(), Tokens((TokenPrice(2.19, 0.55, cached_input=0.14),)), Tokens((TokenPrice(2.0, 0.5, "qwen"),))]
)


@st.composite
def price_versions(draw: st.DrawFn) -> tuple[PriceVersion, ...]:
    """Up to four versions from before noon on, the last one a restatement now and then; edges where they may be."""
    found = []
    for id in range(1, draw(st.integers(0, 4)) + 1):
        from_ms = NOON_MS + draw(st.sampled_from([-QUARTER_MS, 0, QUARTER_MS, QUARTER_MS // 3, 5 * QUARTER_MS + 1]))
        until_ms = draw(st.none() | st.just(from_ms + QUARTER_MS + QUARTER_MS // 2))
        found.append(
            version(
                draw(st.none() | st.sampled_from(_TERMS)),
                from_ms,
                id,
                until_ms=until_ms,
                electricity=draw(st.none() | st.sampled_from(_ELECTRICITY)),
                facility=draw(_facility),
                tokens=draw(_tokens),
            )
        )
    return tuple(found)
