"""What must hold of several servers that the same requests pass: each token is counted once, and the clients agree."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence

from tests.real.clients import Api, Request, Usage, any_request, load_for, load_of, total
from tests.real.processes import wait_until
from tests.real.recording import Tokwatch, now_ms
from tokwatch.ledger.entries import Flag
from tokwatch.store.rollup import quarter_of


def serve_and_count(
    tokwatch: Tokwatch, api: Api, pages: Sequence[str], *, clients: int, seconds: float
) -> tuple[Usage, int, int]:
    """Record a load on `api`, from two pages of every server in `pages` before it until two after it.

    (what the API said was used, when the load began, when it was over): Unix milliseconds.
    """
    with tokwatch.recording():
        _wait_for(tokwatch, pages, 0)
        from_ms = now_ms()
        used = asyncio.run(load_for(api, clients=clients, seconds=seconds))
        to_ms = now_ms()
        _wait_for(tokwatch, pages, to_ms)
    print(f"{len(used)} requests in {(to_ms - from_ms) / 1000:.1f} s")
    return total(used), from_ms, to_ms


def serve_each_and_count(
    tokwatch: Tokwatch, apis: Mapping[str, Api], engine: Api, gateway: Api, *, requests: Mapping[str, int]
) -> dict[str, Usage]:
    """Record so many requests to each API, all at the same time: what each said was used.

    Until the gateway's page shows those that passed it: LiteLLM counts some time after it answered.
    """
    pages = (engine.address, gateway.address)

    async def all_of_them() -> list[list[Usage]]:
        loads = []
        for number, (name, api) in enumerate(apis.items()):
            chance = random.Random(number)
            loads.append(load_of(api, [any_request(chance) for _ in range(requests[name])], at_once=3))
        return await asyncio.gather(*loads)

    with tokwatch.recording():
        _wait_for(tokwatch, pages, 0)
        used = asyncio.run(all_of_them())
        passed = total(u for api, each in zip(apis.values(), used, strict=True) if api.url == gateway.url for u in each)
        wait_until(
            lambda: shown(tokwatch, gateway.address).output >= passed.output, "the gateway counted all", within_s=120
        )
        _wait_for(tokwatch, pages, now_ms())
    return {name: total(each) for name, each in zip(apis, used, strict=True)}


def one_quarter(tokwatch: Tokwatch) -> bool:
    """Everything was recorded within one quarter hour."""
    return len({quarter_of(record.tick.tick_ms) for record in tokwatch.records()}) == 1


def some_requests(api: Api, count: int) -> Usage:
    """A fixed mix of requests, not recorded: whatever appears only with the first request is there afterwards."""
    chance = random.Random(1)
    return total(asyncio.run(load_of(api, [any_request(chance) for _ in range(count)], at_once=4)))


def one_request(api: Api, request: Request) -> Usage:
    return total(asyncio.run(load_of(api, [request], at_once=1)))


def shown(tokwatch: Tokwatch, address: str) -> Usage:
    """What a server's own page counted, whether or not it is counted elsewhere."""
    flows = tokwatch.flows(address)
    entries = [entry for record in tokwatch.records() for entry in record.flows if entry.entity in flows]
    return Usage(
        sum(entry.prompt_tokens or 0 for entry in entries),
        sum(entry.cached_tokens or 0 for entry in entries),
        sum(entry.output_tokens or 0 for entry in entries),
    )


def counted(tokwatch: Tokwatch, addresses: Sequence[str]) -> Usage:
    """What the tokens of these servers add up to, each token where it is counted."""
    flows = frozenset().union(*(tokwatch.flows(address) for address in addresses))
    entries = [entry for record in tokwatch.records() for entry in record.flows if entry.entity in flows]
    prompts = [entry for entry in entries if not entry.flags & Flag.PROMPT_ELSEWHERE]
    outputs = [entry for entry in entries if not entry.flags & Flag.OUTPUT_ELSEWHERE]
    return Usage(
        sum(entry.prompt_tokens or 0 for entry in prompts),
        sum(entry.cached_tokens or 0 for entry in prompts),
        sum(entry.output_tokens or 0 for entry in outputs),
    )


def _wait_for(tokwatch: Tokwatch, pages: Sequence[str], after_ms: int) -> None:
    for address in pages:
        tokwatch.wait_for_pages(address, after_ms, 2, within_s=60)
