"""Which inference servers run on a box, by its processes. The boxes here are made up."""

from __future__ import annotations

import pytest

from collectors.discovery.scan import discover
from collectors.readings import ServerFacts
from tests.collectors.discovery.made_up_box import OPERATOR, USERS, Box, only_probe, only_server


@pytest.fixture
def box() -> Box:
    return Box()


# --- one server ---------------------------------------------------------------------------------------------------


def test_a_server_is_its_listening_process_with_everything_around_it(box: Box) -> None:
    box.run(100, "bash start.sh")
    box.run(200, "python /venv/bin/vllm serve Qwen/Qwen3-8B -tp 2 --dtype bfloat16", 100, CUDA_VISIBLE_DEVICES="0,1")
    box.run(201, "VLLM::EngineCore", 200)
    box.run(202, "VLLM::Worker_TP0", 201)
    box.run(203, "VLLM::Worker_TP1", 201)
    box.run(300, "postgres")
    box.listen(8000, 200)
    box.listen(45231, 202, "127.0.0.1")
    box.listen(5432, 300)
    assert only_server(discover(box)) == ServerFacts(
        address="127.0.0.1:8000",
        engine="vllm",
        metrics_url="http://127.0.0.1:8000/metrics",
        pid=200,
        pids=(200, 201, 202, 203),
        owner="operator",
        verified=True,
        started_at_s=1200.0,
        model="Qwen/Qwen3-8B",
        tensor_parallel=2,
        precision="bfloat16",
        visible_devices="0,1",
    )


def test_api_servers_that_share_a_port_are_one_server(box: Box) -> None:
    box.run(200, "vllm serve m --api-server-count 2")
    for pid in (201, 202):
        box.run(pid, f"VLLM::APIServer_{pid - 201}", 200)
        box.listen(8000, pid)
    server = only_server(discover(box))
    assert (server.pid, server.pids) == (201, (200, 201, 202))


def test_a_worker_that_inherited_the_socket_is_not_the_listener(box: Box) -> None:
    box.run(200, "vllm serve m")
    box.run(201, "VLLM::EngineCore", 200)
    box.listen(8000, 201)
    server = only_server(discover(box))
    assert (server.address, server.pid) == ("127.0.0.1:8000", 200)


def test_servers_side_by_side_are_kept_apart(box: Box) -> None:
    for pid, port in ((200, 8000), (300, 8001)):
        box.run(pid, f"vllm serve m --port {port}")
        box.run(pid + 1, "VLLM::EngineCore", pid)
        box.listen(port, pid)
    found = {server.address: server.pids for server in discover(box).servers}
    assert found == {"127.0.0.1:8000": (200, 201), "127.0.0.1:8001": (300, 301)}


def test_a_child_server_belongs_to_the_engine_that_started_it(box: Box) -> None:
    box.run(200, "ollama serve")
    box.run(201, "llama-server --port 40123 --no-webui", 200)
    box.listen(11434, 200, "127.0.0.1")
    box.listen(40123, 201, "127.0.0.1")
    server = only_server(discover(box))
    assert (server.engine, server.address, server.metrics_url) == ("ollama", "127.0.0.1:11434", None)


def test_the_router_under_a_launcher_is_the_listener(box: Box) -> None:
    box.run(200, "text-generation-launcher --model-id m --num-shard 2", PORT="80")
    box.run(201, "text-generation-server serve m", 200)
    box.run(202, "text-generation-router --port 80 --tokenizer-name m", 200)
    box.listen(29500, 201)
    box.listen(80, 202)
    box.listen(9000, 202)
    server = only_server(discover(box))
    assert (server.engine, server.address, server.pid, server.tensor_parallel) == ("tgi", "127.0.0.1:80", 202, 2)


def test_an_engine_inside_a_program_of_the_users_own_is_found_by_its_parts(box: Box) -> None:
    box.run(200, "python my_server.py")
    box.run(201, "VLLM::EngineCore", 200)
    box.listen(9999, 200)
    server = only_server(discover(box))
    assert (server.address, server.pids, server.model) == ("127.0.0.1:9999", (200, 201), None)


def test_a_notebook_with_an_engine_in_it_is_not_a_server(box: Box) -> None:
    box.run(200, "python -m ipykernel_launcher -f kernel.json")
    box.run(201, "VLLM::EngineCore", 200)
    for port in (40001, 40002, 40003):
        box.listen(port, 200, "127.0.0.1")
    assert discover(box).servers == ()


def test_an_orphaned_part_does_not_make_its_adoptive_parents_session_a_server(box: Box) -> None:
    box.run(1, "/sbin/init", 0)
    box.run(201, "VLLM::EngineCore", 1)
    box.run(300, "nginx", 1)
    box.listen(80, 300)
    found = discover(box)
    assert found.servers == ()
    assert only_probe(found).name == "vllm pid 201"


# --- other users --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("uid", "verified"), [(OPERATOR, True), (0, True), (110, True), (2000, False)])
def test_a_server_of_another_ordinary_user_is_not_verified(box: Box, uid: int, verified: bool) -> None:
    box.run(200, "vllm serve m", uid=uid)
    box.listen(8000, 200)
    found = discover(box)
    assert only_server(found).verified is verified
    assert only_server(found).owner == USERS[uid]
    assert ("accept it in the config" in only_probe(found).hint) is not verified


def test_a_socket_whose_holder_is_hidden_is_joined_by_its_port(box: Box) -> None:
    box.run(200, "vllm serve m --port 8005", uid=0)
    box.environments[200] = None
    box.listen(8005, None)
    server = only_server(discover(box))
    assert (server.address, server.pid, server.visible_devices) == ("127.0.0.1:8005", 200, None)


def test_two_claims_on_a_hidden_socket_cancel_each_other_out(box: Box) -> None:
    box.run(200, "vllm serve m", uid=0)
    box.run(300, "vllm serve m", uid=0)
    box.listen(8000, None)
    assert discover(box).servers == ()


def test_an_untrusted_claim_cannot_spoil_a_trusted_one(box: Box) -> None:
    box.run(200, "vllm serve m", uid=0)
    box.run(300, "vllm serve m", uid=2000)
    box.listen(8000, None)
    server = only_server(discover(box))
    assert (server.pid, server.verified) == (200, True)


# --- what can be missing ------------------------------------------------------------------------------------------


def test_a_process_that_vanishes_during_the_scan_is_left_out(box: Box) -> None:
    box.run(200, "vllm serve m")
    box.run(300, "llama-server --metrics")
    box.listen(8000, 200)
    box.listen(8080, 300)
    box.gone.add(200)
    assert only_server(discover(box)).engine == "llama.cpp"


def test_a_listener_that_vanishes_leaves_its_root_to_answer_for_it(box: Box) -> None:
    box.run(200, "vllm serve m")
    box.run(201, "VLLM::APIServer_0", 200)
    box.listen(8000, 201)
    box.gone.add(201)
    assert only_server(discover(box)).started_at_s == 1200.0


def test_a_reused_pid_that_closes_a_circle_of_parents_does_not_hang_the_scan(box: Box) -> None:
    box.run(200, "vllm serve m", parent=201)
    box.run(201, "VLLM::EngineCore", parent=200)
    box.listen(8000, 200)
    assert discover(box).servers


@pytest.mark.parametrize("sockets_are_seen", [True, False])
def test_an_empty_box_says_so(box: Box, sockets_are_seen: bool) -> None:
    box.run(1, "/sbin/init", 0)
    box.ports = [] if sockets_are_seen else None
    assert only_probe(discover(box)).name == "inference servers"


def test_sockets_are_listed_once_for_servers_and_exporters(box: Box) -> None:
    box.run(200, "vllm serve m")
    box.listen(8000, 200)
    box.run(300, "dcgm-exporter", uid=0)
    box.listen(9400, 300)
    found = discover(box)
    assert only_server(found).address == "127.0.0.1:8000"
    assert found.exporters == ("http://127.0.0.1:9400/metrics",)
    assert box.socket_scans == 1


def test_what_the_system_hides_is_told(box: Box) -> None:
    box.run(200, "vllm serve m")
    box.ports, box.hidden, box.host_pids = None, 3, False
    found = discover(box)
    assert not found.pids_are_the_hosts
    assert [probe.name for probe in found.probes] == ["vllm pid 200", "processes", "listening ports", "process ids"]
    assert all(probe.hint and not probe.ok for probe in found.probes)
