"""A made-up box for the hourly tables: two H100 at 2.35 USD, servers, and quarter rows by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tokwatch.exports.background import Background
from tokwatch.exports.names import Names
from tokwatch.exports.presence import Presence
from tokwatch.ledger.bodies import GpuBody, ServerBody, event
from tokwatch.ledger.entries import Entity, Event, HistogramEntry, Run, State
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.electricity import Electricity
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import Own, Rent, TermsFor
from tokwatch.ledger.prices.token_prices import Tokens
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.registry import flow_key, group_key
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.seen import Seen

NOON_MS = 1_795_262_400_000  # 2026-11-21 12:00 UTC

HOST, GPU_0, GPU_1, QWEN, LLAMA, GROUP, QWEN_FLOW, LLAMA_FLOW, TENANT_FLOW = range(1, 10)
PREFILL, DECODE, PAIR, PAIR_AND_QWEN, PREFILL_FLOW, DECODE_FLOW = range(10, 16)
GATEWAY, ACME_SEEN, BETA_SEEN, NOBODY_SEEN, DEEPSEEK_SEEN = range(16, 21)
ENTITIES = (
    Entity(HOST, "host", "dgx-03", "dgx-03", 0, NOON_MS),
    Entity(GPU_0, "gpu", "dgx-03", "GPU-a", HOST, NOON_MS),
    Entity(GPU_1, "gpu", "dgx-03", "GPU-b", HOST, NOON_MS),
    Entity(QWEN, "server", "dgx-03", "127.0.0.1:8000|vllm", HOST, NOON_MS),
    Entity(LLAMA, "server", "dgx-03", "127.0.0.1:8001|sglang", HOST, NOON_MS),
    Entity(GROUP, "group", "dgx-03", group_key([[QWEN], [LLAMA]]), HOST, NOON_MS),
    Entity(QWEN_FLOW, "flow", "dgx-03", flow_key(QWEN, "qwen", "", "(untagged)", ""), QWEN, NOON_MS),
    Entity(LLAMA_FLOW, "flow", "dgx-03", flow_key(LLAMA, "llama", "", "(untagged)", ""), LLAMA, NOON_MS),
    Entity(TENANT_FLOW, "flow", "dgx-03", flow_key(QWEN, "qwen", "", "team-a", ""), QWEN, NOON_MS),
    Entity(PREFILL, "server", "dgx-03", "127.0.0.1:8002|vllm", HOST, NOON_MS),
    Entity(DECODE, "server", "dgx-03", "127.0.0.1:8003|vllm", HOST, NOON_MS),
    Entity(PAIR, "group", "dgx-03", group_key([[PREFILL, DECODE]]), HOST, NOON_MS),
    Entity(PAIR_AND_QWEN, "group", "dgx-03", group_key([[PREFILL, DECODE], [QWEN]]), HOST, NOON_MS),
    Entity(
        PREFILL_FLOW, "flow", "dgx-03", flow_key(PREFILL, "deepseek", "prefill", "(untagged)", ""), PREFILL, NOON_MS
    ),
    Entity(DECODE_FLOW, "flow", "dgx-03", flow_key(DECODE, "deepseek", "decode", "(untagged)", ""), DECODE, NOON_MS),
    Entity(GATEWAY, "server", "dgx-03", "127.0.0.1:4000|litellm", HOST, NOON_MS),
    *(
        Entity(flow, "flow", "dgx-03", flow_key(GATEWAY, model, "", tenant, tier), GATEWAY, NOON_MS)
        for flow, model, tenant, tier in (
            (ACME_SEEN, "Qwen", "acme", ""),
            (BETA_SEEN, "Qwen", "beta", "batch"),
            (NOBODY_SEEN, "Qwen", "(untagged)", ""),
            (DEEPSEEK_SEEN, "deepseek-ai/DeepSeek", "acme", ""),
        )
    ),
)


def gpu_facts(gpu: int, index: int, uuid: str, name: str = "NVIDIA H100 80GB HBM3") -> Event:
    return event(NOON_MS + 1000, gpu, "facts", GpuBody(index, uuid, name, 81_559, 700_000))


def server_facts(
    server: int,
    address: str,
    engine: str,
    model: str,
    *,
    verified: bool = True,
    deployment: str = "",
    layer: str = "engine",
) -> Event:
    body = ServerBody(address, engine, model, "root", verified, "live", layer=layer, deployment=deployment)
    return event(NOON_MS + 1000, server, "facts", body)


FACTS = (
    gpu_facts(GPU_0, 0, "GPU-a"),
    gpu_facts(GPU_1, 1, "GPU-b"),
    server_facts(QWEN, "127.0.0.1:8000", "vllm", "qwen"),
    server_facts(LLAMA, "127.0.0.1:8001", "sglang", "llama"),
    server_facts(PREFILL, "127.0.0.1:8002", "vllm", "deepseek"),
    server_facts(DECODE, "127.0.0.1:8003", "vllm", "deepseek"),
    server_facts(GATEWAY, "127.0.0.1:4000", "litellm", "", layer="gateway"),
)


def price(usd: float | None, from_ms: int = 0, id: int = 1, currency: str = "USD") -> PriceVersion:
    return PriceVersion(id, from_ms, from_ms, "config", Prices(currency, usd))


class StateLog:
    """Stands for `Reader.state_ms`: stretches of one GPU's states."""

    def __init__(self, *stretches: tuple[int, int, State]) -> None:
        self._stretches = stretches

    def __call__(self, entity: int, from_ms: int, to_ms: int, runs: Collection[int] | None = None) -> dict[int, int]:
        found: dict[int, int] = {}
        for start_ms, end_ms, state in self._stretches:
            ms = min(end_ms, to_ms) - max(start_ms, from_ms)
            if ms > 0:
                found[state.value] = found.get(state.value, 0) + ms
        return found


def version(
    terms: Rent | Own | None,
    from_ms: int = 0,
    id: int = 1,
    *,
    until_ms: int | None = None,
    electricity: Electricity | None = None,
    facility: Facility = Facility(),  # noqa: B008 - frozen
    tokens: Tokens = Tokens(),  # noqa: B008 - frozen
) -> PriceVersion:
    """All GPUs on the same terms; a restatement where it ends."""
    prices = Prices(
        terms=(TermsFor(terms),) if terms else (), electricity=electricity, facility=facility, tokens=tokens
    )
    return PriceVersion(id, from_ms, from_ms, "config", prices, until_ms)


def background(
    *prices: PriceVersion,
    facts: tuple[Event, ...] = FACTS,
    states: StateLog | None = None,
    simulated: int = 0,
    seen: Collection[Seen] = (),
    settings: tuple[Event, ...] = (),
) -> Background:
    runs = [
        Run(number, "simulated" if number == simulated else "recorded", "dgx-03", boot, "0.1.0", "UTC", NOON_MS)
        for number, boot in ((1, "a"), (2, "a"), (3, "b"))
    ]
    return Background(
        Names(ENTITIES, facts),
        PriceBook(prices),
        states or StateLog(),
        frozenset({simulated}),
        Presence(seen, runs),
        settings,
    )


def gpu_quarter(
    number: int = 0,
    gpu: int = GPU_0,
    owner: int = QWEN,
    states: Mapping[State, int] | None = None,
    energy_mj: int | None = 540_000_000,
    gap_ms: int = 0,
    idle_energy_mj: int | None = None,
    run: int = 1,
) -> GpuQuarter:
    """A quarter hour after noon: 15 minutes of serving at 600 W, unless said otherwise."""
    state_ms = {State.SERVING: QUARTER_MS} if states is None else states
    observed_ms = sum(state_ms.values())
    return GpuQuarter(
        quarter_ms=NOON_MS + number * QUARTER_MS,
        run=run,
        entity=gpu,
        owner=owner,
        state_ms={state.value: ms for state, ms in state_ms.items()},
        gap_ms=gap_ms,
        energy_mj=energy_mj,
        measured_ms=0 if energy_mj is None else observed_ms + gap_ms,
        power_max_mw=650_000,
        power_mw_ms=600_000 * observed_ms,
        power_ms=observed_ms,
        util_permille_ms=800 * observed_ms,
        util_ms=observed_ms,
        memory_mib_ms=71_000 * observed_ms,
        memory_ms=observed_ms,
        temperature_max_c=61,
        entries=900,
        flags=0,
        idle_energy_mj=idle_energy_mj,
    )


def host_quarter(
    number: int = 0, energy_mj: int | None = None, package_energy_mj: int | None = None, known_ms: int = QUARTER_MS
) -> HostQuarter:
    """What the box drew in a quarter hour after noon."""
    return HostQuarter(
        quarter_ms=NOON_MS + number * QUARTER_MS,
        run=1,
        entity=HOST,
        observed_ms=QUARTER_MS,
        energy_mj=energy_mj,
        energy_ms=0 if energy_mj is None else known_ms,
        package_energy_mj=package_energy_mj,
        package_ms=0 if package_energy_mj is None else known_ms,
        entries=900,
        flags=0,
    )


def flow_quarter(
    number: int = 0,
    flow: int = QWEN_FLOW,
    prompt: int | None = 1_000_000,
    cached: int | None = 400_000,
    output: int | None = 500_000,
    histograms: tuple[HistogramEntry, ...] = (),
    finished: int | None = 900,
) -> FlowQuarter:
    return FlowQuarter(
        quarter_ms=NOON_MS + number * QUARTER_MS,
        run=1,
        entity=flow,
        covered_ms=QUARTER_MS,
        prompt_tokens=prompt,
        cached_tokens=cached,
        output_tokens=output,
        finished=finished,
        failed=1,
        aborted=2,
        preempted=3,
        histograms=histograms,
        entries=900,
        flags=0,
    )
