"""Every engine is read from two pages or more, every role moves in some engine, and docs/engines.md says the same."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from collectors.exposition import names_on
from collectors.readings import Layer, Moves
from collectors.vocabularies import VOCABULARIES, recognise
from collectors.vocabularies.vocabulary import Vocabulary
from tests.collectors.vocabularies.engine_table import (
    BEGIN,
    COUNTERS,
    DOCUMENT,
    ENGINES,
    GAUGES,
    HISTOGRAMS,
    NOT_ON_PAGE,
    PER_TOKEN,
    cells,
    document,
    documented,
    kind_of_pages,
)
from tests.collectors.vocabularies.two_readings import PAGES, engine_page

STALE = "docs/engines.md is not what is read: python -m tests.collectors.vocabularies.engine_table writes it anew"
WITHOUT_OUTPUT = {
    "TensorRT-LLM 1.1",
    "TEI",  # makes embeddings
    "Triton",
    "KServe",
    "Dynamo 1.6 worker, mocker",
    "Dynamo 1.6 prefill worker, mocker",
    "Dynamo 1.6 decode worker, mocker",
    "sglang-router 2025",
    "sglang-router 0.3.2, HTTP",
}

saved_pages = sorted(path.stem for path in (PAGES / "engines").glob("*.prom"))


# --- the document -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_every_cell_of_the_document_is_what_was_read(engine: str) -> None:
    assert documented().get(engine) == cells(engine), STALE


def test_the_document_is_as_it_is_made() -> None:
    text = DOCUMENT.read_text()
    assert text == document(text), STALE


def test_no_vocabulary_wants_what_the_document_says_is_never_read() -> None:
    section = DOCUMENT.read_text().partition("## What is never read")[2].partition(BEGIN)[0]
    names = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    patterns = [pattern for name in names for pattern in re.findall(r"`([^`]+)`", name)]
    assert "sglang:gen_throughput" in patterns
    wanted = {name for vocabulary in VOCABULARIES for name in vocabulary.wanted}
    assert not [name for name in wanted for pattern in patterns if fnmatchcase(name, pattern)]


# --- what moved ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [*COUNTERS, *HISTOGRAMS])
def test_every_counter_and_histogram_moves_in_some_engine(column: str) -> None:
    assert [engine for engine in ENGINES if cells(engine)[column].startswith("+")]


@pytest.mark.parametrize("kind", PER_TOKEN)
def test_every_kind_of_latency_per_token_moves_in_some_engine(kind: str) -> None:
    assert [engine for engine in ENGINES if f"{kind} +" in cells(engine)["per token, s"]]


@pytest.mark.parametrize("column", GAUGES)
def test_every_gauge_moves_in_some_engine(column: str) -> None:
    assert [engine for engine in ENGINES if "→" in cells(engine)[column]]


@pytest.mark.parametrize("column", ["model", "tenant", "tier", "role", "facts"])
def test_every_label_is_read_in_some_engine(column: str) -> None:
    assert {cells(engine)[column] for engine in ENGINES} - {NOT_ON_PAGE}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_counts_tokens_counted_some_between_its_pages(engine: str) -> None:
    prompt, output = cells(engine)["prompt"], cells(engine)["output"]
    assert (output == NOT_ON_PAGE) is (engine in WITHOUT_OUTPUT)
    assert output.startswith("+") or engine in WITHOUT_OUTPUT
    assert prompt.startswith("+") or (prompt == NOT_ON_PAGE and engine in WITHOUT_OUTPUT)


def test_nothing_falls_while_a_server_runs() -> None:
    assert not [cell for engine in ENGINES for cell in cells(engine).values() if "+-" in cell]


def test_every_layer_and_every_way_to_move_is_among_them() -> None:
    assert {cells(engine)["layer"] for engine in ENGINES} == set(Layer)
    assert {cells(engine)["moves"] for engine in ENGINES} == set(Moves)


# --- every vocabulary, every page ---------------------------------------------------------------------------------


@cache
def vocabulary_of(page: str) -> Vocabulary | None:
    return recognise(names_on(engine_page(page)))


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.engine)
def test_every_vocabulary_reads_two_different_pages(vocabulary: Vocabulary) -> None:
    mine = {page for pages in ENGINES.values() for page in pages if vocabulary_of(page) is vocabulary}
    assert len({engine_page(page) for page in mine}) >= 2


@pytest.mark.parametrize("engine", ENGINES)
def test_the_pages_of_a_row_are_of_one_vocabulary(engine: str) -> None:
    first, *others = (vocabulary_of(page) for page in ENGINES[engine])
    assert first is not None
    assert others
    assert all(other is first for other in others)


def test_every_saved_page_is_read_by_some_test() -> None:
    named = {page for pages in ENGINES.values() for page in pages}
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert not [page for page in saved_pages if page not in named and f'"{page}"' not in tests]


@pytest.mark.parametrize("page", saved_pages)
def test_the_index_says_where_every_page_comes_from(page: str) -> None:
    assert kind_of_pages().get(page) in {"REAL", "MOCK-ENGINE", "SYNTH", "WRITTEN", "DOC"}


def test_the_index_names_no_page_that_is_not_there() -> None:
    assert set(kind_of_pages()) <= {path.stem for path in PAGES.rglob("*.prom")}
