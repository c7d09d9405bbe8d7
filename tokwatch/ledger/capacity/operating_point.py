"""One window of one deployment: what it made, drew and promised, as integers; and the ratios of these."""

from __future__ import annotations

import enum

import msgspec

PER_REQUEST, PER_TOKEN = "tpot", "itl"  # the histograms that interactivity can be had of
MIXES = ("0-25", "25-50", "50-75", "75-100")  # per cent of the computed tokens that are prompt


class OperatingPoint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One deployment over (from_ms, to_ms]. An array in JSON, to be small: fields are only ever added at its end.

    Amounts speak for `read_ms` of the window, energy for `energy_ms` GPU-milliseconds: each rate is divided by its own
    time. Tokens, requests and latencies are those that count at its servers, each once.
    """

    from_ms: int
    to_ms: int
    gpus: int  # that were its own for the whole window
    read_ms: int  # how long its pages were read; of several servers the longest
    prompt_tokens: int | None  # cached ones included
    cached_tokens: int | None
    output_tokens: int | None
    energy_mj: int | None  # of its boards; None where a part of them did not tell
    energy_ms: int
    running_ms: int | None  # Σ running requests × time
    finished: int | None
    latency: str = ""  # what `latency_us` is of: PER_REQUEST | PER_TOKEN | "" neither is on its pages
    latency_n: int = 0
    latency_us: int = 0
    good_at_least: int | None = None  # requests surely within the SLO; None without one, or where it cannot be judged
    ended_at_most: int | None = None

    # --- tokens ---------------------------------------------------------------------------------------------------

    @property
    def total_tokens(self) -> int | None:
        """Prompt (cached included) + output; None unless both are counted."""
        if self.prompt_tokens is None or self.output_tokens is None:
            return None
        return self.prompt_tokens + self.output_tokens

    @property
    def computed_tokens(self) -> int:
        """Prompt tokens that the cache did not hold + output: what takes capacity. A repeated prompt takes next to
        none, and would let the cache pass for speed. All prompt tokens where cached ones are not told."""
        prompt = self.prompt_tokens or 0
        return prompt - min(prompt, self.cached_tokens or 0) + (self.output_tokens or 0)

    @property
    def prompt_share(self) -> float | None:
        """Share of the computed tokens that are prompt, 0..1."""
        if self.prompt_tokens is None or not self.computed_tokens:
            return None
        return 1 - (self.output_tokens or 0) / self.computed_tokens

    @property
    def cached_share(self) -> float | None:
        """Share of the prompt tokens that the prefix cache held, 0..1."""
        if self.cached_tokens is None or not self.prompt_tokens:
            return None
        return min(1.0, self.cached_tokens / self.prompt_tokens)

    @property
    def mix(self) -> str:
        """The quarter that prompt_share is in; "" where prompts are not counted, or nothing was computed."""
        share = self.prompt_share
        return "" if share is None else MIXES[min(int(share * len(MIXES)), len(MIXES) - 1)]

    # --- ratios ---------------------------------------------------------------------------------------------------

    @property
    def output_tok_s_per_gpu(self) -> float | None:
        return self._per_gpu(self.output_tokens)

    @property
    def total_tok_s_per_gpu(self) -> float | None:
        return self._per_gpu(self.total_tokens)

    @property
    def computed_tok_s_per_gpu(self) -> float:
        """The throughput that capacity is told in."""
        return self.computed_tokens * 1000 / self.read_ms / self.gpus

    @property
    def watts_per_gpu(self) -> float | None:
        """Mean board power of one GPU."""
        return None if self.energy_mj is None else self.energy_mj / self.energy_ms

    @property
    def output_tok_per_j(self) -> float | None:
        """Output tokens per joule of board energy, which is tok/s per W."""
        return self._per_watt(self.output_tok_s_per_gpu)

    @property
    def total_tok_per_j(self) -> float | None:
        return self._per_watt(self.total_tok_s_per_gpu)

    @property
    def interactivity(self) -> float | None:
        """Tokens a second that one user sees: 1 ÷ the mean time per output token (InferenceX's, of the mean).

        Of PER_TOKEN latencies long answers weigh more; None before a request finished.
        """
        return self.latency_n * 1e6 / self.latency_us if self.latency_us else None

    @property
    def running(self) -> float | None:
        """Mean number of requests being answered."""
        return None if self.running_ms is None else self.running_ms / self.read_ms

    @property
    def attained_low(self) -> float | None:
        """The share of requests that were surely within all limits of the SLO, 0..1; None where none ended."""
        if self.good_at_least is None or not self.ended_at_most:
            return None
        return self.good_at_least / self.ended_at_most

    @property
    def coverage(self) -> float:
        """Part of the window that its pages were read in, 0..1."""
        return min(1.0, self.read_ms / (self.to_ms - self.from_ms))

    def _per_gpu(self, tokens: int | None) -> float | None:
        return None if tokens is None else tokens * 1000 / self.read_ms / self.gpus

    def _per_watt(self, tok_s_per_gpu: float | None) -> float | None:
        watts = self.watts_per_gpu
        return None if tok_s_per_gpu is None or not watts else tok_s_per_gpu / watts


class Throughput(enum.StrEnum):
    """What is set against interactivity."""

    OUTPUT_PER_GPU = "output tok/s per GPU"
    TOTAL_PER_GPU = "total tok/s per GPU"
    OUTPUT_PER_MW = "output tok/s per board MW"
    TOTAL_PER_MW = "total tok/s per board MW"

    def of(self, point: OperatingPoint) -> float | None:
        """The point's value; None where it is not known."""
        match self:
            case Throughput.OUTPUT_PER_GPU:
                return point.output_tok_s_per_gpu
            case Throughput.TOTAL_PER_GPU:
                return point.total_tok_s_per_gpu
            case Throughput.OUTPUT_PER_MW:
                return _per_mw(point.output_tok_per_j)
            case Throughput.TOTAL_PER_MW:
                return _per_mw(point.total_tok_per_j)


def _per_mw(tok_per_j: float | None) -> float | None:
    return None if tok_per_j is None else tok_per_j * 1e6
