"""Why a query has no answer: what a server's refusals mean, in words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from collectors.labels import clean_label
from collectors.scrape_error import Failure

_MAX_WORDS: Final = 200  # of a server's own text
_TITLE: Final = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_BUSY: Final = (429, 503)


class QueryError(Exception):
    """There is no answer. The text says what happened, where and what to do, and holds no secret.

    `retry_in_s` is set where the server asked to be left alone; until then no query is sent to it.
    """

    def __init__(self, problem: str, failure: Failure, retry_in_s: float | None = None) -> None:
        super().__init__(problem)
        self.failure = failure
        self.retry_in_s = retry_in_s


class _Refusal(msgspec.Struct):
    """The body of a refusal by the API itself."""

    error: str
    errorType: str = ""


def refused(where: str, status: int, headers: Mapping[str, str], body: bytes) -> QueryError:
    """The error for any status but 200. headers: lower-case names. A busy server's `retry_in_s` is the client's."""
    if 300 <= status < 400:
        target = clean_label(headers.get("location", "").partition("?")[0], 100)
        return QueryError(f"{where} redirects to {target}: name that URL itself if you trust it", Failure.REDIRECT)
    refusal = _refusal(body)
    words = clean_label(refusal.error, _MAX_WORDS) if refusal else _plain_words(body)
    told = f"HTTP {status}" + (f": {words}" if words else "")
    if status in (401, 403):
        todo = "name user and password_file, token_file, or a tenant's header under [prometheus]"
        return QueryError(f"{where} wants a log-in ({told}); {todo}", Failure.LOGIN)
    if status == 404 and refusal is None:
        todo = "is the path prefix right? Mimir's is /prometheus, a VictoriaMetrics cluster's /select/0/prometheus"
        return QueryError(f"{where} has no query API there (HTTP 404): {todo}", Failure.NOT_FOUND)
    if refusal is not None and refusal.errorType in ("timeout", "canceled"):
        return QueryError(f"{where} gave the query up ({told}): ask for a shorter time or fewer hosts", Failure.TIMEOUT)
    if status in _BUSY:
        return QueryError(f"{where} is too busy ({told})", Failure.REFUSED)
    if refusal is not None:
        return QueryError(f"{where} refuses the query ({told})", Failure.REFUSED)
    todo = "a proxy may stand before it with nothing behind" if status >= 500 else "is this a Prometheus?"
    return QueryError(f"{where} answers {told}; {todo}", Failure.REFUSED)


def is_busy(status: int, error: QueryError) -> bool:
    """Whether the server as a whole wants fewer queries, and not only this one."""
    return status in _BUSY and error.failure is Failure.REFUSED


def no_reply(where: str, body: bytes, why: str) -> QueryError:
    """Status 200 with what is no reply of the API."""
    if body.lstrip()[:1] == b"<":
        words = _plain_words(body)
        what = f"answers with a web page{f' ({words})' if words else ''} instead of JSON"
        return QueryError(f"{where} {what}: does a proxy's log-in stand before it?", Failure.BAD_ANSWER)
    problem = f"{where} gives no reply that can be read ({clean_label(why, 100)}): is this a Prometheus?"
    return QueryError(problem, Failure.BAD_ANSWER)


def too_large(where: str, limit: int) -> QueryError:
    problem = f"{where} sends more than {limit >> 20} MiB: ask for fewer hosts or less time"
    return QueryError(problem, Failure.TOO_LARGE)


def retry_after_s(value: str, now: datetime | None = None) -> float | None:
    """Retry-After as seconds from now: a number of them, or a date. None: it is neither."""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:  # a date in "-0000" means UTC
        at = at.replace(tzinfo=UTC)
    return max((at - (now or datetime.now(UTC))).total_seconds(), 0.0)


def _refusal(body: bytes) -> _Refusal | None:
    try:
        return msgspec.json.decode(body, type=_Refusal)
    except (msgspec.DecodeError, RecursionError):
        return None


def _plain_words(body: bytes) -> str:
    """The title of a web page, else the first line of a text."""
    text = body[:4096].decode("utf-8", "replace").strip()
    if text.startswith("<"):
        title = _TITLE.search(text)
        text = title[1].strip() if title else ""
    return clean_label(text.partition("\n")[0].strip(), _MAX_WORDS)
