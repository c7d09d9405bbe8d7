"""Hellos and reports of made-up hosts, in few words."""

from __future__ import annotations

from tokwatch.ledger.fleet.report import (
    FlowAbout,
    FlowReport,
    GpuAbout,
    GpuReport,
    Hello,
    Report,
    ServerAbout,
    ServerReport,
)

SERVING, PARKED = 4, 5


def hello(
    gpus: int = 2,
    *,
    run: str = "one",
    started_ms: int = 0,
    models: tuple[str, ...] = ("qwen",),
    elsewhere: int = 0,
    names: tuple[str, ...] = (),
) -> Hello:
    return Hello(
        1,
        "0.9",
        "box",
        run,
        started_ms,
        1.0,
        tuple(GpuAbout(place, name, "H100", 81_559) for place, name in enumerate(names or _names(gpus))),
        tuple(ServerAbout(f"127.0.0.1:{8000 + place}", "vllm", model) for place, model in enumerate(models)),
        tuple(FlowAbout(place, model, elsewhere=elsewhere) for place, model in enumerate(models)),
    )


def report(
    at_s: float,
    *,
    energy_j: float | None = 0.0,
    output: int | None = 0,
    gpus: int = 2,
    models: int = 1,
    state: int = SERVING,
    skew_ms: int = 0,
    watched_s: float | None = None,
) -> Report:
    """All GPUs stand at `energy_j`, all flows at `output`."""
    ms = round(1000 * at_s)
    energy_mj = None if energy_j is None else round(1000 * energy_j)
    watched_ms = ms if watched_s is None else round(1000 * watched_s)
    gpu = GpuReport(state, energy_mj, watched_ms, 500_000, 900, 70_000, 61, (0,) if models else ())
    prompt = None if output is None else 2 * output
    return Report(
        ms + skew_ms,
        watched_ms,
        (gpu,) * gpus,
        (ServerReport(True, 3, 1, 5000),) * models,
        (FlowReport(watched_ms, prompt, 0, output, output, 0, 0),) * models,
    )


def _names(gpus: int) -> tuple[str, ...]:
    return tuple(f"GPU-{place}" for place in range(gpus))
