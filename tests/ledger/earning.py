"""A box whose server makes tokens at a steady pace, priced as one likes: for whatever is told of its money."""

from __future__ import annotations

from collections.abc import Mapping

from tests.ledger.box import Box, placed
from tests.ledger.readings import flow, free_gpu, gpu, page
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.gpu_terms import Own
from tokwatch.ledger.prices.token_prices import TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import Snapshot

MODEL = "Qwen/Qwen3-32B"
OUT_S, PROMPT_S, CACHED_S = 1000, 3000, 1000
OWN = Own(server_usd=320_000, gpus_per_server=8, years=4, opex_rate=0.05)
RENTED = Prices(usd_per_gpu_hour=2.0)
LIST = Tokens(prices=(TokenPrice(output=2.0, input=0.5, cached_input=0.05),))


def shown(
    prices: Prices | None, *, gpus: int = 1, free: int = 0, box: Box | None = None, rates: Mapping[str, int | None] = {}
) -> Snapshot:
    """30 s of one server at a steady pace, one request a second, on GPUs at 300 W; free ones draw 60 W."""
    box = box or Box()
    paces = {"output_tokens": OUT_S, "prompt_tokens": PROMPT_S, "cached_tokens": CACHED_S, "finished": 1} | dict(rates)
    for second in range(31):
        counters = {name: None if pace is None else pace * second for name, pace in paces.items()}
        gpu_readings = [gpu(second, n) for n in range(gpus)] + [free_gpu(second, gpus + n) for n in range(free)]
        box.turn(second, gpu_readings, [page(second, flow(**counters), facts=placed(*range(gpus)))])
    versions = () if prices is None else (PriceVersion(1, 0, 0, "config", prices),)
    return snapshot(box.view(PriceBook(versions)), mode="live")
