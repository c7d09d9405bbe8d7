"""The shipped files as the command writes them, and agents' pages for a Prometheus to scrape."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from tests.agent.saying import statements
from tests.ledger.box import Box, work
from tests.ledger.readings import free_gpu, gpu
from tokwatch.agent import exposition
from tokwatch.agent.families import OwnCost
from tokwatch.commands.assets import texts_of, write

_PROGRAM: Final = ["/usr/bin/tokwatch"]
# What promtool and Grafana leave open, as a dashboard that shows everything has it.
_VARIABLES: Final = {"$__rate_interval": "5m", "$region": ".*", "$cluster": ".*", "$instance": ".*"}


def written(name: str, directory: Path) -> Path:
    """The folder with an asset's files in it."""
    write(texts_of(name, _PROGRAM), directory)
    return directory


def dashboard() -> dict[str, Any]:
    (text,) = texts_of("grafana", _PROGRAM).values()
    read: dict[str, Any] = json.loads(text)
    return read


def expressions() -> list[str]:
    """Of the dashboard, with its variables set to everything."""
    found = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    for variable, value in _VARIABLES.items():
        found = [expression.replace(variable, value) for expression in found]
    return found


def rules(file: str) -> str:
    return texts_of("prometheus", _PROGRAM)[file]


def agent_pages() -> list[bytes]:
    """One a second, of a box with two GPUs that serve and a free one; counters move from each to the next."""
    box = Box()
    for second in range(31):
        served = work(second)
        flows = tuple(replace(flow, finished=3 * second, failed=0, aborted=0) for flow in served.flows)
        box.turn(second, [gpu(second), gpu(second, 1), free_gpu(second, 2)], [replace(served, flows=flows)])
    return [exposition.page(told, OwnCost(1.0, 1), openmetrics=False) for told in statements(box)]


def idle(page: bytes) -> bytes:
    """The same box while nobody asks it for anything."""
    return re.sub(rb"^(tokwatch_(?:requests_running|gpu_utilization_ratio)\{.*\}) .*$", rb"\1 0", page, flags=re.M)


def one_after_the_other(pages: Sequence[bytes]) -> Callable[[], bytes]:
    """Each once; then the last again and again."""
    left = iter(pages)
    return lambda: next(left, pages[-1])


@contextmanager
def told_at(page: Callable[[], bytes]) -> Iterator[str]:
    """ "host:port" of a server on loopback whose every GET is answered by `page`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page()
            self.send_response(200)
            self.send_header("Content-Type", exposition.TEXT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing of each scrape."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
