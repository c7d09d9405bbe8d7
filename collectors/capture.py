"""A directory of captured pages as a transport: `<unix-ms>.prom`, each named by the moment its scrape was sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from collectors.exposition import ExpositionError, names_on
from collectors.labels import clean_label
from collectors.readings import ServerFacts, ServerReading
from collectors.scrape_error import MAX_PAGE_BYTES
from collectors.vocabularies import read_page, recognise

_SUFFIX = ".prom"


def read_capture(directory: Path) -> Iterator[tuple[int, bytes]]:
    """(Unix ms at which the scrape was sent, page), oldest first. Files of other kinds are passed over.

    Raises ValueError on a `.prom` file whose name is no number or that is larger than any page that is scraped.
    """
    for sent_ms, path in _pages(directory):
        if path.stat().st_size > MAX_PAGE_BYTES:
            raise ValueError(f"{path}: larger than {MAX_PAGE_BYTES >> 20} MiB, which no scrape gives")
        yield sent_ms, path.read_bytes()


def captured_server(directory: Path) -> ServerFacts:
    """The server a capture is of: named after the directory, its engine by the first page."""
    for _, page in read_capture(directory):
        vocabulary = recognise(names_on(page))
        return ServerFacts(clean_label(directory.name), vocabulary.engine if vocabulary else "unknown", origin="config")
    raise ValueError(f"{directory}: no captured page (<unix-ms>{_SUFFIX}) in it")


def capture_readings(directory: Path, server: ServerFacts | None = None) -> Iterator[ServerReading]:
    """The readings of `server`, else of `captured_server`; `at_ns` is the file's name in nanoseconds."""
    server = server or captured_server(directory)
    for sent_ms, page in read_capture(directory):
        at_ns = sent_ms * 1_000_000
        try:
            yield read_page(page, server, at_ns)
        except ExpositionError as error:
            problem = f"{sent_ms}{_SUFFIX}: {error}"
            yield ServerReading(server, at_ns, ok=False, problem=problem, page_bytes=len(page))


def content_digest(directory: Path) -> str:
    """SHA-256 (hex) over names and contents of the pages: equal for equal captures, wherever they lie."""
    digest = hashlib.sha256()
    for sent_ms, page in read_capture(directory):
        digest.update(b"%d %d\n" % (sent_ms, len(page)))
        digest.update(page)
    return digest.hexdigest()


def _pages(directory: Path) -> list[tuple[int, Path]]:
    pages = []
    for path in directory.glob(f"*{_SUFFIX}"):
        if not (path.stem.isascii() and path.stem.isdigit()):
            raise ValueError(f"{path}: a captured page is named by Unix milliseconds, like 1795198792826{_SUFFIX}")
        pages.append((int(path.stem), path))
    return sorted(pages)
