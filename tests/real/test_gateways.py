"""A real LiteLLM and a real sglang-router before llama.cpp: the same tokens pass both, and are counted once."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.real.clients import Api
from tests.real.counted_once import counted, one_quarter, serve_and_count, serve_each_and_count, shown, some_requests
from tests.real.engines import LiteLlm, LlamaServer, SglangRouter
from tests.real.processes import free_port, required
from tests.real.recording import Tokwatch
from tests.real.served import counted_tokens, secret_file

pytestmark = pytest.mark.real


def a_llama_server(folder: Path, name: str) -> LlamaServer:
    program, model = required("TOKWATCH_REAL_LLAMA_SERVER", "TOKWATCH_REAL_LLAMA_MODEL")
    return LlamaServer(program, model, free_port(), "", folder / f"{name}.txt")


def page(api: Api) -> str:
    return f'[[servers]]\nurl = "{api.url}/metrics"\n'


def test_tokens_through_litellm_are_counted_once(tmp_path: Path) -> None:
    (program,) = required("TOKWATCH_REAL_LITELLM")
    llama = a_llama_server(tmp_path, "llama")
    proxy = LiteLlm(program, llama.api, free_port(), f"sk-{secrets.token_urlsafe(24)}", tmp_path)
    config = f'{page(llama.api)}gpus = [0]\n[[servers]]\nurl = "{proxy.api.url}/metrics/"\n'
    config += f'token_file = "{secret_file(tmp_path, proxy.key)}"\n'
    with llama.running(), proxy.running():
        some_requests(proxy.api, 4)  # its series appear with the first request
        tokwatch = Tokwatch.in_folder(tmp_path / "tokwatch", config)
        servers = [llama.api.address, proxy.api.address]
        used, _, _ = serve_and_count(tokwatch, proxy.api, servers, clients=4, seconds=30)
    by_proxy = shown(tokwatch, proxy.api.address)
    print(f"  by the clients: {used}\n  LiteLLM's page: {by_proxy}\n  by tokwatch:    {counted(tokwatch, servers)}")
    assert counted(tokwatch, servers) == used
    assert by_proxy.output == used.output


def test_tokens_and_dollars_of_each_team_are_those_of_its_clients(tmp_path: Path) -> None:
    (program,) = required("TOKWATCH_REAL_LITELLM")
    llama = a_llama_server(tmp_path, "llama")
    teams = {f"sk-{secrets.token_urlsafe(24)}": name for name in ("team-a", "team-b")}
    proxy = LiteLlm(program, llama.api, free_port(), f"sk-{secrets.token_urlsafe(24)}", tmp_path, teams)
    config = f'{page(llama.api)}gpus = [0]\n[[servers]]\nurl = "{proxy.api.url}/metrics/"\n'
    config += f'token_file = "{secret_file(tmp_path, proxy.key)}"\n'
    apis = {name: proxy.api_of(key) for key, name in teams.items()} | {"(untagged)": llama.api}
    with llama.running(), proxy.running():
        for api in apis.values():
            some_requests(api, 2)  # its series appear with the first request
        tokwatch = Tokwatch.in_folder(tmp_path / "tokwatch", config)
        requests = {"team-a": 60, "team-b": 20, "(untagged)": 10}
        used = serve_each_and_count(tokwatch, apis, llama.api, proxy.api, requests=requests)
    rows = [row for row in tokwatch.hours("model") if row["deployment"] == llama.api.address and row["tenant"]]
    told = {name: counted_tokens([row for row in rows if row["tenant"] == name]) for name in apis}
    dollars = {name: sum(row["cost_total_usd"] or 0.0 for row in rows if row["tenant"] == name) for name in apis}
    for name in apis:
        print(f"  {name}: by its clients {used[name]}, by tokwatch {told[name]}, {dollars[name]:.6f} USD")
    assert told == used
    assert {row["allocation"] for row in rows} == {"by gateway"}
    # Without a list of token prices every token weighs the same; shares are rounded to the millisecond.
    tokens = {name: each.prompt + each.output for name, each in used.items()}
    if one_quarter(tokwatch):
        shares = {name: usd / sum(dollars.values()) for name, usd in dollars.items()}
        assert shares == pytest.approx({name: each / sum(tokens.values()) for name, each in tokens.items()}, abs=1e-3)


def test_tokens_through_sglang_router_are_those_of_its_two_workers(tmp_path: Path) -> None:
    (program,) = required("TOKWATCH_REAL_SGLANG_ROUTER")
    workers = [a_llama_server(tmp_path, name) for name in ("one", "two")]
    urls = tuple(worker.api.url for worker in workers)
    router = SglangRouter(program, urls, free_port(), free_port(), tmp_path / "router.txt")
    own_page = f"127.0.0.1:{router.metrics_port}"
    config = "".join(f"{page(worker.api)}gpus = [{gpu}]\n" for gpu, worker in enumerate(workers))
    config += f'[[servers]]\nurl = "http://{own_page}/metrics"\n'
    with ExitStack() as stack:
        for worker in workers:
            stack.enter_context(worker.running())
        stack.enter_context(router.running())
        some_requests(router.api, 4)
        tokwatch = Tokwatch.in_folder(tmp_path / "tokwatch", config)
        servers = [worker.api.address for worker in workers]
        used, _, _ = serve_and_count(tokwatch, router.api, [*servers, own_page], clients=4, seconds=30)
    for address in servers:
        print(f"  page of {address}: {shown(tokwatch, address)}")
        assert shown(tokwatch, address).output, "the router sent nothing there"
    told = counted(tokwatch, [*servers, own_page])
    print(f"  by the clients: {used}\n  by tokwatch:    {told}")
    assert told == used
