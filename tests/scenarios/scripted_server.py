"""One inference server over a scenario: its processes, and the load on it → counters at any second, exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.scenarios.scripted_gpu import BUSY_W, NEVER, ScriptedGpu

LONG_AGO_S = -3600.0  # the box was up for an hour when the scenario began
_MODEL_MIB = 70_000.0
_TOKENS_A_REQUEST = 100


@dataclass(frozen=True, slots=True)
class Life:
    """One process of the server."""

    pid: int
    from_s: float
    up_s: float  # its port answers from here on
    until_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of it in one stretch. Rates are per second, `kv` is the share of the KV cache in use."""

    from_s: float
    until_s: float
    running: int
    waiting: int
    kv: float
    tok_s: float
    prompt_tok_s: float
    preemptions_s: float
    ttft_s: float

    def seconds(self, since_s: float, at_s: float) -> float:
        """How much of it lies in (since_s, at_s]."""
        return max(0.0, min(self.until_s, at_s) - max(self.from_s, since_s))


@dataclass(frozen=True, slots=True)
class Counters:
    """What the page shows at one instant."""

    started_s: float  # second of the scenario
    output_tokens: int = 0
    prompt_tokens: int = 0
    finished: int = 0
    preempted: int = 0
    running: int = 0
    waiting: int = 0
    kv: float = 0.0
    ttft: tuple[tuple[float, int], ...] = ()  # (seconds, how many requests had it)


Page = Callable[[str, Counters, float], bytes]  # (model, counters, Unix time of its start)


@dataclass
class ScriptedServer:
    """A server that rests but for what is scripted; its GPUs work and hold memory as it does."""

    model: str
    gpus: tuple[ScriptedGpu, ...]
    engine: str
    page: Page
    declared: bool  # named in the config with its GPUs; else found, and placed by the driver's process list
    options: str = ""  # more lines of its section of the config
    address: str = ""
    lives: list[Life] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    _unreadable: list[tuple[float, float]] = field(default_factory=list)

    def process(
        self,
        from_s: float,
        *,
        up_s: float | None = None,
        until_s: float = NEVER,
        pid: int = 100,
    ) -> None:
        """A process of it; without any, one has been up since long ago. `up_s`: when its port begins to answer."""
        self.lives.append(Life(pid, from_s, from_s if up_s is None else up_s, until_s))
        for gpu in self.gpus:
            gpu.holds(_MODEL_MIB, pid=pid, from_s=from_s, until_s=until_s)

    def serves(
        self,
        from_s: float,
        until_s: float,
        *,
        tok_s: float,
        running: int = 8,
        waiting: int = 0,
        kv: float = 0.3,
        prompt_tok_s: float | None = None,
        preemptions_s: float = 0.0,
        ttft_s: float = 0.2,
        power_w: float = BUSY_W,
        busy: float = 0.9,
    ) -> None:
        """Requests run and tokens are made; each of its GPUs draws so much."""
        prompt_tok_s = 4 * tok_s if prompt_tok_s is None else prompt_tok_s
        self.loads.append(Load(from_s, until_s, running, waiting, kv, tok_s, prompt_tok_s, preemptions_s, ttft_s))
        for gpu in self.gpus:
            gpu.works(from_s, until_s, power_w=power_w, busy=busy)

    def hangs(self, from_s: float, until_s: float, *, running: int = 3, hot: bool) -> None:
        """Requests run and no token is made: in a kernel that never ends (hot), or with nothing on the GPU."""
        watts, busy = (BUSY_W, 1.0) if hot else (120.0, 0.0)
        self.serves(from_s, until_s, tok_s=0, running=running, power_w=watts, busy=busy)

    def is_unreadable(self, from_s: float, until_s: float = NEVER) -> None:
        """Its port hangs up on everybody, while the process lives on."""
        self._unreadable.append((from_s, until_s))

    # --- at one instant -------------------------------------------------------------------------------------------

    def life_at(self, second: float) -> Life | None:
        return next((life for life in self.lives if life.from_s <= second < life.until_s), None)

    def counters_at(self, second: float) -> Counters | None:
        """What its page shows; None while it has none."""
        life = self.life_at(second)
        if life is None or second < life.up_s or any(start <= second < end for start, end in self._unreadable):
            return None
        now = next((load for load in reversed(self.loads) if load.from_s <= second < load.until_s), None)
        done = [(load, load.seconds(life.from_s, second)) for load in self.loads]
        finished = [(load.ttft_s, int(load.tok_s * seconds) // _TOKENS_A_REQUEST) for load, seconds in done]
        return Counters(
            started_s=life.from_s,
            output_tokens=sum(int(load.tok_s * seconds) for load, seconds in done),
            prompt_tokens=sum(int(load.prompt_tok_s * seconds) for load, seconds in done),
            finished=sum(count for _, count in finished),
            preempted=sum(int(load.preemptions_s * seconds) for load, seconds in done),
            running=now.running if now else 0,
            waiting=now.waiting if now else 0,
            kv=now.kv if now else 0.0,
            ttft=tuple(finished),
        )
