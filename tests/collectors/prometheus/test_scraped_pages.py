"""Samples become the pages that they were scraped from: each once, whole, and in the order of the scrapes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.exposition import SeriesLabels
from collectors.prometheus.answers import Matrix
from collectors.prometheus.scraped_pages import PageMaker, ScrapedPage, Target
from tests.scraped import Labels, Scrape, answers, samples

TARGET = {"instance": "a:1", "job": "j"}


def pages_of(*scrapes: Scrape, up: bool = True) -> list[ScrapedPage]:
    return PageMaker().pages(*answers(samples(scrapes, up=up)))


def on_page(page: ScrapedPage) -> dict[str, float]:
    return {one.name: value for one, value in zip(page.metrics.series, page.metrics.values, strict=True)}


def test_a_page_has_the_samples_of_its_scrape() -> None:
    first, second = pages_of(Scrape(TARGET, 1, b"x 1\ny 2\n"), Scrape(TARGET, 16, b"x 3\n"))
    assert (first.at_ms, on_page(first)) == (1000, {"x": 1.0, "y": 2.0})
    assert (second.at_ms, on_page(second), set(second.metrics.names)) == (16_000, {"x": 3.0}, {"x"})


def test_a_failed_scrape_is_a_page_that_is_not_up() -> None:
    assert [(page.up, on_page(page)) for page in pages_of(Scrape(TARGET, 1, None), Scrape(TARGET, 2, b"x 1\n"))] == [
        (False, {}),
        (True, {"x": 1}),
    ]


def test_pages_of_all_targets_come_in_the_order_of_their_scrapes() -> None:
    other = {"instance": "b:1", "job": "j"}
    told = pages_of(Scrape(other, 2, b"x 2\n"), Scrape(TARGET, 1, b"x 1\n"), Scrape(TARGET, 16, b"x 3\n"))
    assert [page.at_ms for page in told] == [1000, 2000, 16_000]


def test_a_page_is_made_once_however_often_it_is_answered() -> None:
    maker = PageMaker()
    early, late = Scrape(TARGET, 1, b"x 1\n"), Scrape(TARGET, 16, b"x 2\n")
    assert len(maker.pages(*answers(samples([early])))) == 1
    assert [page.at_ms for page in maker.pages(*answers(samples([early, late])))] == [16_000]


def test_a_sample_with_a_time_of_its_own_belongs_to_the_scrape_that_brought_it() -> None:
    ups = Matrix(({"__name__": "up", **TARGET},), ((10.0, 25.0),), ((1.0, 1.0),))
    told = Matrix(
        ({"__name__": "x", **TARGET}, {"__name__": "y", **TARGET}), ((7.5, 24.0), (10.0, 25.0)), ((1, 2), (3, 4))
    )
    assert [on_page(page) for page in PageMaker().pages(told, ups)] == [{"x": 1, "y": 3}, {"x": 2, "y": 4}]


def test_two_servers_that_scrape_the_same_page_make_two_targets_of_it() -> None:
    replicas: list[Labels] = [{**TARGET, "replica": name} for name in ("a", "b")]
    told = pages_of(*(Scrape(target, 1 + n, b"x 1\n") for n, target in enumerate(replicas)))
    assert [(page.target.label("replica"), on_page(page)) for page in told] == [("a", {"x": 1}), ("b", {"x": 1})]


def test_buckets_stand_in_the_order_of_their_edges() -> None:
    [page] = pages_of(Scrape(TARGET, 1, b'h_bucket{le="10.0"} 2\nh_bucket{le="+Inf"} 3\nh_bucket{le="2.5"} 1\n'))
    assert [series.labels["le"] for series in page.metrics.series] == ["2.5", "10.0", "+Inf"]


def test_pages_with_the_same_series_share_them() -> None:
    first, second = pages_of(Scrape(TARGET, 1, b"x 1\n"), Scrape(TARGET, 16, b"x 2\n"))
    assert first.metrics.series is second.metrics.series


label_names = st.sampled_from(["model", "pod", "node", "exported_pod", "job"])
labels = st.dictionaries(label_names, st.text("ab", min_size=1, max_size=2), max_size=4)


@given(labels, labels)
def test_the_labels_of_a_page_survive_what_a_server_does_to_them(
    own: dict[str, str], of_target: dict[str, str]
) -> None:
    """But for a page that has both a label and its renamed twin, which no server keeps apart either."""
    target = {**of_target, **TARGET}
    if any(f"exported_{label}" in own for label in own) or any(label.startswith("exported_") for label in of_target):
        return
    block = ",".join(f'{label}="{value}"' for label, value in own.items())
    [page] = pages_of(Scrape(target, 1, f"x{{{block}}} 1\n".encode()))
    assert page.target == Target(tuple(sorted(target.items())))
    kept = dict(own)
    if "exported_pod" in own and "pod" in target:
        kept["pod"] = kept.pop("exported_pod")
    assert page.metrics.series == (SeriesLabels("x", kept),)
