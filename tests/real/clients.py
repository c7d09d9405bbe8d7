"""Clients of an OpenAI-compatible server: a mix of requests, and what the API itself says each one used."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp

_SENTENCE = "the quick brown fox jumps over the lazy dog "
_SHARED_PREFIX = _SENTENCE * 30  # longer than a block of the prefix cache
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Api:
    """Where to ask."""

    url: str
    model: str
    key: str

    @property
    def address(self) -> str:
        """host:port, as tokwatch names the server."""
        return self.url.removeprefix("http://")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the API's `usage` counts them: the truth of these tests. `prompt` includes the cached ones."""

    prompt: int = 0
    cached: int = 0
    output: int = 0


def total(usages: Iterable[Usage]) -> Usage:
    """What several requests used."""
    found = list(usages)
    return Usage(sum(u.prompt for u in found), sum(u.cached for u in found), sum(u.output for u in found))


@dataclass(frozen=True, slots=True)
class Request:
    """A path and its JSON body."""

    path: str
    body: dict[str, Any]


def any_request(chance: random.Random) -> Request:
    """Chat or completion, streamed or not, short or long; one in three begins as others do."""
    prompt = f"{chance.random()} " + _SENTENCE * chance.randint(0, 12)
    if chance.random() < 1 / 3:
        prompt = _SHARED_PREFIX + prompt
    body: dict[str, Any] = {"max_tokens": chance.randint(1, 150), "ignore_eos": chance.random() < 0.5}
    if chance.random() < 0.5:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if chance.random() < 0.5:
        return Request("/v1/completions", body | {"prompt": prompt})
    return Request("/v1/chat/completions", body | {"messages": [{"role": "user", "content": prompt}]})


async def ask(session: aiohttp.ClientSession, api: Api, request: Request) -> Usage:
    """Send one request and read the whole answer. Raises aiohttp.ClientError for an error status."""
    async with session.post(api.url + request.path, json={"model": api.model} | request.body) as answer:
        answer.raise_for_status()
        if not request.body.get("stream"):
            return _usage((await answer.json())["usage"])
        last: dict[str, Any] = {}
        async for line in answer.content:
            text = line.decode().strip()
            if text.startswith("data: {"):
                last = json.loads(text.removeprefix("data: ")).get("usage") or last
        return _usage(last)


def session_of(api: Api, timeout_s: float = _TIMEOUT_S) -> aiohttp.ClientSession:
    """A session that shows the API key. Every request has a connection of its own: llama-server closes kept ones."""
    connector = aiohttp.TCPConnector(force_close=True)
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {api.key}"}, timeout=timeout, connector=connector)


async def load_for(api: Api, *, clients: int, seconds: float) -> list[Usage]:
    """Several clients, each asking one thing after another until the time is over; every answer is read to its end."""
    ends_s = time.monotonic() + seconds
    used: list[Usage] = []

    async def client(number: int) -> None:
        chance = random.Random(number)
        while time.monotonic() < ends_s:
            used.append(await ask(session, api, any_request(chance)))

    async with session_of(api) as session, asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number))
    return used


async def load_of(api: Api, requests: Iterable[Request], *, at_once: int, timeout_s: float = _TIMEOUT_S) -> list[Usage]:
    """These requests, so many of them at the same time."""
    gate = asyncio.Semaphore(at_once)

    async def one(request: Request) -> Usage:
        async with gate:
            return await ask(session, api, request)

    async with session_of(api, timeout_s) as session:
        return await asyncio.gather(*(one(request) for request in requests))


def _usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    return Usage(usage["prompt_tokens"], details.get("cached_tokens") or 0, usage["completion_tokens"])
