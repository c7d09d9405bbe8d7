"""`[slo]`: the limits that a useful request meets."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from tokwatch.ledger.mlperf import PRESETS
from tokwatch.ledger.slo import Slo


class SloLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits that a request must meet to be useful: a preset's, and in its place what is written beside it."""

    preset: str = ""  # "mlperf-server:llama-3.1-8b"
    ttft_s: float | None = None
    tpot_s: float | None = None
    e2e_s: float | None = None
    target: float | None = None  # share of requests that must meet them, 0.99 unless told

    def slo(self) -> Slo:
        """The limits in force."""
        written = {key: getattr(self, key) for key in Slo.__struct_fields__}
        told = {key: value for key, value in written.items() if value is not None}
        return msgspec.structs.replace(PRESETS[self.preset] if self.preset else Slo(), **told)


class SloSection(SloLimits, frozen=True, forbid_unknown_fields=True):
    """`[slo]`: the limits of every request, or by `[slo.models."NAME"]` those of a model's."""

    models: dict[str, SloLimits] = {}


def problems(section: SloSection) -> Iterator[tuple[str, str]]:
    """(path, message) of each limit that no request could be measured against."""
    yield from _of_limits("slo", section)
    for model, limits in section.models.items():
        yield from _of_limits(f'slo.models."{model}"', limits)


def _of_limits(where: str, limits: SloLimits) -> Iterator[tuple[str, str]]:
    if limits.preset and limits.preset not in PRESETS:
        yield f"{where}.preset", f'there is no "{limits.preset}": the presets are {", ".join(sorted(PRESETS))}'
    for key, limit_s in (("ttft_s", limits.ttft_s), ("tpot_s", limits.tpot_s), ("e2e_s", limits.e2e_s)):
        if limit_s is not None and not 0 < limit_s < math.inf:
            yield f"{where}.{key}", f"must be above 0, is {limit_s}"
    if limits.target is not None and not 0 < limits.target <= 1:
        yield f"{where}.target", f"must be a share above 0 and up to 1, is {limits.target}"
