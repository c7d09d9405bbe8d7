"""Groups: hosts that belong together, as one row each. Sums first, divided last; all hosts are one group too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tokwatch.ledger.entries import State
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import unknown
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, GroupRow, HostRow
from tokwatch.ledger.fleet.sums import NO_HOST, Pairs, added, per_joule, per_million

GROUPINGS: Final = ("region", "cluster", "site", "model", "state")
ALL: Final = "all"
DOWN: Final = "down"
_NOTHING: Final = Figure(0.0)


def grouped(snapshot: FleetSnapshot, by: str) -> tuple[GroupRow, ...]:
    """One row a group, in the order of their names; what a host does not tell is "(no region)" and the like, last.

    A host with several models is in the group of all of them together, so that every sum over the groups is the total.
    """
    sites = {row.name: row for row in snapshot.sites} if by == "site" else {}
    return tuple(
        sites.get(name) or group_row(by, name, rows, snapshot.window_s)
        for name, rows in members(snapshot.hosts, by).items()
    )


def members(hosts: Iterable[HostRow], by: str) -> dict[str, list[HostRow]]:
    """The hosts of each group, by its name."""
    found: dict[str, list[HostRow]] = {}
    for row in hosts:
        found.setdefault(group_of(row, by), []).append(row)
    return dict(sorted(found.items(), key=lambda item: (item[0].startswith("("), item[0])))


def group_of(row: HostRow, by: str) -> str:
    """The name of the group that a host is in."""
    if by == "model":
        return " + ".join(row.models) or "(no model)"
    if by == "state":
        return State(row.state).name.lower().replace("_", " ") if row.up else DOWN
    name: str = getattr(row, by)
    return name or f"(no {by})"


def group_row(by: str, name: str, rows: Sequence[HostRow], window_s: float) -> GroupRow:
    """The sums of some hosts. A host without a server has its watts and dollars and no tokens: all of them belong to
    what the tokens cost."""
    serving = [row for row in rows if _tells_tokens(row)]
    why = rows[0].tok_s.why if rows else NO_HOST

    def against(field: str) -> Pairs:
        if not serving:
            return [(unknown(why), getattr(row, field)) for row in rows]
        return [(row.tok_s if _tells_tokens(row) else _NOTHING, getattr(row, field)) for row in rows]

    return GroupRow(
        by=by,
        name=name,
        hosts=len(rows),
        hosts_down=sum(not row.up for row in rows),
        gpus=sum(row.gpus or 0 for row in rows),
        gpus_idle=sum(row.gpus_idle for row in rows),
        tok_s=added(row.tok_s for row in serving) if serving else unknown(why),
        tok_per_j=per_joule(against("power_w"), window_s, estimated=any("est" in row.tok_per_j.marks for row in rows)),
        power_w=added(row.power_w for row in rows),
        facility_w=added(row.facility_w for row in rows),
        usd_per_hour=added(row.usd_per_hour for row in rows),
        usd_per_m_output=per_million(against("usd_per_hour"), window_s),
        idle_usd_per_hour=added(row.idle_usd_per_hour for row in rows),
    )


def _tells_tokens(row: HostRow) -> bool:
    """It has a server, or it is not known whether; a host that has none is no gap in a sum of tokens."""
    return bool(row.models) or not row.up
