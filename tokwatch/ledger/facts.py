"""Facts of GPUs and servers as the ledger keeps them: readings → the bodies of `facts` events."""

from __future__ import annotations

from collectors.readings import UNNAMED, GpuReading, ServerReading
from tokwatch.ledger.bodies import GpuBody, ServerBody
from tokwatch.ledger.counting import Counting

MIB = 1 << 20


def gpu_body(reading: GpuReading) -> GpuBody:
    """What does not change while a GPU stays in its slot."""
    facts = reading.facts
    return GpuBody(
        index=facts.index,
        uuid=facts.uuid,
        name=facts.name,
        memory_total_mib=None if facts.memory_total_bytes is None else facts.memory_total_bytes // MIB,
        power_limit_mw=None if facts.power_limit_w is None else round(facts.power_limit_w * 1000),
        power_scope=facts.power_scope,
        driver=facts.driver_version,
        mig=facts.mig,
        meter=facts.meter,
        kind=facts.kind,
        mig_profiles=tuple(instance.profile for instance in reading.mig_instances),
    )


def server_body(reading: ServerReading, role: str, counted: Counting) -> ServerBody:
    """What does not change from scrape to scrape; what the page tells goes before the command line."""
    facts = reading.server
    named = {
        "tensor parallel": facts.tensor_parallel,
        "pipeline parallel": facts.pipeline_parallel,
        "data parallel": facts.data_parallel,
        "expert parallel": facts.expert_parallel,
        "precision": facts.precision,
        "speculation": facts.speculation,
        "role": role or None,
        **dict(reading.facts),
        "pid": facts.pid,
    }
    return ServerBody(
        address=facts.address,
        engine=facts.engine,
        model=next((flow.model for flow in reading.flows if flow.model != UNNAMED), facts.model or ""),
        owner=facts.owner or "",
        verified=facts.verified,
        moves=reading.moves.value,
        facts=tuple((name, str(value)) for name, value in named.items() if value is not None),
        used=reading.used,
        missing=reading.missing,
        layer=reading.layer.value,
        role=role,
        deployment=facts.deployment,
        counts=counted.words,
    )
