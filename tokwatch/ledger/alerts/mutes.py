"""Mutes: what a user does not want to be told of for a while, and why. Muted alerts go on, and so do their dollars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec


class Subject(NamedTuple):
    """What an alert is about, as a mute matches it: a GPU, else what a figure is of."""

    host: str
    gpu: int | None = None  # index
    uuid: str | None = None
    models: tuple[str, ...] = ()  # served on it


class Mute(msgspec.Struct, frozen=True, kw_only=True):
    """All of what is named must fit; "" fits everything. In force in [made_ms, until_ms)."""

    id: int = 0  # given by the store
    made_ms: int
    until_ms: int
    reason: str
    by: str = ""  # user
    state: str = ""  # of a GPU, or the name of a rule: the alert's key
    gpu: str = ""  # index or UUID
    host: str = ""
    model: str = ""

    def in_force(self, now_ms: int) -> bool:
        return self.made_ms <= now_ms < self.until_ms

    def covers(self, key: str, subject: Subject) -> bool:
        """Whether it mutes the alert of this key as far as it is about the subject."""
        return (
            self.state in ("", key)
            and (not self.gpu or self.gpu == subject.uuid or (subject.gpu is not None and self.gpu == str(subject.gpu)))
            and self.host in ("", subject.host)
            and (not self.model or self.model in subject.models)
        )

    def __str__(self) -> str:
        named = (("state", self.state), ("gpu", self.gpu), ("host", self.host), ("model", self.model))
        return " ".join(f"{key}={value}" for key, value in named if value)


def covering(mutes: Iterable[Mute], key: str, subject: Subject, now_ms: int) -> Mute | None:
    """The mute in force that holds longest of those that cover it."""
    found = [mute for mute in mutes if mute.in_force(now_ms) and mute.covers(key, subject)]
    return max(found, key=lambda mute: (mute.until_ms, mute.id), default=None)
