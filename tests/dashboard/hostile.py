"""Text that attacks whoever displays it: terminal sequences, markup, bidi, width tricks."""

from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard.snapshots import ALERTS, BOX, SERVERS
from tokwatch.ledger.snapshot import Figure, GpuWarning, Interval, ProbeRow, Snapshot

HOSTILE = (
    "\x1b]0;evil\x07",
    "\x1b[2J\x1b[31m",
    "\x9d0;evil\x9c",
    "\x9b2J",
    "\x90q\x9c",
    "[@click=app.quit]x[/]",
    "[red]red[/red]",
    "a[/b]",
    "abc\u202edcb\u2066",
    "zero\u200b\u200d\u2060width\ufe0f",
    "\r\n\t\b\x00\x7f",
    "\u2028line\u2029",
    "模型模型模型模型模型模型模型",
    "🤖👩‍🚀🇩🇪👍🏽",
    "Z\u0301\u0301\u0301\u0301algo",
    "\ud800lone",
    "x" * 10_000,
    "\U000e0041\ufeff\xad",
)
ALL = " ".join(text[:40] for text in HOSTILE)


def hostile_box() -> Snapshot:
    """A box whose every text attacks, as if nobody had cleaned it at the door."""

    def text(number: int) -> str:
        return HOSTILE[number % len(HOSTILE)]

    gpus = tuple(
        replace(
            BOX.gpus[i % 8],
            index=i,
            entity=10 + i,
            serves=value,
            name=value,
            note=value,
            state=value,
            meter=value,
            kind=value,
            power_scope=value,
            throttle=(value,),
            mig=(value, value),
            xid=value,
            xid_at_ms=BOX.tick_ms,
            warnings=(GpuWarning(value),),
            tensor_activity=Figure(None, value),
        )
        for i, value in enumerate(HOSTILE)
    )
    return replace(
        BOX,
        host=ALL,
        hardware=text(0),
        engines=((text(1), 1), (text(5), 2)),
        price=ALL,
        currency=text(5),
        gpus=gpus,
        alerts=tuple(replace(alert, text=ALL, state=text(i)) for i, alert in enumerate(ALERTS)),
        servers=tuple(
            replace(
                server,
                address=text(i),
                engine=text(i + 3),
                model=ALL,
                problem=ALL,
                owner=text(i + 5),
                layer=text(i + 6),
                role=text(i + 7),
                deployment=ALL,
                counts=ALL,
                per_token=ALL,
                slo=ALL,
                slo_met=Interval(None, None, ALL),
                facts=((text(i), ALL),),
                verified=False,
                used=HOSTILE,
                missing=tuple((value, value) for value in HOSTILE),
            )
            for i, server in enumerate(SERVERS)
        ),
        probes=tuple(ProbeRow(value, False, value, value) for value in HOSTILE),
        problems=(ALL,),
    )
