"""Live equals replay for evenings nobody thought of: everything that may happen to a recorder, in random order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.feeds.evening import BEGINS_MS, LLAMA, MONEY, Evening
from tests.feeds.replaying import jumped, played
from tests.feeds.test_live_equals_replay import assert_equal, by_tick, compared
from tests.nvml_stub.stub import pynvml_as_found
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History
from tokwatch.ledger.snapshot import canonical_json

__all__ = ["pynvml_as_found"]

ZONES = ("Europe/Berlin", "UTC", "America/New_York", "UTC+05:30")
GAPS_MS = (100, 4_000, 20_000, 400_000, 1_200_000)
STEPS_MS = (-3_600_000, -60_000, -500, 500, 60_000, 3_600_000)


async def any_evening(store: Path, file: Path, seed: int, *, money: bool = False) -> None:
    """money: one's own GPUs, a tariff, alerts on figures, a budget, and another process that tells things."""
    dice = random.Random(seed)
    box = Evening(store, file, begins_ms=BEGINS_MS + dice.randrange(-4, 30) * 900_000, seed=seed)
    config_text = MONEY if money else ""
    await box.start(price=None if money else 2.0, config_text=config_text)

    async def nothing() -> None:
        """A quiet stretch."""

    async def price() -> None:
        await box.set_price(dice.choice([1.0, 2.0, 3.5]))

    async def asleep() -> None:
        box.world.pass_ms(dice.choice(GAPS_MS))

    async def clock() -> None:
        box.world.clock.wall_ms += dice.choice(STEPS_MS)

    async def restart() -> None:
        await box.end()
        box.world.pass_ms(dice.choice(GAPS_MS))
        await box.start(
            price=None if money else dice.choice([2.0, 4.0]), timezone=dice.choice(ZONES), config_text=config_text
        )

    async def load() -> None:
        box.vllm.rate, box.llama.rate = dice.choice([0, 5, 900]), dice.choice([0, 5, 90])

    async def page() -> None:
        box.vllm.problem = dice.choice(["", "", "gone"])

    async def server() -> None:
        dice.choice([box.vllm, box.llama]).restart(box.world.clock.wall_ms / 1000)

    async def servers() -> None:
        if box.world.servers.servers.pop(LLAMA, None) is None:
            box.world.servers.servers[LLAMA] = box.llama

    async def placement() -> None:
        box.vllm.facts = replace(box.vllm.facts, gpus=dice.choice([None, ("0", "1"), ("1",), ("2", "3")]))

    async def restate() -> None:
        await box.restate(dice.choice([0.5, 7.0]), dice.choice([20, 400, 4000]))

    async def mute() -> None:
        await box.mute(dice.choice(["parked", "usd_per_m_output > 0.5", "unallocated"]), dice.choice([20, 4000]))

    happens: list[Callable[[], Awaitable[None]]] = [
        *(nothing, price, asleep, clock, restart, load, page, server, servers, placement)
    ]
    if money:
        happens = [nothing, asleep, clock, restart, load, load, page, servers, placement, mute, mute, restate]
    for _ in range(15):
        await box.record_until(box.second + dice.choice([3, 10, 30, 100, 200]))
        await dice.choice(happens)()
    await box.record_until(box.second + 60)
    await box.end()


@pytest.mark.parametrize("seed", [4, 9])
def test_whatever_happens_a_replay_shows_what_was_on_the_screen(tmp_path: Path, seed: int) -> None:
    store, file = tmp_path / "store.db", tmp_path / "live.jsonl"
    asyncio.run(any_evening(store, file, seed))
    assert_replayed(store, by_tick(file))


@pytest.mark.parametrize("seed", [1])
def test_with_prices_alerts_and_mutes_of_every_kind_too(tmp_path: Path, seed: int) -> None:
    store, file = tmp_path / "store.db", tmp_path / "live.jsonl"
    asyncio.run(any_evening(store, file, seed, money=True))
    assert_replayed(store, live := by_tick(file))
    assert len(live) > 20


def assert_replayed(store: Path, live: dict[int, bytes]) -> None:
    """Every tick that is among `live`: what was shown before prices were restated was shown under other ones."""
    cursor = Cursor(History(store))
    for moment in (*played(cursor), *jumped(store)):
        assert moment is not None
        tick_ms, replay = compared(canonical_json(moment))
        if tick_ms >= min(live):
            assert_equal(live[tick_ms], replay)
    cursor.close()
