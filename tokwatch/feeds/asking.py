"""Asking: questions to the stored past, one after the other, in a thread of their own beside replay's."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

from tokwatch.feeds.history import History
from tokwatch.feeds.question import Question, TakenBack

Answer = TypeVar("Answer")


class Asking:
    """Opens its own History at the first question, so that a long one holds up neither replay nor the recorder."""

    def __init__(
        self, open_history: Callable[[], History], reading: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """reading: entered around whatever touches the store; it may turn errors into others."""
        self._open_history = open_history
        self._reading = reading
        self._thread = ThreadPoolExecutor(1, "tokwatch-asking")
        self._history: History | None = None
        self._closed = False

    async def ask(self, question: Question[Answer], supposed: float | None) -> Answer:
        """The answer, at a supposed price of a GPU hour where one is given.

        Cancelling the waiting task ends the reading, so that the next question does not wait for this one.
        """
        taken_back = False

        def is_taken_back() -> bool:
            return taken_back or self._closed

        def answer() -> Answer:
            if is_taken_back():
                raise TakenBack
            with self._reading():
                try:
                    past = self._past(is_taken_back)
                    if past.supposed != supposed:
                        past.suppose_price(supposed)
                    return question.answer(past)
                except sqlite3.OperationalError:
                    if is_taken_back():  # given up: whatever it says, nobody reads it
                        raise TakenBack from None
                    raise

        waiting = asyncio.get_running_loop().run_in_executor(self._thread, answer)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            taken_back = True
            waiting.add_done_callback(_let_be)
            raise

    def _past(self, is_taken_back: Callable[[], bool]) -> History:
        """As it is now, read until nobody waits."""
        if self._history is None:
            self._history = self._open_history()
        self._history.give_up_when(is_taken_back)
        self._history.refresh()
        return self._history

    async def close(self) -> None:
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._let_go)
        self._thread.shutdown(wait=False)

    def _let_go(self) -> None:
        if self._history is not None:
            self._history.close()


def _let_be(waiting: asyncio.Future[Answer]) -> None:
    """Takes note of a failure that nobody waits for, so that asyncio does not report it."""
    if not waiting.cancelled():
        waiting.exception()
