"""An agent's lines at the door: bytes → hellos and reports, bounded, cleaned, and without a login shell's greeting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from collectors.labels import clean_label
from tokwatch.ledger.fleet.report import PROTOCOL, Hello, Report

MAX_LINE_BYTES: Final = 4 * 2**20
MAX_NOISE_BYTES: Final = 64 * 2**10  # a login shell's greeting
# A hello beyond these is of no box: each GPU, server and flow is kept for as long as its host is.
_MAX_GPUS: Final = 1024
_MAX_SERVERS: Final = 1024
_MAX_FLOWS: Final = 8192
_MAX_LATENCIES: Final = 2 * _MAX_FLOWS
_MAX_PROBLEMS: Final = 16
_MAX_UNREAD: Final = 1000  # lines of one read, which takes 3 ms
_NOISE_SHOWN: Final = 400  # bytes
# JSON knows no bounds, and a float would overflow later. Looked for in this way it takes 1 µs a line; by a regex, 9.
_TOO_LONG_A_NUMBER: Final = b"0" * 19
_EVERY_DIGIT_0: Final = bytes.maketrans(b"123456789", b"000000000")

_hellos: Final = msgspec.json.Decoder(Hello)
_reports: Final = msgspec.json.Decoder(Report)


class NotSpoken(Exception):
    """What came is not our protocol."""


class WrongProtocol(NotSpoken):
    """An agent that speaks another version of it."""

    def __init__(self, protocol: int, version: str) -> None:
        super().__init__(f"protocol {protocol}")
        self.protocol = protocol
        self.version = version  # of tokwatch there, cleaned; "" where it does not say


class Noise(NotSpoken):
    """More than MAX_NOISE_BYTES without a hello; the text is the first line of it, cleaned."""


class _Greeting(msgspec.Struct):
    """What every version of the protocol begins with."""

    tokwatch: int
    version: str = ""


class AgentLines:
    """One connection's lines. Unreadable ones after the first hello are counted and left out."""

    def __init__(self) -> None:
        self.unread = 0
        self.problem = ""  # of the newest unreadable line
        self.noise = ""  # the first line before the hello, cleaned
        self._noise_bytes = 0
        self.is_greeted = False  # a hello has come
        self._part = bytearray()  # of a line whose end has not come
        self._is_skipping = False  # … and which is too long

    def feed(self, data: bytes) -> list[Hello | Report]:
        """What is said by the lines that end in `data`, of reports in a row the newest: counters lose nothing by it.

        Raises NotSpoken; nothing may be fed after that.
        """
        said: list[Hello | Report] = []
        unread_before = self.unread
        for line in _newest(self._whole(data)):
            if (one := self._read(line)) is not None:
                said.append(one)
            if self.unread - unread_before > _MAX_UNREAD:
                raise NotSpoken(self.problem)
        if not self.is_greeted and self._noise_bytes > MAX_NOISE_BYTES:
            raise Noise(self.noise)
        return said

    def _whole(self, data: bytes) -> Iterator[bytes]:
        """The lines that end in `data`, but for those that are empty or too long."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            line = bytes(self._part) + piece if self._part else piece
            self._part.clear()
            if self._is_skipping:
                self._is_skipping = False
            elif line:
                yield line
        if self._is_skipping:
            return
        self._part += rest
        if len(self._part) > self._longest():
            self._refuse(bytes(self._part), "a line that is too long")
            self._part.clear()
            self._is_skipping = True

    def _longest(self) -> int:
        return MAX_LINE_BYTES if self.is_greeted or self._part.startswith(b"{") else MAX_NOISE_BYTES

    def _read(self, line: bytes) -> Hello | Report | None:
        if line.isspace():
            return None
        try:
            if len(line) > MAX_LINE_BYTES:
                raise ValueError("a line that is too long")
            if line.startswith(b"["):
                return self._report(line)
            if line.startswith(b"{"):
                return self._hello(line)
            self._refuse(line, "neither a hello nor a report")
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            self._refuse(line, str(error))
        return None

    def _report(self, line: bytes) -> Report | None:
        if _TOO_LONG_A_NUMBER in line.translate(_EVERY_DIGIT_0):
            raise ValueError("a number that is too long")
        if not self.is_greeted:
            raise ValueError("a report before the hello")
        return _reports.decode(line)

    def _hello(self, line: bytes) -> Hello:
        greeting = msgspec.json.decode(line, type=_Greeting)
        if greeting.tokwatch != PROTOCOL:
            raise WrongProtocol(greeting.tokwatch, clean_label(greeting.version, 40))
        hello = cleaned(_hellos.decode(line))
        self.is_greeted = True
        return hello

    def _refuse(self, line: bytes, problem: str) -> None:
        if self.is_greeted:
            self.unread += 1
            self.problem = clean_label(problem, 200)
            return
        self._noise_bytes += len(line)
        if not self.noise:
            self.noise = clean_label(line[:_NOISE_SHOWN].decode("utf-8", "replace").strip(), 120)


def _newest(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Without the reports that another one overtakes: a viewer that was suspended finds thousands of them."""
    report = b""
    for line in lines:
        if line.startswith(b"["):
            report = line
            continue
        if line.startswith(b"{") and report:
            yield report
            report = b""
        yield line
    if report:
        yield report


def cleaned(hello: Hello) -> Hello:
    """A hello whose texts can be shown. Raises ValueError for one of no box."""
    counted = (
        (hello.gpus, _MAX_GPUS, "GPUs"),
        (hello.servers, _MAX_SERVERS, "servers"),
        (hello.flows, _MAX_FLOWS, "flows"),
        (hello.latencies, _MAX_LATENCIES, "latencies"),
    )
    for things, limit, what in counted:
        if len(things) > limit:
            raise ValueError(f"a hello of {len(things)} {what}, more than {limit}")
    return replace(
        hello,
        version=clean_label(hello.version, 40),
        host=clean_label(hello.host),
        run=clean_label(hello.run),
        interval_s=min(max(hello.interval_s, 0.1), 3600.0),
        gpus=tuple(
            replace(
                gpu, uuid=gpu.uuid and clean_label(gpu.uuid), name=clean_label(gpu.name), kind=clean_label(gpu.kind)
            )
            for gpu in hello.gpus
        ),
        servers=tuple(
            replace(one, address=clean_label(one.address), engine=clean_label(one.engine), model=clean_label(one.model))
            for one in hello.servers
        ),
        flows=tuple(
            replace(
                flow,
                model=clean_label(flow.model),
                role=clean_label(flow.role),
                tenant=clean_label(flow.tenant),
                tier=clean_label(flow.tier),
            )
            for flow in hello.flows
        ),
        problems=tuple(clean_label(problem) for problem in hello.problems[:_MAX_PROBLEMS]),
        latencies=tuple(
            replace(each, model=clean_label(each.model), name=clean_label(each.name)) for each in hello.latencies
        ),
    )
