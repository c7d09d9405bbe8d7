"""Scripted scenarios: an hour of a box in seconds, through the real collectors, at the shipped thresholds.

    async def test_a_server_without_requests_is_parked(box: ScriptedBox) -> None:
        box.interval_s = 5
        gpu = box.gpu()
        box.server("org/big", gpu).serves(0, 120, tok_s=900)
        now = await box.at(600)
        assert now.states(gpu) == [(0, "serving"), (145, "parked")]
        assert now.alerts["parked"].status == "firing"

First everything is scripted, then the box is run: `await box.at(second)` records up to that second of the one virtual
clock and gives what a viewer sees then (`Told`). In between, `box.clock.jump(s)` is a box that sleeps, and
`box.stop_recorder()`, a jump and the next `at` are a recorder that restarts. What a server is asked is scripted in
`ScriptedServer`, what a GPU does without one in `ScriptedGpu`, which also says anything else of the stub's format.

Real are: the NVML binding over the C stub, the metrics pages over HTTP, the scraper, the sources, the bookkeeper, the
store and its writer, the config (as TOML). Made up are the driver's answers, the pages' contents, the process list,
the load of the host, and time. A state is booked from the beginning of the tick in which it is first seen, so a state
that begins at second 150 by ticks of 5 s counts from 145.
"""
