"""What each column of sealed rows takes when it is packed alone: where a better codec would pay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bench.history.report import table
from tokwatch.ledger.entries import TickRecord
from tokwatch.store.columns import pack

_WINDOW = 600  # ticks


def print_column_costs(records: Sequence[TickRecord]) -> None:
    """Bytes a row, by kind and column, of the windows of these ticks; histograms by bucket counts and sums."""
    packed: dict[tuple[str, str], int] = defaultdict(int)
    rows: dict[str, int] = defaultdict(int)
    for first in range(0, len(records), _WINDOW):
        for (kind, _), columns in _columns(records[first : first + _WINDOW]).items():
            rows[kind] += max(map(len, columns.values()))
            for name, column in columns.items():
                part = name.partition(" ")[0]  # buckets of one histogram together
                packed[kind, part] += len(pack([column]))
    ordered = sorted(packed.items(), key=lambda each: -each[1])
    table(
        ("column, packed alone", "bytes/row"),
        [(f"{kind} {name}", f"{bytes_ / rows[kind]:.2f}") for (kind, name), bytes_ in ordered if bytes_],
    )


def _columns(records: Sequence[TickRecord]) -> dict[tuple[str, int], dict[str, list[int | None]]]:
    """Columns of each entity in a window."""
    found: dict[tuple[str, int], dict[str, list[int | None]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        for kind, entries in (
            ("gpu", record.gpus), ("server", record.servers), ("flow", record.flows), ("host", record.hosts)
        ):  # fmt: skip
            for entry in entries:
                columns = found[kind, entry.entity]
                columns["t1"].append(entry.t1_ms - record.tick.tick_ms)
                columns["length"].append(entry.t1_ms - entry.t0_ms)
                for name in entry.__struct_fields__[3:]:
                    if name != "histograms":
                        value = getattr(entry, name)
                        columns[name].append(None if value is None else int(value))
        for flow in record.flows:
            columns = found["flow", flow.entity]
            for histogram in flow.histograms:
                columns[f"{histogram.name}.sum"].append(histogram.sum_us)
                for bucket, count in enumerate(histogram.counts):
                    columns[f"{histogram.name}.buckets {bucket}"].append(count)
    return found
