"""The live feed of this box: record and show, or follow the recorder that is there already."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tokwatch.config import Config
from tokwatch.errors import CommandError
from tokwatch.feeds.clock import Clock, SystemClock
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History
from tokwatch.feeds.live import Follower, RecorderView
from tokwatch.feeds.recorder import Recorder, Seer
from tokwatch.feeds.start import Begun, begin, set_price
from tokwatch.feeds.timeline import Timeline
from tokwatch.store.lock import RecorderLock, who_records

_FLUSH_S = 5.0
