"""What tokwatch reads from real pages of a LiteLLM proxy in front of a llama-server.

Between the two pages three tenants sent 40 requests; the API's own `usage` adds up to the numbers below.
"""

from __future__ import annotations

from collectors.readings import Layer, Moves
from tests.collectors.vocabularies.two_readings import engine_page, gained, read

FIRST, SECOND = "litellm-1.106.2-tenants-1", "litellm-1.106.2-tenants-2"


def test_tokens_by_tenant_are_those_of_the_clients() -> None:
    assert gained(read(FIRST), read(SECOND)) == {
        ("tiny-llama", "blue"): {
            "prompt_tokens": 3401,
            "cached_tokens": 2853,
            "output_tokens": 508,
            "finished": 15,
            "ttft": 10,
            "e2e": 15,
            "queue": 15,
        },
        # Nothing of red's was cached and nothing streamed before the first page: no such series, no increment.
        ("tiny-llama", "red"): {
            "prompt_tokens": 3159,
            "output_tokens": 336,
            "finished": 12,
            "e2e": 12,
            "queue": 12,
        },
    }


def test_since_the_start_of_the_proxy_every_tenant_is_exact() -> None:
    flows = {flow.tenant: flow for flow in read(SECOND).flows if flow.model == "tiny-llama"}
    assert {
        tenant: (flow.prompt_tokens, flow.cached_tokens, flow.output_tokens, flow.finished)
        for tenant, flow in flows.items()
    } == {
        "red": (608 + 3159, 2840, 77 + 336, 14),
        "blue": (701 + 3401, 24 + 2853, 144 + 508, 19),
        "(untagged)": (1391, 695, 490, 13),  # its labels say "None"
    }


def test_trap_10_the_total_of_input_and_output_is_not_added() -> None:
    assert b"litellm_total_tokens_metric_total{" in engine_page(SECOND)
    assert not any("total_tokens" in name for name in read(SECOND).used)


def test_trap_24_time_to_first_token_is_of_streamed_answers_only() -> None:
    flow = next(flow for flow in read(SECOND).flows if (flow.model, flow.tenant) == ("tiny-llama", "blue"))
    assert (flow.finished, dict(flow.histograms)["ttft"].counts[-1]) == (19, 12)


def test_failed_scrapes_are_not_failed_requests() -> None:
    assert b'route="/metrics/"' in engine_page(SECOND)
    failed = {(flow.model, flow.tenant): flow.failed for flow in read(SECOND).flows if flow.failed}
    assert failed == {
        ("other", "blue"): 2,  # a model that the proxy does not have
        ("tiny-llama", "(untagged)"): 1,  # a key that it does not know
    }


def test_trap_25_absent_failures_are_unknown_even_beside_a_failed_scrape() -> None:
    assert b"litellm_proxy_failed_requests_metric_total{" in engine_page("litellm-1.106.2-idle")
    idle = read("litellm-1.106.2-idle")
    assert (idle.ok, idle.server.engine, idle.flows) == (True, "litellm", ())
    assert "failed" in dict(idle.missing)


def test_running_is_unknown_because_an_idle_proxy_counts_the_scrape() -> None:
    assert b"litellm_in_flight_requests 1.0" in engine_page(SECOND)
    assert read(SECOND).running is None


def test_it_stands_before_the_engines_and_counts_at_the_end() -> None:
    got = read(SECOND)
    assert (got.layer, got.fronts, got.moves) == (Layer.GATEWAY, (), Moves.AT_END)
    assert got.started_at_s == 1795272318.71


def test_the_client_of_an_older_release_is_known_by_team_then_key_then_user() -> None:
    labels = 'api_key_alias="batch",model="m",team="{team}",team_alias="{alias}",user="ann"'
    lines = "".join(
        f"litellm_output_tokens_metric_total{{{labels.format(team=team, alias=alias)}}} {count}\n"
        for team, alias, count in (("t-1", "search", 4), ("t-2", "None", 2), ("None", "", 1))
    )
    got = {flow.tenant: flow.output_tokens for flow in read(lines.encode()).flows}
    assert got == {"search": 4, "t-2": 2, "batch": 1}


def test_a_page_without_total_is_read_alike() -> None:
    bare = engine_page(SECOND).replace(b"tokens_metric_total{", b"tokens_metric{")
    assert read(bare).flows == read(SECOND).flows
