"""`[[capacity]]` and `[frontier]`: how much a deployment can do, what is fast and cheap enough, benchmarks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from tokwatch.ledger.capacity.capacity import DeclaredCapacity
from tokwatch.ledger.capacity.frontier import Box


class CapacitySection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[capacity]]`: what a deployment, or any that serves a model, makes within its SLO."""

    tok_s_per_gpu: float  # prompt (without cached) + output tokens a second, over all GPUs of the deployment
    source: str  # where that is from: "own benchmark of 2 November, 1k/1k"
    deployment: str = ""  # as named in [[servers]]
    model: str = ""

    def declared(self) -> DeclaredCapacity:
        """As the ledger knows it."""
        return DeclaredCapacity(self.tok_s_per_gpu, self.source, self.deployment, self.model)


class ReferenceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[frontier.references]]`: a file of benchmark results, and which of its rows."""

    file: str
    where: dict[str, str | int | float | bool] = {}  # a row's own columns and what they must be


class FrontierSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[frontier]`: the box of what is fast and cheap enough, and points to compare with."""

    tok_s_per_user_at_least: float | None = None
    usd_per_m_output_at_most: float | None = None
    references: tuple[ReferenceFile, ...] = ()

    def box(self) -> Box:
        """As the ledger knows it."""
        return Box(self.tok_s_per_user_at_least, self.usd_per_m_output_at_most)


def problems(capacity: Sequence[CapacitySection], frontier: FrontierSection) -> Iterator[tuple[str, str]]:
    """(path, message) of each figure that nothing can be measured against."""
    named: set[tuple[str, str]] = set()
    for i, section in enumerate(capacity):
        if bool(section.deployment) == bool(section.model):
            yield f"capacity[{i}]", "name either a deployment or a model"
        elif (section.deployment, section.model) in named:
            yield f"capacity[{i}]", f"{section.deployment or section.model!r} has a capacity already"
        named.add((section.deployment, section.model))
        if not 0 < section.tok_s_per_gpu < math.inf:
            yield f"capacity[{i}].tok_s_per_gpu", f"must be above 0, is {section.tok_s_per_gpu}"
        if not section.source.strip():
            yield f"capacity[{i}].source", "say where the figure is from: it is shown beside it"
    for key in ("tok_s_per_user_at_least", "usd_per_m_output_at_most"):
        limit = getattr(frontier, key)
        if limit is not None and not 0 < limit < math.inf:
            yield f"frontier.{key}", f"must be above 0, is {limit}"
    for i, reference in enumerate(frontier.references):
        if not reference.file.startswith(("/", "~/")):
            yield f"frontier.references[{i}].file", "write the whole path: /… or ~/…"
