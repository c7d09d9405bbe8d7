"""Real Prometheus-compatible servers and a real Alertmanager for tests: on free ports of loopback, ended with the test.

A test asks `missing(...)` first and skips with its words where the program is not installed.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.real.processes import free_port, running, wait_until

_READY_WITHIN_S = 30.0
_FOLDERS: Final = ("/usr/bin", "/usr/local/bin")
_NAMES: Final = {
    "prometheus": ("TOKWATCH_REAL_PROMETHEUS", ("prometheus",)),
    "promtool": ("TOKWATCH_REAL_PROMTOOL", ("promtool",)),
    "alertmanager": ("TOKWATCH_REAL_ALERTMANAGER", ("prometheus-alertmanager", "alertmanager")),
    "amtool": ("TOKWATCH_REAL_AMTOOL", ("amtool",)),
    "victoria-metrics": ("TOKWATCH_REAL_VICTORIA_METRICS", ("victoria-metrics", "victoria-metrics-prod")),
}

ScrapeConfigs = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready."""

    url: str  # with its path prefix, without a slash at the end
    process: subprocess.Popen[bytes]
    output: Path  # what it told


def program(name: str) -> str | None:
    """Where "prometheus", "promtool", "alertmanager", "amtool" or "victoria-metrics" lies; None: nowhere."""
    variable, files = _NAMES[name]
    if named := os.environ.get(variable):
        return named
    folders = os.pathsep.join((os.environ.get("PATH", ""), *_FOLDERS))
    return next((found for file in files if (found := shutil.which(file, path=folders))), None)


def missing(*names: str) -> str:
    """Why a test cannot run, for pytest.skip; "" where every program is there."""
    absent = [name for name in dict.fromkeys(names) if program(name) is None]
    variables = ", ".join(_NAMES[name][0] for name in absent)
    return f"not installed: {', '.join(absent)} (looked in PATH and in {variables})" if absent else ""


def needed(name: str) -> str:
    """The program's path; skips the test, with words, where it is not installed."""
    found = program(name)
    if found is None:
        pytest.skip(missing(name))
    return found


def pages(job: str, *targets: str, path: str = "/metrics", labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One scrape configuration: pages at "host:port" targets."""
    static = [{"targets": list(targets), "labels": dict(labels or {})}]
    return {"job_name": job, "metrics_path": path, "static_configs": static}


@contextmanager
def prometheus(
    folder: Path,
    scrape_configs: ScrapeConfigs = (),
    *,
    interval_s: float = 1,
    tsdb_blocks: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    web_config: Mapping[str, Any] | None = None,
    login: tuple[str, str] | None = None,
    client_certificate: Path | None = None,
    prefix: str = "",
    arguments: Sequence[str] = (),
) -> Iterator[Server]:
    """A Prometheus of its own in `folder`.

    tsdb_blocks: an OpenMetrics file (samples with timestamps in seconds) whose samples it has from the start.
    settings: further keys of its configuration (rule_files, alerting). web_config: TLS and users of its web server;
    `login` and `client_certificate` (with its key) then let in. prefix: as "/prom", all its URLs begin so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    if tsdb_blocks is not None:
        blocks = [needed("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(tsdb_blocks), str(data)]
        subprocess.run(blocks, check=True, capture_output=True)
    config = folder / "prometheus.yml"  # JSON is YAML
    timing = {"scrape_interval": _duration(interval_s), "evaluation_interval": _duration(interval_s)}
    config.write_text(json.dumps({"global": timing, "scrape_configs": list(scrape_configs), **(settings or {})}))
    port = free_port()
    command = [
        needed("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=100y",  # what is years old in a test's blocks stays
        *([f"--web.route-prefix={prefix}", f"--web.external-url=http://127.0.0.1:{port}{prefix}"] if prefix else []),
        *arguments,
    ]
    if web_config is not None:
        web = folder / "web.yml"
        web.write_text(json.dumps(web_config))
        command.append(f"--web.config.file={web}")
    scheme = "https" if web_config and "tls_server_config" in web_config else "http"
    with _ready(
        command, folder, f"{scheme}://127.0.0.1:{port}{prefix}", "/-/ready", login, client_certificate
    ) as server:
        yield server


@contextmanager
def victoria_metrics(
    folder: Path,
    scrape_configs: ScrapeConfigs = (),
    *,
    interval_s: float = 1,
    prefix: str = "",
    arguments: Sequence[str] = (),
) -> Iterator[Server]:
    """A single-node VictoriaMetrics of its own in `folder`; samples are visible without its usual wait of 30 s."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "scrape.yml"
    timing = {"scrape_interval": _duration(interval_s)}
    config.write_text(json.dumps({"global": timing, "scrape_configs": list(scrape_configs)}))
    port = free_port()
    command = [
        needed("victoria-metrics"),
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-promscrape.config={config}",
        "-promscrape.config.strictParse=false",
        "-search.latencyOffset=1ms",  # 0 is refused
        "-search.disableCache",
        "-retentionPeriod=100y",
        *([f"-http.pathPrefix={prefix}"] if prefix else []),
        *arguments,
    ]
    with _ready(command, folder, f"http://127.0.0.1:{port}{prefix}", "/health") as server:
        yield server


@contextmanager
def alertmanager(folder: Path, settings: Mapping[str, Any] | None = None) -> Iterator[Server]:
    """An Alertmanager of its own, without a cluster. settings: its whole configuration; else it tells nobody."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "alertmanager.yml"
    nobody = {
        "route": {"receiver": "nobody", "group_wait": "1s", "group_interval": "1s"},
        "receivers": [{"name": "nobody"}],
    }
    config.write_text(json.dumps(settings or nobody))
    port = free_port()
    command = [
        needed("alertmanager"),
        f"--config.file={config}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with _ready(command, folder, f"http://127.0.0.1:{port}", "/-/ready") as server:
        yield server


def query(server: Server, text: str, at_s: float | None = None) -> list[dict[str, Any]]:
    """What an instant query answers, by nothing of tokwatch's: for waiting until a server has seen something."""
    form = f"query={urllib.parse.quote(text)}" + ("" if at_s is None else f"&time={at_s:.3f}")
    with urllib.request.urlopen(f"{server.url}/api/v1/query", form.encode(), timeout=10) as answer:
        result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return result


def wait_for_samples(server: Server, text: str, *, at_least: int = 1, within_s: float = 20) -> None:
    """Until an instant query answers this many series."""
    wait_until(lambda: len(query(server, text)) >= at_least, f"{server.url} answers {text}", within_s=within_s)


@contextmanager
def _ready(
    command: Sequence[str],
    folder: Path,
    url: str,
    path: str,
    login: tuple[str, str] | None = None,
    certificate: Path | None = None,
) -> Iterator[Server]:
    output = folder / "told.txt"
    with running(command, dict(os.environ), output, end_within_s=15) as process:

        def is_ready() -> bool:
            if process.poll() is not None:
                pytest.fail(f"{command[0]} ended: {output.read_text(errors='replace')[-2000:]}")
            return _answers(url + path, login, certificate)

        wait_until(is_ready, f"{command[0]} is ready", within_s=_READY_WITHIN_S)
        yield Server(url, process, output)


def _answers(url: str, login: tuple[str, str] | None, certificate: Path | None) -> bool:
    request = urllib.request.Request(url)
    if login is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(":".join(login).encode()).decode())
    anybody = ssl._create_unverified_context()  # whether it is up; whom to trust is what the tests test
    if certificate is not None:
        anybody.load_cert_chain(certificate)
    try:
        with urllib.request.urlopen(request, timeout=5, context=anybody) as answer:
            return bool(answer.status == 200)
    except OSError:  # urllib's errors are of this kind too
        return False


def _duration(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
