"""Asks a Prometheus-compatible server: a few queries at once, each with a deadline, and none while it is too busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from collectors.prometheus.answers import Matrix, Vector
from collectors.prometheus.decoding import LabelSets, NoReply, config_text, matrix, texts, vector
from collectors.prometheus.query_error import QueryError, is_busy, no_reply, refused, retry_after_s, too_large
from collectors.prometheus.reply import RawReply, unpacked
from collectors.prometheus.scrape_interval import configured_interval_s, spacing_s
from collectors.prometheus.target import PrometheusTarget
from collectors.scrape_error import Failure

if TYPE_CHECKING:
    from collectors.prometheus.transport import Transport

__all__ = ["PrometheusClient", "QueryError"]

_THREAD_BYTES: Final = 64 * 2**10  # decoded at once it takes 0.3 ms, which a screen does not feel
_THREAD_BYTES_PACKED: Final = _THREAD_BYTES // 16  # what gzip makes of it
_MIN_WAIT_S: Final = 1.0
_MAX_WAIT_S: Final = 60.0

_T = TypeVar("_T")


class PrometheusClient:
    """A PrometheusApi over HTTP. Use it from one event loop; answers of all its queries share their label sets."""

    def __init__(
        self,
        target: PrometheusTarget,
        *,
        now_s: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._target = target
        self._now_s = now_s
        self._wall_s = wall_s
        self._sets = LabelSets()
        self._free = asyncio.Semaphore(target.max_at_once)
        self._transport: Transport | None = None
        self._busy_until_s = 0.0
        self._refusals = 0  # in a row, of a server that is too busy

    @property
    def url(self) -> str:
        return self._target.url

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should be told about how the server is asked, whatever it answers."""
        return self._target.notices

    async def instant(self, query: str, at_s: float | None = None) -> Vector:
        """The vector at `at_s`, or at the server's own now."""
        form = {"query": query} if at_s is None else {"query": query, "time": _seconds(at_s)}
        asked_s = self._wall_s() if at_s is None else at_s
        answer, size, took_s = await self._ask("query", form, lambda body: vector(body, self._sets, asked_s))
        return replace(answer, bytes=size, took_s=took_s)

    async def samples(self, query: str, at_s: float) -> Matrix:
        """Raw samples: the query ends in a range, `x[5m]`."""
        form = {"query": query, "time": _seconds(at_s)}
        answer, size, took_s = await self._ask("query", form, lambda body: matrix(body, self._sets))
        return replace(answer, bytes=size, took_s=took_s)

    async def range(self, query: str, start_s: float, end_s: float, step_s: float) -> Matrix:
        """Values each `step_s` from `start_s` to `end_s`, both included; servers refuse more than 11 000 of them.

        Name multiples of the step: VictoriaMetrics moves the ends of longer ranges there.
        """
        form = {"query": query, "start": _seconds(start_s), "end": _seconds(end_s), "step": _seconds(step_s)}
        answer, size, took_s = await self._ask("query_range", form, lambda body: matrix(body, self._sets))
        return replace(answer, bytes=size, took_s=took_s)

    async def label_values(
        self, label: str, matches: Sequence[str] = (), start_s: float | None = None, end_s: float | None = None
    ) -> tuple[str, ...]:
        """Cleaned values of a label, of the series that `matches` select. Raises ValueError for what is no label."""
        if not (label.isascii() and label.isidentifier()):
            raise ValueError("a label name is letters, digits and _")
        form = [("match[]", match) for match in matches]
        form += [(key, _seconds(at)) for key, at in (("start", start_s), ("end", end_s)) if at is not None]
        # Prometheus answers this one by GET alone.
        values, _, _ = await self._exchange("GET", f"/api/v1/label/{label}/values", form, texts)
        return values

    async def scrape_interval_s(self, job_hint: str = "") -> float | None:
        """Of that job where it is named. Raises QueryError where nothing can be asked."""
        try:
            yaml, _, _ = await self._exchange("GET", "/api/v1/status/config", [], config_text)
        except QueryError as error:
            # Mimir and Thanos have none, VictoriaMetrics calls it otherwise, and a gateway may keep it to itself.
            if error.failure not in (Failure.NOT_FOUND, Failure.REFUSED, Failure.BAD_ANSWER, Failure.LOGIN):
                raise
            yaml = ""
        return configured_interval_s(yaml, job_hint) or await self._seen_interval_s(job_hint)

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    async def _seen_interval_s(self, job: str) -> float | None:
        """By the samples of `up` of a few targets: those of all would be 20 000 for 1000 hosts."""
        few = await self.instant(f"topk(3, up{_selector({'job': job} if job else {})})")
        gaps = []
        for labels in few.labels:
            told = {name: value for name, value in labels.items() if name != "__name__"}
            gaps.append(spacing_s(await self.samples(f"up{_selector(told)}[5m]", few.at_s)))
        return min((gap for gap in gaps if gap is not None), default=None)

    async def _ask(self, endpoint: str, form: dict[str, str], decode: Callable[[bytes], _T]) -> tuple[_T, int, float]:
        """By POST always: selectors of many hosts outgrow a URL."""
        limited = form | {"timeout": f"{max(round(self._target.timeout_s * 1000), 1)}ms"}
        return await self._exchange("POST", f"/api/v1/{endpoint}", list(limited.items()), decode)

    async def _exchange(
        self, method: str, path: str, form: list[tuple[str, str]], decode: Callable[[bytes], _T]
    ) -> tuple[_T, int, float]:
        """What was answered, the bytes of it on the wire and the seconds until it was there. Raises QueryError."""
        async with self._free:
            self._wait_asked_for()
            if self._transport is None:
                transport = await asyncio.to_thread(_aiohttp_transport)
                self._transport = self._transport or transport(self._target)  # another query may have waited for it too
            reply = await self._transport.send(method, path, form)
            if len(reply.body) > (_THREAD_BYTES_PACKED if "content-encoding" in reply.headers else _THREAD_BYTES):
                answer = await asyncio.to_thread(self._read, reply, decode)
            else:
                answer = self._read(reply, decode)
            return answer, len(reply.body), reply.took_s

    def _read(self, reply: RawReply, decode: Callable[[bytes], _T]) -> _T:
        """Raises QueryError."""
        try:
            body = unpacked(reply, self._target.max_reply_bytes)
        except ValueError as error:
            raise no_reply(self._target.where, b"", str(error)) from None
        if body is None:
            raise too_large(self._target.where, self._target.max_reply_bytes)
        if reply.status != 200:
            raise self._refused(reply, body)
        try:
            answer = decode(body)
        except NoReply as error:
            raise no_reply(self._target.where, body[:4096], str(error)) from None
        self._refusals = 0
        return answer

    def _refused(self, reply: RawReply, body: bytes) -> QueryError:
        error = refused(self._target.where, reply.status, reply.headers, body)
        if not is_busy(reply.status, error):
            return error
        if self._busy_until_s <= self._now_s():  # else it is one of several that were on their way together
            self._refusals += 1
        asked_s = retry_after_s(reply.headers.get("retry-after", ""))
        wait_s = 2.0 ** min(self._refusals - 1, 10) if asked_s is None else asked_s
        wait_s = min(max(wait_s, _MIN_WAIT_S), _MAX_WAIT_S)
        self._busy_until_s = self._now_s() + wait_s
        return QueryError(f"{error}: it is asked again in {wait_s:.0f} s", error.failure, wait_s)

    def _wait_asked_for(self) -> None:
        """Raises QueryError while a busy server is left alone."""
        left_s = self._busy_until_s - self._now_s()
        if left_s > 0:
            problem = f"{self._target.where} was too busy: it is asked again in {left_s:.0f} s"
            raise QueryError(problem, Failure.REFUSED, left_s)


def _aiohttp_transport() -> type[Transport]:
    from collectors.prometheus.transport import Transport  # 0.25 s, in which the event loop should go on

    return Transport


def _selector(labels: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}={_quoted(value)}" for name, value in labels.items()) + "}"


def _quoted(value: str) -> str:
    """As a PromQL string: JSON's escapes are among Go's."""
    return msgspec.json.encode(value).decode()


def _seconds(at_s: float) -> str:
    return f"{at_s:.3f}"
