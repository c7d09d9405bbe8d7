"""On which ports of this box exporters are looked for, and on which never."""

from __future__ import annotations

from collectors.discovery.likely_exporters import likely_exporters
from collectors.readings import ServerFacts
from tests.collectors.discovery import made_up_box


def test_only_open_ports_that_no_inference_server_holds_are_tried() -> None:
    box = made_up_box.Box()
    box.run(10, "dcgm-exporter", uid=0)
    box.run(20, "vllm serve m --port 5000")
    box.run(21, "python worker.py", parent=20)
    box.run(30, "trtllm-serve m")
    box.listen(9400, 10)
    box.listen(5000, 20)  # an inference server's own
    box.listen(9090, 21)  # … and another of its process group
    box.listen(8000, 30)  # never guessed: TensorRT-LLM's /metrics loses data with every read
    server = ServerFacts("127.0.0.1:5000", "vllm", pid=20, pids=(20, 21))
    assert likely_exporters(box.ports or (), [server], box) == ("http://127.0.0.1:9400/metrics",)


def test_another_users_exporter_is_not_believed_unless_it_is_named() -> None:
    box = made_up_box.Box()
    box.run(10, "nc -l 9400", uid=2000)
    box.listen(9400, 10)
    assert likely_exporters(box.ports or (), [], box) == ()


def test_a_port_whose_owner_is_not_ours_to_see_is_tried() -> None:
    box = made_up_box.Box()
    box.listen(9835, None)
    assert likely_exporters(box.ports or (), [], box) == ("http://127.0.0.1:9835/metrics",)


def test_another_users_port_is_not_believed_though_its_process_hides() -> None:
    """The kernel tells everybody which user opened a socket."""
    box = made_up_box.Box()
    box.listen(9400, None, uid=2000)
    box.listen(9835, None, uid=0)
    assert likely_exporters(box.ports or (), [], box) == ("http://127.0.0.1:9835/metrics",)
