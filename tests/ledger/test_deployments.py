"""Which servers are one deployment, and which only look like it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import UNNAMED, FlowReading, Layer, Moves, ServerFacts
from tests.ledger.readings import page, server_facts
from tests.ledger.test_counting import WATCHED, configured, engine, router
from tokwatch.ledger.deployments import Watched, deployments, members_of, partners


def worker(address: str, **changes: Any) -> Watched:
    """An engine without a metrics page."""
    without = replace(engine(address, moves=Moves.NONE, read=False), **changes)
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
    flows = (FlowReading(UNNAMED), FlowReading("qwen", role="decode"))
    told = Watched.by_page(page(0, *flows, facts=facts, layer=Layer.ENGINE))
    assert (told.model, told.role, told.counts_tokens, told.never_counts) == ("qwen", "decode", True, False)
    assert Watched.by_page(page(0, *flows, facts=replace(facts, role="prefill"))).role == "prefill"
    assert Watched.unread(ServerFacts("a:1", "vllm", metrics_url="http")).never_counts is False


@given(st.lists(WATCHED, max_size=7, unique_by=lambda server: server.facts.address))
def test_a_server_is_in_one_deployment_at_most(watched: list[Watched]) -> None:
    groups = deployments(watched)
    assert all(len(group) > 1 for group in groups)
    assert len(members_of(groups)) == sum(len(group) for group in groups)
