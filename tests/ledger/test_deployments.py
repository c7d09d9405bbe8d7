"""Which servers are one deployment, and which only look like it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import UNNAMED, FlowReading, Layer, Moves, ServerFacts, ServerReading
from tests.ledger.readings import page, server_facts
from tests.ledger.test_counting import WATCHED, configured, engine, router
from tokwatch.ledger.deployments import Watched, deployments, members_of, partners, with_roles


def worker(address: str, **changes: Any) -> Watched:
    """An engine without a metrics page."""
    without = replace(engine(address, counts_tokens=False, read=False), **changes)
    return configured(without, metrics_url=None)


def test_servers_of_one_name_are_one_deployment_whatever_they_serve() -> None:
    named = [configured(engine(address, model=address), deployment="prod") for address in ("b:1", "a:1")]
    assert deployments([*named, engine("c:1")]) == (("a:1", "b:1"),)


def test_prefill_and_decode_servers_of_one_model_are_one_deployment() -> None:
    pair = [engine("p:1", role="prefill"), engine("p:2", role="prefill"), engine("d:1", role="decode")]
    assert deployments([*pair, engine("e:1")]) == (("d:1", "p:1", "p:2"),)


def test_roles_of_different_models_and_halves_alone_are_none() -> None:
    assert deployments([engine("p:1", role="prefill"), engine("d:1", role="decode", model="llama")]) == ()
    assert deployments([engine("p:1", role="prefill"), engine("p:2", role="prefill")]) == ()
    assert deployments([engine("p:1", role="prefill", model=""), engine("d:1", role="decode", model="")]) == ()


def test_a_router_and_the_engines_that_leave_counting_to_it_are_one_deployment() -> None:
    assert deployments([router(), worker("w:1"), worker("w:2")]) == (("r:1", "w:1", "w:2"),)


def test_replicas_that_count_their_own_tokens_stay_apart_behind_a_router() -> None:
    assert deployments([router(), engine("e:1"), engine("e:2")]) == ()


def test_a_router_before_engines_of_several_models_joins_none_of_them() -> None:
    assert deployments([router(), worker("w:1"), worker("w:2", model="llama")]) == ()


def test_an_engine_that_two_routers_may_front_is_nobodys() -> None:
    assert deployments([router("r:1"), router("r:2"), worker("w:1")]) == ()


def test_prefill_waits_for_decode_and_a_replica_for_nobody() -> None:
    prefill, decode, other = (engine(a, role=r) for a, r in (("p", "prefill"), ("d", "decode"), ("p2", "prefill")))
    assert partners(prefill, (prefill, decode, other)) == [decode]
    assert partners(decode, (prefill, decode, other)) == [prefill, other]
    assert partners(engine("e:1"), (engine("e:1"), engine("e:2"))) == []
    assert partners(worker("w:1"), (router(), worker("w:1"), worker("w:2"))) == [router()]


def test_a_page_tells_model_and_role_and_the_config_goes_before_it() -> None:
    facts = server_facts(model=None)
    flows = (FlowReading(UNNAMED), FlowReading("qwen", role="decode", output_tokens=0))
    told = Watched.by_page(page(0, *flows, facts=facts, layer=Layer.ENGINE))
    assert (told.model, told.role, told.counts_tokens, told.never_counts) == ("qwen", "decode", True, False)
    assert Watched.by_page(page(0, *flows, facts=replace(facts, role="prefill"))).role == "prefill"
    assert Watched.unread(ServerFacts("a:1", "vllm", metrics_url="http")).never_counts is False


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"moves": Moves.NONE}, False),
        ({"layer": Layer.ROUTER}, False),  # it passes answers on without looking into them
        ({"missing": (("ttft", "latencies"),)}, False),  # embeddings: there is no such role
    ],
)
def test_an_engine_whose_counter_comes_with_the_first_token_counts_and_a_router_does_not(
    changes: dict[str, Any], counts: bool
) -> None:
    bare = ServerReading(server_facts(), 0, True, moves=Moves.LIVE, missing=(("output_tokens", "output tokens"),))
    assert Watched.by_page(replace(bare, **changes)).counts_tokens is counts


def test_dynamos_backend_decodes_beside_a_prefill_worker_of_its_namespace_and_does_both_without() -> None:
    prefill = engine("p:1", "dynamo-worker", role="prefill", model="", namespace="ns")
    backend = engine("b:1", "dynamo-worker", namespace="ns")
    assert [server.role for server in with_roles([prefill, backend])] == ["prefill", "decode"]
    assert deployments(with_roles([prefill, backend])) == (("b:1", "p:1"),)
    assert with_roles([backend]) == (backend,)
    elsewhere = replace(backend, namespace="other")
    assert with_roles([prefill, elsewhere]) == (prefill, elsewhere)


def test_a_namespace_of_several_models_says_nothing_of_who_decodes_for_whom() -> None:
    prefill = engine("p:1", "dynamo-worker", role="prefill", model="", namespace="ns")
    backends = [engine(f"{model}:1", "dynamo-worker", model=model, namespace="ns") for model in ("a", "b")]
    assert with_roles([prefill, *backends]) == (prefill, *backends)


@given(st.lists(WATCHED, max_size=7, unique_by=lambda server: server.facts.address))
def test_a_server_is_in_one_deployment_at_most(watched: list[Watched]) -> None:
    groups = deployments(watched)
    assert all(len(group) > 1 for group in groups)
    assert len(members_of(groups)) == sum(len(group) for group in groups)
