"""The dashboard: a shape that Grafana imports, and expressions that a real Prometheus takes and answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

from tests import prometheus_servers as servers
from tests.assets.shipped import agent_pages, dashboard, expressions, one_after_the_other, told_at
from tests.real.processes import wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """A Prometheus that has scraped an agent a few times."""
    folder = tmp_path_factory.mktemp("grafana")
    with told_at(one_after_the_other(agent_pages())) as address:
        labels = {"cluster": "a", "region": "north"}
        with servers.prometheus(folder, [servers.pages("tokwatch", address, labels=labels)], interval_s=0.3) as server:
            servers.wait_for_samples(server, "rate(tokwatch_output_tokens_total[1m]) > 0")
            yield server


def test_panels_have_numbers_and_places_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert all(0 <= x < 24 for x, _ in cells)


def test_the_data_source_is_a_variable_everywhere() -> None:
    assert dashboard()["templating"]["list"][0]["type"] == "datasource"
    asked = [
        part for panel in dashboard()["panels"] for part in (panel, *panel.get("targets", [])) if "datasource" in part
    ]
    asked += [variable for variable in dashboard()["templating"]["list"] if variable["type"] == "query"]
    assert len(asked) > 40
    assert {json.dumps(part["datasource"]) for part in asked} == {'{"type": "prometheus", "uid": "${datasource}"}'}


def test_every_panel_that_asks_has_a_title_and_every_series_a_letter() -> None:
    for panel in dashboard()["panels"]:
        assert panel["title"]
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert letters == list("ABCDEFG"[: len(letters)])


@pytest.mark.parametrize("expression", expressions())
def test_a_prometheus_takes_every_expression(server: servers.Server, expression: str) -> None:
    form = urllib.parse.urlencode({"query": expression}).encode()
    with urllib.request.urlopen(f"{server.url}/api/v1/format_query", form, timeout=10) as answer:
        assert json.load(answer)["status"] == "success"


@pytest.mark.parametrize("expression", expressions())
def test_and_has_an_answer_to_it(server: servers.Server, expression: str) -> None:
    wait_until(lambda: bool(servers.query(server, expression)), f"there is an answer to {expression}", within_s=10)


def test_what_is_no_expression_would_have_been_refused(server: servers.Server) -> None:
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{server.url}/api/v1/format_query", b"query=sum(", timeout=10)
