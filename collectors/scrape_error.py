"""Why there is no page: the kinds of failure, and the words for those that do not depend on how it was asked for."""

from __future__ import annotations

import enum
import errno
import os
import socket

MAX_PAGE_BYTES = 8 * 2**20


class Failure(enum.StrEnum):
    """Why there is no page."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    REDIRECT = "redirect"
    LOGIN = "login"
    NOT_FOUND = "not found"
    REFUSED = "refused"  # any other status
    TOO_LARGE = "too large"
    BAD_ANSWER = "bad answer"
    SETTING = "setting"  # the URL or the credential cannot be used; nothing was sent


class ScrapeError(Exception):
    """No page came. The text says what happened, where and what to do, and holds no secret."""

    def __init__(self, problem: str, failure: Failure) -> None:
        super().__init__(problem)
        self.failure = failure


def unreachable(where: str, error: OSError) -> ScrapeError:
    """No connection. The error's own text is not used, it is Python's: "Connect call failed ('127.0.0.1', 18999)"."""
    if isinstance(error, socket.gaierror):
        why = "name not known"
    elif error.errno == errno.ECONNREFUSED:
        why = "connection refused"
    elif error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        why = "no route"
    else:
        why = "no connection" if error.errno is None else os.strerror(error.errno).lower()
    problem = f"{where} cannot be reached ({why}): is the server running, and is the address right?"
    return ScrapeError(problem, Failure.UNREACHABLE)


def no_answer(where: str) -> ScrapeError:
    return ScrapeError(f"{where} closed the connection without an answer", Failure.UNREACHABLE)


def bad_answer(where: str, why: str) -> ScrapeError:
    problem = f"{where} gives no HTTP answer that can be read ({why}): is this the right port?"
    return ScrapeError(problem, Failure.BAD_ANSWER)


def too_large(where: str) -> ScrapeError:
    return ScrapeError(f"{where} sends more than {MAX_PAGE_BYTES >> 20} MiB: not read", Failure.TOO_LARGE)
