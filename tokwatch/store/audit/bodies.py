"""What is stored as JSON or packed can be read by whoever owns it, and what it names is there."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import msgspec

from collectors.labels import clean_label
from tokwatch.ledger.bodies import FloorBody
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.view import BODY_TYPES
from tokwatch.store.audit.finding import Faults, Finding, amount, utc
from tokwatch.store.audit.subject import Subject
from tokwatch.store.errors import StoreError
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.mutes import read_mutes

_TYPES: Final[dict[str, dict[str, type[msgspec.Struct]]]] = {**BODY_TYPES, "floor": {"gpu": FloorBody}}
_ROLLED_FLOWS: Final = ("flow_quarter", "flow_elsewhere_quarter", "flow_minute", "flow_elsewhere_minute")


def check_bodies(subject: Subject) -> Iterator[Finding]:
    yield _entities(subject)
    yield _events(subject)
    yield _told(subject.connection)
    yield _edges(subject.connection)
    yield _histograms(subject.connection, subject.codec)
    yield _sessions(subject)


def _entities(subject: Subject) -> Finding:
    faults = Faults("store.entities")
    for entity in subject.entities.values():
        if entity.parent and entity.parent not in subject.entities:
            faults.add(f"{subject.name(entity.id)} belongs to entity {entity.parent}, which is not there")
    return faults.finding(f"{len(subject.entities)} entities, each with what it belongs to")


def _events(subject: Subject) -> Finding:
    faults = Faults("events.bodies")
    unknown: Counter[str] = Counter()
    count = 0
    for tick_ms, entity, kind, key, body, run in subject.connection.execute(
        "SELECT tick_ms, entity, kind, key, body, run FROM event"
    ):
        count += 1
        where = f"{kind} of {subject.name(entity) if entity else 'the store'} at {utc(tick_ms)}"
        if entity and entity not in subject.entities:
            faults.add(f"{where}: there is no such entity")
            continue
        if run and run not in subject.runs:
            faults.add(f"{where}: there is no run {run}")
        body_type = _TYPES.get(kind, {}).get(subject.entities[entity].kind if entity else "")
        if body_type is None:
            unknown[clean_label(kind)] += 1
            continue
        try:
            msgspec.json.decode(body, type=body_type)
        except msgspec.MsgspecError as error:
            faults.add(f"{where}{f' ({key})' if key else ''} cannot be read: {error}")
    well = f"{amount(count, 'event')}, each of which its owner can read"
    if unknown and not faults.count:
        return Finding(
            "events.bodies",
            "warn",
            f"{amount(count, 'event')}, of which this tokwatch knows nothing of: {', '.join(sorted(unknown))}",
            "a newer tokwatch wrote them",
        )
    return faults.finding(well)


def _told(connection: sqlite3.Connection) -> Finding:
    """What people told the store: prices, closed months, mutes."""
    faults = Faults("prices.bodies")
    versions = set()
    for number, book in connection.execute("SELECT id, book FROM price_version"):
        versions.add(number)
        try:
            msgspec.json.decode(book, type=Prices)
        except msgspec.MsgspecError as error:
            faults.add(f"price version {number} cannot be read: {error}")
    closed = connection.execute("SELECT month, last_version FROM price_close").fetchall()
    for month, last_version in closed:
        if last_version and last_version not in versions:
            faults.add(f"{month} was closed with price version {last_version}, which is not there")
    mutes = 0
    try:
        mutes = len(read_mutes(connection))
    except msgspec.MsgspecError as error:
        faults.add(f"a mute cannot be read: {error}")
    return faults.finding(
        f"{amount(len(versions), 'price version')}, {amount(len(closed), 'closed month')}, {amount(mutes, 'mute')}"
    )


def _edges(connection: sqlite3.Connection) -> Finding:
    faults = Faults("histograms.edges")
    count = 0
    for number, name, edges in connection.execute("SELECT id, name, edges FROM histogram_edges"):
        count += 1
        try:
            values = msgspec.json.decode(edges, type=list[float])
        except msgspec.MsgspecError as error:
            faults.add(f"edges {number} of {name} cannot be read: {error}")
        else:
            if not values or any(a >= b for a, b in pairwise(values)):
                faults.add(f"edges {number} of {name} do not rise")
    return faults.finding(f"{amount(count, 'set')} of edges")


def _histograms(connection: sqlite3.Connection, codec: HistogramCodec) -> Finding:
    """Those of sums; entries' are read with the entries."""
    faults = Faults("histograms.sums")
    count = 0
    for table in _ROLLED_FLOWS:
        grain = "quarter_ms" if table.endswith("quarter") else "minute_ms"
        for start_ms, entity, blob in connection.execute(
            f"SELECT {grain}, entity, histograms FROM {table} WHERE histograms IS NOT NULL"
        ):
            count += 1
            try:
                codec.unpack(blob)
            except StoreError as error:
                faults.add(f"{table} of {utc(start_ms)}, entity {entity}: {error}")
    return faults.finding(f"{amount(count, 'row')} of sums, each of which can be read")


def _sessions(subject: Subject) -> Finding:
    faults = Faults("sessions.runs", "name the range anew with `tokwatch sessions`")
    count = 0
    for name, runs, from_ms, to_ms in subject.connection.execute("SELECT name, runs, from_ms, to_ms FROM session"):
        count += 1
        try:
            numbers = msgspec.json.decode(runs, type=list[int])
        except msgspec.MsgspecError as error:
            faults.add(f"{json.dumps(name)} cannot be read: {error}")
            continue
        if missing := [number for number in numbers if number not in subject.runs]:
            faults.add(f"{json.dumps(name)} names {amount(len(missing), 'run')} that are not there")
        if not from_ms < to_ms:
            faults.add(f"{json.dumps(name)} ends before it begins")
    return faults.finding(amount(count, "named range"))
