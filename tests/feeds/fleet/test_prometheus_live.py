"""A page that dies while a real Prometheus and a real VictoriaMetrics scrape it: told within seconds, never frozen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.target import PrometheusTarget
from tests.prometheus_servers import Server, missing, pages, prometheus, query, victoria_metrics
from tests.real.processes import wait_until
from tokwatch.feeds.fleet.prometheus import PrometheusSource

_PAGE = 'DCGM_FI_DEV_POWER_USAGE{{gpu="0",UUID="GPU-{0}",modelName="H100",Hostname="{0}"}} 400\n'


class Exporter:
    """A page that can die and come back."""

    def __init__(self, host: str) -> None:
        exporter = self
        self.alive = True

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = _PAGE.format(host).encode()
                self.send_response(200 if exporter.alive else 500)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Not told: a dead page is meant."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def exporters(*hosts: str) -> Iterator[list[Exporter]]:
    running = [Exporter(host) for host in hosts]
    try:
        yield running
    finally:
        for each in running:
            each.close()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "server_of"), [("prometheus", prometheus), ("victoria-metrics", victoria_metrics)])
async def test_a_dying_page_is_a_silent_host_by_its_own_name(
    kind: str, server_of: Callable[..., AbstractContextManager[Server]], tmp_path: Path
) -> None:
    if words := missing(kind):
        pytest.skip(words)
    with (
        exporters("alpha", "beta") as (alpha, beta),
        server_of(tmp_path, [pages("dcgm", alpha.address, beta.address)], interval_s=1) as server,
    ):
        wait_until(lambda: len(query(server, "DCGM_FI_DEV_POWER_USAGE")) == 2, "both are scraped", within_s=20)
        source = PrometheusSource(PrometheusClient(PrometheusTarget(server.url)))
        before = await source.now()
        assert [(host.host, host.up, host.power_w) for host in before.hosts] == [
            ("alpha", True, 400.0),
            ("beta", True, 400.0),
        ]
        assert before.interval_s == 1
        beta.alive = False
        died_s = time.time()
        # VictoriaMetrics goes on to answer with the last sample: what stands there is not beta's power any more.
        wait_until(lambda: len(query(server, "up == 0")) == 1, "beta is not scraped", within_s=20)
        after = await source.now()
        span = await source.span_ms()
        await source.close()
    alive, dead = after.hosts
    assert (alive.host, alive.up, alive.problem) == ("alpha", True, "")
    assert (dead.host, dead.up, dead.power_w, dead.gpus) == ("beta", False, None, 1)
    assert abs(dead.t1_ms / 1000 - died_s) < 5
    assert dead.problem.startswith(f"{beta.address} (dcgm): not scraped (up is 0) for ")
    assert span is not None
    assert 0 <= span[1] - span[0] < 60_000
