"""How a process that reads thousands of hosts shares its interpreter: with its threads, and the garbage collector."""

from __future__ import annotations

import gc
import sys
from typing import Final

# The writer's thread and the loop take turns: Python's own 5 ms would be the lag of every page while rows are written.
_SWITCH_S: Final = 0.0005
# Python's own is (700, 10, 10). What is known of hosts is freed without the collector, which walks it all the same: a
# walk of everything holds the loop up for 0.1 s at 1000 hosts and 0.7 s at 5000, and came every few seconds while hosts
# were met, every minute or so later. Half an hour is soon enough for the little that is left in circles.
_COLLECT_AT: Final = (2_000, 10, 1_000)


def read_many_hosts() -> None:
    """Call it before the hosts are read."""
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(*_COLLECT_AT)
