"""Pages of a small fleet on loopback, served in plain HTTP and counted; what a page tells is set from outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from collectors.target_lists import Target


@dataclass
class Pages:
    """What is served at which path; a path without a page is not found."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    is_closing: bool = False  # after each answer, as an unusual server does
    news: asyncio.Event = field(default_factory=asyncio.Event)  # something was asked for

    def target(self, path: str, host: str, **labels: str) -> Target:
        told = {"__metrics_path__": path, "instance": f"{host}:9400", **labels}
        return Target(f"127.0.0.1:{self.port}", told)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ")[1].decode()
                self.asked.append(path)
                self.news.set()
                body = self.bodies.get(path)
                status = "404 Not Found" if body is None else "200 OK"
                last = "Connection: close\r\n" if self.is_closing else ""
                told = f"HTTP/1.1 {status}\r\nContent-Length: {len(body or b'')}\r\n{last}\r\n"
                writer.write(told.encode() + (body or b""))
                await writer.drain()
                if self.is_closing:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the reader has gone, which is how each of these ends
        finally:
            writer.close()


@asynccontextmanager
async def served(**bodies: bytes) -> AsyncIterator[Pages]:
    """`bodies`: by path, without its slash."""
    pages = Pages({f"/{path}": body for path, body in bodies.items()})
    server = await asyncio.start_server(pages.answer, "127.0.0.1", 0)
    pages.port = server.sockets[0].getsockname()[1]
    try:
        yield pages
    finally:
        server.close()


def gpu_page(energy_mj: int, *, gpu: str = "GPU-a", util: int = 90) -> bytes:
    labels = f'gpu="0",UUID="{gpu}",modelName="NVIDIA H100"'
    return (
        f"DCGM_FI_DEV_POWER_USAGE{{{labels}}} 512.5\nDCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{labels}}} {energy_mj}\n"
        f"DCGM_FI_DEV_GPU_UTIL{{{labels}}} {util}\nDCGM_FI_DEV_FB_USED{{{labels}}} 70000\n"
    ).encode()


def engine_page(output: int, *, model: str = "qwen", running: int = 3) -> bytes:
    labels = f'engine="0",model_name="{model}"'
    return (
        f"vllm:num_requests_running{{{labels}}} {running}\nvllm:generation_tokens_total{{{labels}}} {output}\n"
    ).encode()
