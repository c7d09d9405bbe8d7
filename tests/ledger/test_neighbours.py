"""Which servers elsewhere a GPU is judged with: partners, replicas, and queues in which its requests may wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from collectors.readings import FlowReading, Layer, ServerReading
from tests.ledger.readings import page, server_facts
from tokwatch.ledger.roster import Neighbours, Roster


def neighbours(*pages: ServerReading) -> Neighbours:
    """Of the first one's GPU."""
    roster = Roster()
    roster.update([each.server for each in pages], pages)
    return roster.neighbours((pages[0].server.address,))


def serves(address: str, model: str = "big", **changes: Any) -> ServerReading:
    return page(0, FlowReading(model, output_tokens=1), facts=server_facts(address, **changes))


def test_replicas_are_engines_of_one_model() -> None:
    router = replace(serves("r:1"), layer=Layer.ROUTER)
    found = neighbours(serves("e:1"), serves("e:2"), serves("e:3", "small"), router)
    assert found == Neighbours(replicas=("e:2",), queues=("r:1",))


def test_a_server_of_another_user_is_no_replica() -> None:
    assert neighbours(serves("e:1"), serves("e:2", verified=False)).replicas == ()


def test_servers_that_the_config_keeps_apart_are_no_replicas_and_those_it_puts_together_are() -> None:
    assert neighbours(serves("e:1", deployment="chat"), serves("e:2", deployment="batch")).replicas == ()
    together = neighbours(serves("e:1", deployment="chat"), serves("e:2", deployment="chat"))
    assert together == Neighbours(replicas=("e:2",), queues=("e:2",))


def test_prefill_is_a_partner_of_decode_and_a_replica_of_other_prefill() -> None:
    found = neighbours(serves("p:1", role="prefill"), serves("p:2", role="prefill"), serves("d:1", role="decode"))
    assert found == Neighbours(partners=("d:1",), replicas=("p:2",), queues=("d:1", "p:2"))


def test_servers_on_one_gpu_are_not_their_own_neighbours() -> None:
    roster, pages = Roster(), [serves("e:1"), serves("e:2"), serves("e:3")]
    roster.update([each.server for each in pages], pages)
    assert roster.neighbours(("e:1", "e:2")).replicas == ("e:3",)
    roster.update([each.server for each in pages[:2]], ())
    assert roster.neighbours(("e:1", "e:2")).replicas == ()
