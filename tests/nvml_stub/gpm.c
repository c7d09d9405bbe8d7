/* GPM: samples of a GPU, and the mean of its activity between two of them. Hopper and newer. */
#include "state.h"

#include <stdio.h>

static const int HOPPER = 9;
static const int64_t SHORTEST_NS = 100000000; /* samples less far apart are refused, so that a test finds them out */

typedef struct { uint32_t version, supported; } Support;
typedef struct { Handle device; const Gpu *gpu; int64_t t_ns; Handle opened; } Sample; /* opened 0: free */
typedef struct { uint32_t id; int32_t code; double value; const char *names[3]; } Metric;
typedef struct { uint32_t version, metrics; Sample *first, *second; Metric metric[]; } MetricsRequest;

_Static_assert(sizeof(Metric) == 40 && sizeof(MetricsRequest) == 24, "layout");

static Sample samples[2 * MAX_GPUS];

EXPORT int nvmlGpmQueryDeviceSupport(Handle handle, Support *out) {
    DEVICE_CALL("nvmlGpmQueryDeviceSupport");
    out->supported = gpu->architecture >= HOPPER;
    return out->version == 1 ? SUCCESS : ARGUMENT_VERSION_MISMATCH;
}

EXPORT int nvmlGpmSampleAlloc(Sample **out) {
    int64_t now_ns;
    const int refused = enter_library("nvmlGpmSampleAlloc", &now_ns);
    if (refused)
        return refused;
    for (*out = samples; *out < samples + sizeof samples / sizeof *samples; ++*out)
        if ((*out)->opened != handle_of(0)) { /* one of an earlier initialisation is nobody's any more */
            **out = (Sample){.opened = handle_of(0)};
            return SUCCESS;
        }
    return INSUFFICIENT_SIZE; /* somebody does not give them back */
}

static int is_open(const Sample *sample) { return sample && sample->opened == handle_of(0); }

EXPORT int nvmlGpmSampleFree(Sample *sample) {
    int64_t now_ns;
    const int refused = enter_library("nvmlGpmSampleFree", &now_ns);
    if (refused)
        return refused;
    if (!is_open(sample))
        return INVALID_ARGUMENT;
    sample->opened = 0;
    return SUCCESS;
}

EXPORT int nvmlGpmSampleGet(Handle handle, Sample *sample) {
    DEVICE_CALL("nvmlGpmSampleGet");
    if (!is_open(sample))
        return INVALID_ARGUMENT;
    sample->device = handle, sample->gpu = gpu, sample->t_ns = now_ns;
    return gpu->architecture >= HOPPER ? SUCCESS : NOT_SUPPORTED;
}

static int fill(Metric *metric, const Gpu *gpu, int64_t from_ns, int64_t until_ns) {
    char call[32];
    snprintf(call, sizeof call, "gpm:%u", metric->id);
    const int refused = refusal_of(&gpu->rules, call, until_ns);
    if (refused)
        return refused;
    const Quantity *percent = metric->id == 5 ? &gpu->tensor_percent : metric->id == 10 ? &gpu->dram_percent : NULL;
    if (!percent)
        return NOT_SUPPORTED;
    const double from_s = (double)from_ns / 1e9, until_s = (double)until_ns / 1e9;
    metric->value = (quantity_integral(percent, until_s) - quantity_integral(percent, from_s)) / (until_s - from_s);
    return SUCCESS;
}

EXPORT int nvmlGpmMetricsGet(MetricsRequest *request) {
    int64_t now_ns;
    const int refused = enter_library("nvmlGpmMetricsGet", &now_ns);
    if (refused)
        return refused;
    if (request->version != 1)
        return ARGUMENT_VERSION_MISMATCH;
    const Sample *first = request->first, *second = request->second;
    if (!is_open(first) || !is_open(second) || !first->gpu || first->device != second->device
        || second->t_ns - first->t_ns <= SHORTEST_NS)
        return INVALID_ARGUMENT;
    for (uint32_t i = 0; i < request->metrics; i++)
        request->metric[i].code = fill(&request->metric[i], first->gpu, first->t_ns, second->t_ns);
    return SUCCESS;
}
