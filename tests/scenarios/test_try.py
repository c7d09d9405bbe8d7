from __future__ import annotations
import time
from tests.scenarios.box import ScriptedBox

async def test_try(box: ScriptedBox) -> None:
    box.interval_s = 1.0
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 120, tok_s=900)
    t = time.monotonic()
    now = await box.at(600)
    dt = time.monotonic()-t
    print(len(now.records), dt, dt/len(now.records)*1000)
    print(now.states(gpu), now.since(gpu), now.state(gpu))
    print(now.transitions("parked"))
    print(now.alert("parked").usd_so_far)
    now = await box.at(2000)
    print(now.states(gpu), now.since(gpu), now.state(gpu))
    print(now.transitions("parked"))
    print(now.alert("parked").usd_so_far)
    box.clock.jump(600)
    now = await box.at(3000)
    print(now.states(gpu), now.since(gpu), now.state(gpu))
    print(now.transitions("parked"))
    print(now.alert("parked").usd_so_far)
    dt = time.monotonic()-t
    print(len(now.records), dt, dt/len(now.records)*1000)
