"""What a server is asked about one host: by every label that may name it, for the names that are read, once each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from collectors.prometheus.answers import Matrix, Vector
from collectors.prometheus.host_pages import HostPages, Scraped, read_names
from collectors.prometheus.identity import HostIdentity
from collectors.prometheus.query_error import QueryError
from collectors.scrape_error import Failure

POWER = "DCGM_FI_DEV_POWER_USAGE"
TOKENS = "vllm:generation_tokens_total"


@dataclass
class Scripted:
    """A PrometheusApi: the names that a matcher has, and the labels that a query answers, by what stands in them."""

    names: Mapping[str, Sequence[str]]
    series: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)
    url: str = "https://prom.example/prefix"

    async def label_values(
        self, label: str, matches: Sequence[str] = (), start_s: float | None = None, end_s: float | None = None
    ) -> tuple[str, ...]:
        return tuple(self.names.get(f"{label}:{matches[0] if matches else ''}", ()))

    async def samples(self, query: str, at_s: float) -> Matrix:
        self.queries.append(query)
        told = next((series for part, series in self.series.items() if part in query), ())
        return Matrix(tuple(told), tuple((at_s,) for _ in told), tuple((1.0,) for _ in told), bytes=10)

    async def instant(self, query: str, at_s: float | None = None) -> Vector:
        raise AssertionError(query)

    async def range(self, query: str, start_s: float, end_s: float, step_s: float) -> Matrix:
        raise AssertionError(query)

    async def scrape_interval_s(self, job_hint: str = "") -> float | None:
        return None

    async def close(self) -> None:
        """Nothing is open."""


def asked(api: Scripted, *, host: str = "h7", identity: HostIdentity | None = None, selector: str = "") -> Scraped:
    async def run() -> Scraped:
        pages = HostPages(api, host, identity or HostIdentity.of(), selector=selector)
        await pages.look_around(0, 60_000)
        return await pages.between(0, 60_000)

    return asyncio.run(run())


BY_NAME = '__name__:{Hostname="h7"}'
BY_INSTANCE = '__name__:{instance=~"h7(:[0-9]+)?"}'


def test_each_label_that_tells_of_the_host_is_asked_and_no_series_twice() -> None:
    api = Scripted({BY_NAME: [POWER], BY_INSTANCE: [POWER, TOKENS]})
    asked(api)
    assert api.queries == [
        f'{{__name__=~"{POWER}",Hostname="h7"}}[60000ms]',
        f'{{__name__=~"{POWER}|{TOKENS}",instance=~"h7(:[0-9]+)?",Hostname!="h7"}}[60000ms]',
    ]


def test_a_series_that_another_label_gives_to_another_host_is_left_out() -> None:
    of_h8 = {"__name__": POWER, "job": "gpus", "instance": "h7:9400", "Hostname": "h8", "gpu": "0"}
    own = {"__name__": TOKENS, "job": "engines", "instance": "h7:8000"}
    api = Scripted({BY_INSTANCE: [POWER, TOKENS]}, {'instance=~"h7(': [of_h8, own]})
    assert [page.target.address for page in asked(api).pages] == ["h7:8000"]


def test_up_is_asked_of_the_targets_that_tell_of_the_host() -> None:
    own = {"__name__": TOKENS, "job": "engines", "instance": "h7:8000"}
    api = Scripted({BY_INSTANCE: [TOKENS]}, {'instance=~"h7(': [own]})
    asked(api)
    assert api.queries[-1] == 'up{job=~"engines",instance=~"h7:8000"}[60000ms]'


def test_the_configured_label_comes_first_and_the_selector_stands_everywhere() -> None:
    api = Scripted({'__name__:{node_name="h7",env="prod"}': [POWER]}, {"node_name": [{"__name__": POWER, "job": "g"}]})
    asked(api, identity=HostIdentity.of(host_label="node_name"), selector='env="prod"')
    assert api.queries == [
        f'{{__name__=~"{POWER}",node_name="h7",env="prod"}}[60000ms]',
        'up{job=~"g",instance=~"",env="prod"}[60000ms]',
    ]


def test_a_hosts_name_is_text_and_no_pattern() -> None:
    api = Scripted({'__name__:{instance=~"a\\\\.b(:[0-9]+)?"}': [TOKENS]})
    asked(api, host="a.b")
    assert 'instance=~"a\\\\.b(:[0-9]+)?"' in api.queries[0]
    api = Scripted({'__name__:{Hostname="x\\"} or up{a=\\""}': [POWER]})
    asked(api, host='x"} or up{a="')
    assert 'Hostname="x\\"} or up{a=\\""' in api.queries[0]


def test_names_that_no_table_reads_are_not_asked_for() -> None:
    names = {POWER, TOKENS, "node_load1", "process_start_time_seconds", "vllm:unheard_of_total", 'evil"}'}
    assert read_names(names) == {POWER, TOKENS, "process_start_time_seconds"}
    assert read_names({"node_load1", "process_start_time_seconds"}) == frozenset()


def test_hosts_that_there_are_are_named_by_the_first_label_that_names_any() -> None:
    api = Scripted({"node:": ["b", "a"], "instance:": ["c:1"]})
    pages = HostPages(api, "", HostIdentity.of())
    assert asyncio.run(pages.other_hosts(0, 1)) == ("b", "a")
    api = Scripted({"instance:": ["c:1", "c:2", "[::1]:9"]})
    assert asyncio.run(HostPages(api, "", HostIdentity.of()).other_hosts(0, 1)) == ("c", "[::1]")


def test_when_one_question_fails_no_other_goes_on() -> None:
    going_on: list[str] = []

    class Failing(Scripted):
        async def label_values(
            self, label: str, matches: Sequence[str] = (), start_s: float | None = None, end_s: float | None = None
        ) -> tuple[str, ...]:
            if "instance" in matches[0]:
                raise QueryError("cannot be reached", Failure.UNREACHABLE)
            await asyncio.sleep(0.001)
            going_on.append(matches[0])
            return ()

    async def run() -> None:
        with pytest.raises(QueryError):
            await HostPages(Failing({}), "h7", HostIdentity.of()).look_around(0, 1)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert going_on == []
