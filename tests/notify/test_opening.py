"""The outlets of a config: each with a name for its problems."""

from __future__ import annotations

import asyncio

from tests.notify.messages import message
from tokwatch.config import parse
from tokwatch.notify.opening import open_channels

TWO_OF_A_NAME = """
[[notify]]
kind = "command"
command = ["/bin/sh", "-c", "exit 3"]

[[notify]]
kind = "command"
command = ["/bin/sh", "-c", "exit 0"]
"""


async def test_one_that_works_does_not_hide_that_another_of_its_name_fails() -> None:
    problems: dict[str, str] = {}
    channels = open_channels(parse(TWO_OF_A_NAME, "config.toml").notify, problems.__setitem__)
    for channel in channels:
        channel.take(message())
    await asyncio.gather(*(channel.close(10) for channel in channels))
    assert problems == {
        "notify /bin/sh ([[notify]] 1)": "an alert was not told: /bin/sh failed: it ended with status 3",
        "notify /bin/sh ([[notify]] 2)": "",
    }
