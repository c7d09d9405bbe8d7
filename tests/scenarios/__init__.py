"""Scripted scenarios: an hour of a box in seconds, through the real collectors, at the shipped thresholds.

    async def test_a_server_without_requests_is_parked(box: ScriptedBox) -> None:
        gpu = box.gpu()
        box.server("org/big", gpu).serves(0, 120, tok_s=900)
        now = await box.at(600)
        assert now.state(gpu) == "parked"
        assert now.alert("parked").status == "firing"

First everything is scripted, then the box is run: `await box.at(second)` records up to that second of the one virtual
clock and gives what a viewer sees then. Real are: the NVML binding over the C stub, the metrics pages over HTTP, the
scraper, the sources, the bookkeeper, the store and its writer, the config (as TOML). Made up are the driver's answers,
the pages' contents, the process list, and time.
"""
