"""Free text for others: kept when all its words are ones that tokwatch itself writes, or stand for a name."""

from __future__ import annotations

import re
from typing import Final

from tokwatch.handover.names import REMOVED, Names

# What the texts of states, alerts, probes and problems are made of. A word that is missing here costs a text, no name.
_WORDS_WRITTEN: Final = """
    a aborted about above accept accepted access action activity added address adds admission after again alert
    alerts alike all allow allow-metrics alone already also although amd among an and anew another answer answered
    answering answers any apart api api_server are as ascending ascii ask asked asleep at attempts auto available
    average awake awq b backend backends bad batches be before began begins belongs below between beyond bf16 bios
    block blocks board book boost both box brake bucket buckets buckets' budget builds bursts bus busy but by byte c
    ca cable cache cache's cacheconfig cached caching call called calls can cancelled cannot cap capacity capped
    captured carbon certificate cgroup changed channel channels characters charset chart check choose class cleaned
    cli clocks closed columns come command comparing component condition config connection connectors contained
    container container's context corrupt cost could count counted counter counters counts cpp cpu credential cuda
    cumulative cut d data database days dcgm-exporter dear declare decode decoding deferred demo denied deployment
    dev device device-metrics-exporter devices did different disks display divided dmesg do doctor does domain done
    double-bit down draft drain drained drawn driver driver's dump dynamo e e2e each earlier earned ecc edge
    electricity else embedding enable-metrics end ended endpoint ends energy engine engines enough ensemble
    entrypoints environment epoch equal error errors estimated events every exception excluding execution expert
    exporter external factor failed fails fall false fans far fast fault fell few fewer field figure figures file
    finished first five float for force format found fp16 fp8 from frontend frontend's full functions g gaps garbled
    gateway gaudi gb generated generation get give gives goes gone good gptq gpu gpu's gpu-reset gpus graphics grpc
    gsp h had halt hardware has have hbm heat held help here hide high histogram histograms hit hold holds host
    host's hot hour hours html http https hw hwmon i idle ids if import in included includes index inf inference
    inferencex's information inforom inhibited input inputs inside install instead int4 int8 intel-rapl inter-token
    internal interrupts invoice is it itl its itself joules json k keep kept kernel known knows kserve's kv kv-cache
    kw kwh label labels large larger last latencies latency later launch leaves left length lengths let level
    libnvidia-ml library lie like limit limits line lines list listening listens lists live llama llama-server
    llama.cpp llmengine lmdeploy load loaded loading local log-in long longer look losses lost lspci m machine made
    main makes malformed manager max may mean means measure measured median memory met meter meters metric metrics
    metrics-config metrics-port mib micro-controller microseconds milliseconds minute minutes missing mix mlc mlc's
    mocker mod mode model models modprobe module module's modules moment month month's months more most mostly ms
    multimodal must mutes mw mxfp mxfp4 name named names namespace native need needs neither network never new newer
    next nim no no-process nobody node none nor not nothing now ns number numbers nvidia nvidia-imex nvidia-smi
    nvlink nvml nvmldevicegetfieldvalues nvmlgpmmetricsget nvrm observed of off ollama on once one ones only open
    openai opened operating options or order origin other out output outside over overloaded own p50 p95 p99
    packages page pages pairs parallel parked part passes password path paths pcie peer-to-peer per percent
    permission persistence phase picker pid pipeline placed plain please plugin pm point port ports power powercap
    precision preemption prefill prefix price priced prices printable process processed processes processing
    processor processors program program's progress prometheus prometheus-port prompt prompts proxy proxy's publish
    pue purpose put python quantiles queue rapl rate reached read readable readings ready real reason reboot record
    recorded recover recovery recreate redirects refused rejected releases reliability reloaded remapping removed
    replica replica's replicas report request requested requests reset resolved rest restart restarted restarts
    rests resume reused right role room root route router row rows run running runs runtime s same samples say
    saying says scenario scope scopes scrape seconds secret see seen segments sends series serve served server
    server's servers serving set settings seven several sglang sglang-router share shared shares shortly shown shows
    shut silent simulated since sine single-bit size sleep sleeping slo slos slot slots slow slowdown slowed smg so
    sockets software some source speculation speculative spent square standard stands start starting state statement
    stay steady steps still stop stopped store stored stretch successfully such sudo sum superchip supply sw
    switched sync sys system t table taken talks target task tells tenant tenants tensor tensorrt-llm tensorrt_llm
    text text-embeddings-inference text-generation-inference tgi than that the their them then there thermal these
    they things this those throttle tick time timed timeout timestamp tls to together tok token tokens tokwatch told
    too took total tpot tpu traffic triton tritonserver trtllm trtllm-serve true trust trusted ttft twice two type
    uncontained under units unix unix-ms unknown unless unload unpacked unread unrecovered unsupported until up
    update upgraded url urls usable usage usd use used user user's uses usual utilization uuid v value variable
    vendor version view virtual visible vllm vllm's w wait waiting waits wants warming warning was watched watt
    watts weak weights were what when where whether which while whole why window with within without work worker
    workers workers' works worth would write writer x xid xpu yet you your zip
    """
_WORDS: Final = frozenset(_WORDS_WRITTEN.split())
_SPLIT: Final = re.compile(r"[\s,;:!?()\[\]\"“”/|=<>≤≥→×÷·–—…+*]+")
_NUMBER: Final = re.compile(r"[~$€£#≈-]?\d{1,9}(?:\.\d{1,6}){0,3}%?(?:[a-zµ°]{1,3}|[KMGT]i?B|W|kW|kWh|J|kJ)?(?:/s|/h)?")
_ADDRESS: Final = re.compile(
    r"https?://[^\s,;)]*|\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?|\[[0-9a-f:]*:[0-9a-f:]*\](?::\d+)?"
    r"|\b[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]\b|\b(?:localhost|[\w-]+(?:\.[\w-]+)+):\d+",
    re.IGNORECASE,
)
_PRODUCT: Final = re.compile(r"(?:H100|H200|A100|B200|B300|GB200|L40S?|L4|A10G?|T4|V100|MI\d{3}X?|FP\d|BF16)", re.I)


def public_text(text: str, names: Names) -> str:
    """A text without names: those that are known replaced, addresses too; "(removed)" for one with any other word."""
    replaced = _ADDRESS.sub("(address)", names.within(text))
    stand_ins = names.stand_ins() | {"address"}
    for word in _SPLIT.split(replaced):
        word = word.strip(".'’-_")
        if word and word not in stand_ins and word.lower() not in _WORDS and not _is_figure(word):
            return REMOVED
    return replaced


def _is_figure(word: str) -> bool:
    return _NUMBER.fullmatch(word) is not None or _PRODUCT.fullmatch(word) is not None
