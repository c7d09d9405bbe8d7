"""Each token of a fleet is counted at one kind of server, of all that it passes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import Layer
from tokwatch.ledger.fleet.counted_once import CountedOnce, Kind

ENGINE = Kind(Layer.ENGINE, "vllm", "Qwen")
ROUTER = Kind(Layer.ROUTER, "dynamo", "Qwen")
GATEWAY = Kind(Layer.GATEWAY, "litellm", "our-best")
PREFILL, DECODE = ENGINE._replace(role="prefill"), ENGINE._replace(role="decode")
HERE, ELSEWHERE, PROMPT, OUTPUT = (True, True), (False, False), (True, False), (False, True)


def here(*telling: Kind, silent: Kind | None = None) -> list[tuple[bool, bool]]:
    """Whether (prompt, output) is counted at each, and at last at one that tells of no output tokens."""
    once = CountedOnce(telling)
    told = [once.counting(kind) for kind in (*telling, *([silent] if silent else []))]
    return [(each.prompt, each.output) for each in told]


def test_an_engine_counts_before_its_router_and_its_gateway() -> None:
    assert here(GATEWAY, ROUTER, ENGINE) == [ELSEWHERE, ELSEWHERE, HERE]


def test_a_router_counts_models_that_no_engine_tells_of_and_its_gateway_does_not() -> None:
    assert here(GATEWAY, ROUTER._replace(model="Llama"), ENGINE) == [ELSEWHERE, HERE, HERE]
    assert here(GATEWAY, ROUTER, silent=ENGINE) == [ELSEWHERE, HERE, HERE]


def test_a_gateway_alone_counts() -> None:
    assert here(GATEWAY, silent=ENGINE) == [HERE, HERE]


def test_a_router_may_write_a_model_in_lower_case() -> None:
    assert here(ROUTER._replace(model="qwen"), ENGINE) == [ELSEWHERE, HERE]


def test_prompts_are_counted_where_they_are_prefilled_and_output_where_it_is_decoded() -> None:
    assert here(PREFILL, DECODE) == [PROMPT, OUTPUT]
    assert here(PREFILL, DECODE, ENGINE) == [PROMPT, OUTPUT, HERE]  # one that does both


def test_half_of_a_pair_alone_counts_both() -> None:
    assert here(PREFILL, silent=DECODE) == [HERE, HERE]
    assert here(PREFILL, DECODE._replace(model="Llama")) == [HERE, HERE]


def test_a_dynamo_worker_that_decodes_beside_a_prefill_worker_need_not_say_so() -> None:
    prefill, backend = PREFILL._replace(namespace="a"), ENGINE._replace(namespace="a")
    elsewhere = ENGINE._replace(namespace="b")
    assert here(prefill, backend, elsewhere) == [PROMPT, OUTPUT, HERE]
    assert CountedOnce((prefill, backend)).role(backend) == "decode"


def test_outside_of_a_namespace_a_server_without_a_role_does_both() -> None:
    assert here(PREFILL, ENGINE) == [HERE, HERE]


def test_the_config_overrides_the_rule_both_ways() -> None:
    assert here(ROUTER._replace(counts=True), ENGINE) == [HERE, HERE]
    assert here(ROUTER, ENGINE._replace(counts=False)) == [HERE, ELSEWHERE]


KINDS = st.builds(
    Kind,
    st.sampled_from(Layer),
    st.sampled_from(["vllm", "sglang"]),
    st.sampled_from(["Qwen", "qwen", "Llama"]),
    st.sampled_from(["", "prefill", "decode"]),
    st.sampled_from(["", "a"]),
    st.sampled_from(["", "/c1"]),
    st.none(),
)


@given(st.sets(KINDS, min_size=1))
def test_of_whatever_tells_of_tokens_somebody_counts_prompts_and_somebody_output(telling: set[Kind]) -> None:
    told = here(*telling)
    assert any(prompt for prompt, _ in told)
    assert any(output for _, output in told)
    if any(kind.layer is not Layer.GATEWAY for kind in telling):
        assert all(each == ELSEWHERE for kind, each in zip(telling, told, strict=True) if kind.layer is Layer.GATEWAY)
