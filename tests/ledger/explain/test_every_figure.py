"""No figure of a Snapshot is without an explanation, and none of those names something that does not exist."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator

import msgspec
import pytest

from tokwatch.ledger.explain.entry import explained, in_words, sibling
from tokwatch.ledger.explain.explained import Every
from tokwatch.ledger.explain.formula import formula
from tokwatch.ledger.explain.glossary import GLOSSARY
from tokwatch.ledger.explain.numbers import SUBJECTS
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.figure_path import PARTS, FigurePath
from tokwatch.ledger.snapshot import Snapshot

LISTS = {
    "gpus": "gpu",
    "servers": "server",
    "alerts": "alert",
    "deployments": "deployment",
}  # else as the part is named


def figures(of: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    """Fields that are figures, those of structs inside included, dotted."""
    for name, kind in typing.get_type_hints(of).items():
        if kind in (Figure, Interval):
            yield before + name
        elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from figures(kind, f"{before}{name}.")


def paths() -> Iterator[FigurePath]:
    """Every figure of the Snapshot, whichever row it is in."""
    for name, kind in typing.get_type_hints(Snapshot).items():
        part = LISTS.get(name, name)
        if kind in (Figure, Interval):
            yield FigurePath("snapshot", name)
            continue
        rows = [each for each in typing.get_args(kind) if each is not Ellipsis] if typing.get_origin(kind) else [kind]
        for row in rows:
            if isinstance(row, type) and not isinstance(row, types.GenericAlias) and issubclass(row, msgspec.Struct):
                for field in figures(row):
                    assert part in PARTS, f"{name} has figures and no part of a FigurePath"
                    yield FigurePath(part, field)


EVERY = list(paths())


def test_the_walk_finds_what_is_known_to_be_there() -> None:
    assert FigurePath("gpu", "tok_per_j") in EVERY
    assert FigurePath("server", "ttft_s.p99") in EVERY
    assert FigurePath("deployment", "economy.cost.rent") in EVERY
    assert FigurePath("snapshot", "strip_idle_usd") in EVERY
    assert {path.of for path in EVERY} == set(PARTS)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: f"{path.of}.{path.field}")
def test_every_figure_has_words_a_unit_a_meaning_and_a_formula(path: FigurePath) -> None:
    entry = explained(path)
    assert entry is not None, "a new figure wants an entry in tokwatch/ledger/explain/of_….py"
    assert entry.words
    assert entry.unit
    assert entry.means.endswith(".")
    assert entry.formula or entry.rule
    assert in_words(path)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: f"{path.of}.{path.field}")
def test_every_name_in_a_formula_stands_for_something(path: FigurePath) -> None:
    entry = explained(path)
    assert entry is not None
    names = formula(entry.formula).names if entry.formula else ()
    assert set(entry.terms) <= set(names)
    for name in names:
        term = entry.terms.get(name)
        if term is None:
            assert name in GLOSSARY
            assert hasattr(SUBJECTS[path.of], name), f"nothing tells {name} of a {path.of}"
        else:
            other = FigurePath(term.part, term.field) if isinstance(term, Every) else sibling(path, term)
            assert explained(other) is not None


def test_no_word_of_the_glossary_is_for_nothing() -> None:
    used = {
        name for path in EVERY if (entry := explained(path)) and entry.formula for name in formula(entry.formula).names
    }
    read = {role for path in EVERY if (entry := explained(path)) for role in entry.reads}
    plain = {"limit_mw", "made_tok_s", "sharing_gpus", "energy_j", "measured_s"}
    assert GLOSSARY.keys() - used - read <= plain
