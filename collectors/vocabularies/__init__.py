"""Every known vocabulary, and the way from a page to a reading. A new engine is one file here and one line below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from collectors.exposition import samples_of, series_lines
from collectors.labels import clean_label
from collectors.readings import ServerFacts, ServerReading
from collectors.vocabularies.llama_cpp import LLAMA_CPP
from collectors.vocabularies.reader import read
from collectors.vocabularies.vllm import VLLM
from collectors.vocabularies.vocabulary import Vocabulary

VOCABULARIES: tuple[Vocabulary, ...] = (VLLM, LLAMA_CPP)  # the first that recognises a page reads it

START_HEADERS = frozenset(vocabulary.start_header for vocabulary in VOCABULARIES) - {""}


def recognise(names: frozenset[str]) -> Vocabulary | None:
    """The vocabulary of a page with these series names, by what is on the page and never by a version."""
    return next((vocabulary for vocabulary in VOCABULARIES if vocabulary.recognises(names)), None)


def read_page(
    page: bytes,
    server: ServerFacts,
    at_ns: int,
    *,
    headers: Mapping[str, str] | None = None,  # those of START_HEADERS that came with the page
    took_ms: int = 0,
) -> ServerReading:
    """The reading of one page; not ok where no engine is recognised. Raises ExpositionError on a page of no metrics."""
    lines = series_lines(page)
    names = frozenset(name for _, name, _ in lines)
    vocabulary = recognise(names)
    if vocabulary is None:
        some = clean_label(", ".join(sorted(names)[:3]), 120) or "no series"
        problem = f"{server.address}: a metrics page of no engine that tokwatch knows (it has {some})"
        return ServerReading(server, at_ns, ok=False, problem=problem, took_ms=took_ms, page_bytes=len(page))
    samples = samples_of(lines, vocabulary.wanted)
    if not server.engine:  # named in the config by its address alone
        server = replace(server, engine=vocabulary.engine)
    return read(vocabulary, samples, server, at_ns, headers=headers, took_ms=took_ms, page_bytes=len(page))
