"""Table: the list as tab-separated text for a spreadsheet, headings with units first, what it adds up to last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tokwatch.dashboard import formats
from tokwatch.dashboard.arrange.fields import FIELDS, GpuField, state_word
from tokwatch.dashboard.arrange.site import Site
from tokwatch.dashboard.arrange.view import Group, Item, Listing
from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.layout import ALWAYS
from tokwatch.ledger.marks import SCOPES
from tokwatch.ledger.selection import Selection
from tokwatch.ledger.snapshot import Figure, GpuRow, Snapshot, Totals

# With what the screen has no room to say.
_UNITS: Final[Mapping[str, str]] = {
    "tok_s": "OUTPUT TOK/S",
    "idle_usd": "IDLE $ TODAY",
    "memory": "MEM GiB",
    "temperature": "TEMPERATURE °C",
}


def heading_of(key: str, snapshot: Snapshot | None) -> str:
    """What stands above a column: whose watts, and which money."""
    if snapshot and key == "gpu":
        return snapshot.device.upper()
    if snapshot and key == "power" and (scope := SCOPES.get(snapshot.power_scope)):
        return scope.sign
    return in_currency(FIELDS[key].heading, snapshot)


def in_currency(heading: str, snapshot: Snapshot | None) -> str:
    """With the sign of the money that is on screen."""
    return heading.replace("$", formats.currency_sign(snapshot.currency).strip()) if snapshot else heading


def table(snapshot: Snapshot, listing: Listing) -> str:
    """All rows of the arranged list, not only those in sight; numbers as a machine reads them, unknown ones empty.

    The marks of figures stand in a last column, where there are any.
    """
    shown = listing.of(snapshot)
    site = Site(snapshot)
    fields = [FIELDS[key] for key in (*ALWAYS, *listing.view.columns)]
    fields = [field for field in fields if field.figure or field.text]
    headings = [
        _heading(field, snapshot) for field in fields[:2]
    ] + ["IN STATE s"] + [_heading(field, snapshot) for field in fields[2:]]  # fmt: skip
    rows = [[*_cells(item, fields, site), _marks(item, fields)] for item in shown.items]
    sums = shown.sums or snapshot.totals
    words = f"{sums.gpus} of {shown.of} shown" if shown.sums else f"all {sums.gpus}"
    rows.append([*_sums(words, sums, fields), ""])
    marked = any(row[-1] for row in rows)
    lines = [[*headings, "MARKS"], *rows]
    return "".join("\t".join(line if marked else line[:-1]) + "\n" for line in lines)


def _heading(field: GpuField, snapshot: Snapshot) -> str:
    return in_currency(_UNITS.get(field.key) or heading_of(field.key, snapshot), snapshot)


def _cells(item: Item, fields: list[GpuField], site: Site) -> Iterator[str]:
    if isinstance(item, Group):
        yield from _sums(f"{item.name} ({item.sums.gpus})", item.sums, fields)
        return
    for field in fields:
        if field.key == "state":
            yield state_word(item)
            yield number(site.state_s(item))
        elif field.text is not None:
            yield text(field.text(item, site))
        else:
            yield as_number(field.figure_of(item), share=field.share)


def _sums(name: str, sums: Totals | Selection, fields: list[GpuField]) -> Iterator[str]:
    """The name stands in the column of states; every sum in the column of what it is the sum of."""
    for field in fields:
        if field.key == "state":
            yield text(name)
        found = getattr(sums, field.figure, None) if field.figure else None
        yield as_number(found) if isinstance(found, Figure) else ""


def _marks(item: Item, fields: list[GpuField]) -> str:
    if not isinstance(item, GpuRow):
        return ""
    told = ((field, field.figure_of(item).marks) for field in fields if field.figure)
    return "; ".join(f"{field.heading}: {', '.join(marks)}" for field, marks in told if marks)


def as_number(figure: Figure, *, share: bool = False) -> str:
    """A figure as a machine reads it; a share in per cent."""
    if figure.infinite:
        return "inf"
    return "" if figure.value is None else number(figure.value * (100 if share else 1))


def number(value: float) -> str:
    """Up to six decimals, none that say nothing, and no thousands apart."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def text(value: str) -> str:
    """Of data: no tab, no line end, and nothing at its beginning that a spreadsheet takes for a formula."""
    clean = plain(value)
    return f"'{clean}" if clean[:1] in ("=", "+", "-", "@") else clean
