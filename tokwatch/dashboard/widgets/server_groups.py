"""Server groups: the servers of a Snapshot by deployment, and those that are in none, in the order of the list."""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.ledger.money.shapes import DeploymentRow
from tokwatch.ledger.snapshot import ServerRow, Snapshot


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """Servers that stand together under one line."""

    name: str
    about: str  # what is to be known of all of them, beside the name
    servers: tuple[ServerRow, ...]
    deployment: DeploymentRow | None = None  # whose figures stand in the line


def server_groups(snapshot: Snapshot) -> tuple[ServerGroup, ...]:
    """Deployments in the Snapshot's order; then routers and gateways, servers on no GPU, and other users' ones."""
    rows = {row.entity: row for row in snapshot.servers}
    groups: list[ServerGroup] = []
    for deployment in snapshot.deployments:
        members = tuple(rows.pop(entity) for entity in deployment.servers if entity in rows)
        if members:
            groups.append(ServerGroup(deployment.name, "", members, deployment))
    left = tuple(rows.values())
    ours = tuple(row for row in left if row.verified)
    engines = tuple(row for row in ours if row.layer == "engine")
    nowhere = "in no deployment" if any(row.gpus for row in engines) else f"on no {snapshot.device}"
    for name, about, members in (
        ("routers and gateways", "before the servers above", tuple(row for row in ours if row.layer != "engine")),
        (nowhere, "", engines),
        ("other users'", "not in the money until accepted in the config", tuple(r for r in left if not r.verified)),
    ):
        if members:
            groups.append(ServerGroup(f"({name})", about, members))
    return tuple(groups)
