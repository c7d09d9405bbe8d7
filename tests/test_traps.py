"""The 28 ways in which a metrics page or a meter misleads: each has a test that bears its number.

`test_trap_07_…` in any file of the test tree is a test of trap 7. Those that concern no single engine are here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TRAPS = {
    1: "token counters that move only when a request ends",
    2: "vLLM's prompt counter jumps by a whole prompt",
    3: "gauges of throughput are not throughput",
    4: "reading changes the data",
    5: "the wrong path looks dead",
    6: "cached prompt tokens are inside the prompt counter of one engine and outside that of another",
    7: "inter-token latency is not time per output token",
    8: "success is not success",
    9: "a histogram called total, a gauge called total, a counter that is a maximum",
    10: "the same tokens or watts told twice",
    11: "families without a prefix",
    12: "renames",
    13: "units",
    14: "no page says which GPUs it runs on",
    15: "several processes hide the start and keep the dead",
    16: "histograms have floors",
    17: "goodput from marginals is a bound",
    18: "zero running between two scrapes is not idle",
    19: "an idle SGLang shows its last values",
    20: "GPU utilisation says that a kernel ran",
    21: "partitions report 0 W, and watts may be milliwatts",
    22: "energy counters restart",
    23: "vLLM's LoRA gauge is a time stamp",
    24: "time to first token of a request that is not streamed",
    25: "a series that is absent is not zero",
    26: "two engines behind one port",
    27: "an engine asleep on purpose",
    28: "prefill and decode apart",
}


@pytest.mark.parametrize("number", TRAPS, ids=lambda number: f"{number:02}")
def test_every_trap_has_a_test(number: int) -> None:
    name = re.compile(rf"^(async )?def test_trap_{number:02}_", re.MULTILINE)
    files = Path(__file__).parent.rglob("test_*.py")
    assert any(name.search(path.read_text()) for path in files), TRAPS[number]
