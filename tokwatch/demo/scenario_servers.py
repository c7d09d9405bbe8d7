"""The servers of a scenario, and what is asked of them. Lines in, `SimulatedServer`s on their GPUs out.

Servers follow the last GPU. `server ENGINE MODEL` (vllm or llama.cpp) opens one; what follows is about it:

    gpus 0-3 8               which GPUs it runs on, counted from 0; a GPU has one server at most
    tensor_parallel 4        GPUs of one replica: all of them unless told. More GPUs are more replicas, each on a port
                             of its own and with a load as below
    port 8000                of the metrics page (of the first replica)
    name NAME                that the model is served under, its alias
    deployment NAME          servers of one name serve together
    role prefill|decode      of a disaggregated pair
    precision fp8
    memory_gib 71            in use on each of its GPUs
    resident_w 60            drawn more by each of them while it has a process than while it is free
    busy_w 560 [546 …]       … and more again at activity 1; one for all of them, or one for each
    up FROM READY [UNTIL]    a process group, whose page answers from READY on; without any such line it always did

    activity WAVE            0 nothing to do … 1 all that it can do; waves are added up, as for quantities of GPUs
    requests_per_s 20.6      at activity 1
    prompt_tokens 1500 [0.6]     of a request: the mean, and the relative width of single ones
    cached_share 0.45            of the prompt
    output_tokens 350 [0.5]
    ttft_s 0.25 [0.5]            queue included
    tpot_s 0.03 [0.05]           with nothing to do, and at activity 1 if that is longer (in between: tempo.py)
    queue_s 0.02 [0.4]           spent waiting, the same; ttft_s is then as much longer
    slowed WAVE                  decodes as slowly as at an activity so much higher: long prompts between its steps
    kv_tokens 740000         room in the KV cache
    tokens_per_step 180      sequences that a step decodes

How many requests run and wait, and what they hold of the KV cache, follows from the times they take. While a server is
not up nothing is asked of it. A model's tier is told by its name, or by its deployment: prices are beside a scenario.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field

from tokwatch.demo.simulated_gpu import SimulatedGpu
from tokwatch.demo.simulated_server import Life, SimulatedServer
from tokwatch.demo.waves import Wave, parse_wave
from tokwatch.demo.workload import Workload

_ENGINES = ("vllm", "llama.cpp")
_WORDS = ("name", "deployment", "role", "precision")
_NUMBERS = ("memory_gib", "resident_w", "requests_per_s", "cached_share")
_WITH_SECOND = {  # numbers that may have another behind them
    "prompt_tokens": "prompt_spread",
    "output_tokens": "output_spread",
    "ttft_s": "ttft_spread",
    "tpot_s": "full_tpot_s",
    "queue_s": "full_queue_s",
}
_WHOLE = ("tensor_parallel", "port", "kv_tokens", "tokens_per_step")
_NEEDED = (
    *("memory_gib", "requests_per_s", "prompt_tokens", "output_tokens", "ttft_s", "tpot_s"),
    *("kv_tokens", "tokens_per_step"),
)
_OF_WORKLOAD = ("cached_share", *_WITH_SECOND, *_WITH_SECOND.values())
_FIRST_PORT = 8000


@dataclass(slots=True)
class ServerText:
    """A server while its lines are read."""

    engine: str
    model: str
    words: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    whole: dict[str, int] = field(default_factory=dict)
    gpus: list[int] = field(default_factory=list)
    busy_w: list[float] = field(default_factory=list)
    ups: list[list[float]] = field(default_factory=list)  # from, ready, until
    activity: list[Wave] = field(default_factory=list)
    slowed: list[Wave] = field(default_factory=list)

    @classmethod
    def opened(cls, text: str) -> ServerText:
        """By what follows the word `server`."""
        engine, _, model = text.partition(" ")
        if engine not in _ENGINES or not model:
            raise ValueError(f"write server ENGINE MODEL, the engine one of {', '.join(_ENGINES)}")
        return cls(engine, model.strip())

    def take(self, key: str, text: str) -> None:
        """One statement. Raises ValueError."""
        words = text.split()
        if key == "role" and text not in ("prefill", "decode"):
            raise ValueError("a role is prefill or decode")
        if key in _WORDS:
            self.words[key] = text
        elif key in _NUMBERS:
            self.numbers[key] = float(text)
        elif key in _WHOLE:
            self.whole[key] = int(text)
        elif key in _WITH_SECOND:
            self.numbers[key] = float(words[0])
            if len(words) > 1:
                self.numbers[_WITH_SECOND[key]] = float(words[1])
        elif key == "gpus":
            self.gpus += [gpu for word in words for gpu in _range(word)]
        elif key == "busy_w":
            self.busy_w = [float(word) for word in words]
        elif key == "up":
            if not 2 <= len(words) <= 3:
                raise ValueError("write up FROM READY [UNTIL]")
            self.ups.append([float(word) for word in words])
        elif key == "activity":
            self.activity.append(parse_wave(text))
        elif key == "slowed":
            self.slowed.append(parse_wave(text))
        else:
            raise ValueError("no such statement about a server (GPUs come before the first server)")

    def replicas(self, free: MutableMapping[int, SimulatedGpu], first: int) -> list[SimulatedServer]:
        """Its replicas on their GPUs, which are taken out of `free`. `first`: how many servers came before."""
        missing = [key for key in _NEEDED if key not in self.numbers and key not in self.whole]
        missing += [key for key in ("gpus", "busy_w", "activity") if not getattr(self, key)]
        if missing:
            raise ValueError(f"it does not say its {', '.join(missing)}")
        size = self.whole.get("tensor_parallel", len(self.gpus))
        if size < 1 or len(self.gpus) % size:
            raise ValueError(f"{len(self.gpus)} GPUs are no replicas of {size}")
        if len(self.busy_w) not in (1, size):
            raise ValueError(f"busy_w is one for all GPUs or one for each of a replica's {size}")
        busy_w = tuple(self.busy_w if len(self.busy_w) == size else self.busy_w * size)
        made = []
        for replica, start in enumerate(range(0, len(self.gpus), size)):
            server = self._server(tuple(self.gpus[start : start + size]), busy_w, first + replica, replica)
            for rank, gpu in enumerate(server.gpus):
                if gpu not in free:
                    raise ValueError(f"there is no GPU {gpu}, or another server has it")
                server.occupy(free.pop(gpu), rank)
            made.append(server)
        return made

    def _server(self, gpus: tuple[int, ...], busy_w: tuple[float, ...], number: int, replica: int) -> SimulatedServer:
        told = {key: self.numbers[key] for key in _OF_WORKLOAD if key in self.numbers}
        return SimulatedServer(
            engine=self.engine,
            model=self.words.get("name", self.model),
            gpus=gpus,
            activity=tuple(self.activity),
            slowed=tuple(self.slowed),
            requests_per_s=self.numbers["requests_per_s"],
            workload=Workload(kv_tokens=self.whole["kv_tokens"], tokens_per_step=self.whole["tokens_per_step"], **told),
            lives=tuple(
                Life(_pids(number, life, len(gpus)), from_s, ready_s, *until)
                for life, (from_s, ready_s, *until) in enumerate(self.ups or [[0.0, 0.0]])
            ),
            memory_gib=self.numbers["memory_gib"],
            busy_w=busy_w,
            resident_w=self.numbers.get("resident_w", 60.0),
            precision=self.words.get("precision"),
            port=self.whole["port"] + replica if "port" in self.whole else _FIRST_PORT + number,
            deployment=self.words.get("deployment", ""),
            role=self.words.get("role", ""),
        )


def _pids(server: int, life: int, workers: int) -> tuple[int, ...]:
    """The listener, then one worker for each GPU."""
    listener = 10_000 * (life + 1) + 100 * server
    return listener, *(listener + 11 + rank for rank in range(workers))


def _range(word: str) -> range:
    first, _, last = word.partition("-")
    return range(int(first), int(last or first) + 1)
