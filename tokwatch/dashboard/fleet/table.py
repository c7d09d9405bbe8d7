"""Table: the host list as tab-separated text for a spreadsheet, numbers as a machine reads them."""

from __future__ import annotations

from collections.abc import Iterator

from tokwatch.dashboard.arrange.table import as_number, number, text
from tokwatch.dashboard.fleet.host_fields import HOST_FIELDS, HostField
from tokwatch.dashboard.fleet.listing import HostListing
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, HostRow


def host_table(snapshot: FleetSnapshot, listing: HostListing) -> str:
    """All hosts that the filter keeps, in the order shown, those of closed groups too; unknown figures are empty."""
    fields = [HOST_FIELDS[key] for key in ("host", "state", *listing.view.columns) if key != "memory_bar"]
    lines = [[field.heading for field in fields]]
    lines += [list(_cells(row, fields, snapshot)) for row in listing.of(snapshot).hosts]
    return "".join("\t".join(line) + "\n" for line in lines)


def _cells(row: HostRow, fields: list[HostField], snapshot: FleetSnapshot) -> Iterator[str]:
    for field in fields:
        if field.figure:
            yield as_number(field.figure_of(row), share=field.share)
        elif field.rank is not None and field.key != "state":
            known = field.rank(row, snapshot)
            yield "" if known is None else number(float(known))
        else:
            yield text(field.text(row, snapshot)) if field.text else ""
