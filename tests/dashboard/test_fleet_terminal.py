"""The fleet's screens on a real terminal (tmux): keys, a door that fails, and a Prometheus that goes and comes back."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.feeds.fleet.ssh_boxes import Boxes, hello
from tests.new_user import Tmux
from tests.prometheus_servers import missing, needed, pages
from tests.real.processes import answers, free_port, running, wait_until

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="not installed: tmux")

_ROOT = Path(__file__).parents[2]
_WITHIN_S = 20.0


@contextmanager
def tmux(folder: Path, *words: str, columns: int = 120, rows: int = 40, **environment: str) -> Iterator[Tmux]:
    """`tokwatch` with these words on a terminal of its own, in a home of its own."""
    own = {
        "PYTHONPATH": str(_ROOT), "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"), "XDG_CACHE_HOME": str(folder / "cache"), "LANG": "C.UTF-8",
        "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none",
    }  # fmt: skip
    # The shell stays when tokwatch has gone, so that its exit code can be read.
    line = f"{shlex.join([sys.executable, '-m', 'tokwatch', *words])}; echo ended with $?; exec cat"
    opened = Tmux(("sh", "-c", line), columns, rows, folder, own | environment)
    try:
        yield opened
    finally:
        opened.close()


def _not(words: str) -> str:
    """A pattern of screens without them."""
    return rf"\A(?![\s\S]*{words})"


# --- the demo ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_a_fleet_is_gone_through_by_its_keys(tmp_path: Path, columns: int, rows: int) -> None:
    with tmux(tmp_path, "demo", "--fleet", "50", columns=columns, rows=rows) as user:
        screen = user.wait_for(r"LIVE", r"SIMULATED", r"all 50", r"osl-000", within_s=_WITHIN_S)
        assert all(len(line) <= columns for line in screen.splitlines())
        user.press("G")
        user.wait_for(r"GROUP BY", within_s=_WITHIN_S)
        user.press("i")  # by site
        user.wait_for(r"oslo", within_s=_WITHIN_S)
        user.press("Enter")
        user.wait_for(r"[a-z]{3}-0\d\d", within_s=_WITHIN_S)
        user.press("G")
        user.wait_for(r"GROUP BY", within_s=_WITHIN_S)
        user.press("n")
        user.wait_for(r"osl-000", r"dub-000", within_s=_WITHIN_S)
        user.press("/")
        for key in "osl-003":
            user.press(key)
        user.press("Enter")
        user.wait_for(r"osl-003", _not("dub-000"), within_s=_WITHIN_S)
        user.press("Enter")
        user.wait_for(r"osl-003", r"into it", within_s=_WITHIN_S)
        user.press("3")
        user.wait_for(r"oslo", r"dublin", within_s=_WITHIN_S)
        user.press("?")
        user.wait_for(r"Group by|Keys|KEYS", within_s=_WITHIN_S)
        user.press("Escape")
        user.wait_for(r"oslo", r"dublin", within_s=_WITHIN_S)
        user.press("q")
        user.wait_for(r"ended with 0", within_s=_WITHIN_S)


# --- a door -----------------------------------------------------------------------------------------------------------


def test_a_door_that_fails_leads_back_and_says_how(tmp_path: Path) -> None:
    """The stand-in for ssh is an agent for the fleet, and ends with 3 for whoever wants a terminal there."""
    boxes = Boxes(tmp_path)
    boxes.act("h1", {"stdout": hello("h1"), "gpus": 2})
    boxes.act("h2", {"stdout": hello("h2"), "gpus": 2})
    ssh = tmp_path / "ssh"
    agent = shlex.join(boxes.ssh)
    ssh.write_text(f'#!/bin/sh\ncase " $* " in *" -t "*) echo no terminal here; exit 3;; esac\nexec {agent} "$@"\n')
    ssh.chmod(0o755)
    with tmux(tmp_path, "--hosts", "h1,h2", TOKWATCH_SSH=str(ssh)) as user:
        user.wait_for(r"LIVE", r"2 boxes over ssh", r"h1 .*qwen", r"h2 .*qwen", within_s=_WITHIN_S)
        user.press("o")
        user.wait_for(r"tokwatch on h1, over ssh ended with exit code 3", r"h2 .*qwen", within_s=_WITHIN_S)
        user.press("2")
        user.wait_for(r"qwen", within_s=_WITHIN_S)
        user.press("q")
        user.wait_for(r"ended with 0", within_s=_WITHIN_S)
    assert not [call for call in boxes.calls() if Path(f"/proc/{call.pid}").exists()]


# --- a Prometheus -----------------------------------------------------------------------------------------------------


@contextmanager
def exporters(*hosts: str) -> Iterator[str]:
    """A page of one GPU for each host, at /HOST; the address."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.path.strip("/")
            labels = f'gpu="0",UUID="GPU-{host}",modelName="NVIDIA H100",Hostname="{host}"'
            body = f"DCGM_FI_DEV_POWER_USAGE{{{labels}}} 4{hosts.index(host)}1\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def prometheus_at(port: int, folder: Path) -> Iterator[None]:
    """Of a configuration that is in `folder`, with what it stored there before; ready."""
    command = [
        needed("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with running(command, dict(os.environ), folder / "told.txt", end_within_s=15):
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), "it is ready", within_s=30)
        yield


@pytest.mark.slow
def test_a_prometheus_that_goes_and_comes_back_never_ends_the_screen(tmp_path: Path) -> None:
    if words := missing("prometheus"):
        pytest.skip(words)
    hosts, port = ("h0", "h1", "h2"), free_port()
    with exporters(*hosts) as address:
        configs = [pages(f"dcgm-{host}", address, path=f"/{host}") for host in hosts]
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": configs}
        (tmp_path / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        url = f"http://127.0.0.1:{port}"
        with ExitStack() as stack:
            with prometheus_at(port, tmp_path):
                wait_until(lambda: _hosts(url) == len(hosts), "all are scraped", within_s=20)
                user = stack.enter_context(tmux(tmp_path, "--prometheus", url))
                each = (rf"{host} .* 4{number}1 " for number, host in enumerate(hosts))
                user.wait_for("LIVE 1 s", *each, r"all 3 .* 1 233", within_s=_WITHIN_S)
                user.press("o")
                user.wait_for(r"tokwatch  +h0 ", "LIVE", "H100", " 401", within_s=_WITHIN_S)
                user.press("q")
                user.wait_for("LIVE 1 s", *each, within_s=_WITHIN_S)
            user.wait_for("NO ANSWER for", "cannot be reached", r"h2 .* \?421 ", within_s=_WITHIN_S)
            user.press("4")  # it goes on
            user.wait_for("NO ANSWER for", "Prometheus http://127", within_s=_WITHIN_S)
            user.press("1")
            with prometheus_at(port, tmp_path):
                user.wait_for("LIVE 1 s", r"h2 .* 421 ", _not("cannot be reached"), within_s=40)
                user.press("q")
                user.wait_for("ended with 0", within_s=_WITHIN_S)


def _hosts(url: str) -> int:
    with urllib.request.urlopen(f"{url}/api/v1/query?query=DCGM_FI_DEV_POWER_USAGE", timeout=10) as answer:
        return len(json.load(answer)["data"]["result"])
