/* Process lists: the two-step size protocol, and the record that early 535 drivers wrote instead. */
#include "state.h"

static const double BYTES_PER_MIB = 1048576;
static const uint32_t NO_INSTANCE = 0xFFFFFFFF;

typedef struct { uint32_t pid; uint64_t bytes; uint32_t gpu_instance, compute_instance; } ProcessV3;
typedef struct { ProcessV3 process; uint64_t protected_bytes; } Process535; /* same version number, longer record */

_Static_assert(sizeof(ProcessV3) == 24 && sizeof(Process535) == 32, "array elements");

static int no_processes(const char *call, Handle handle, unsigned *count) {
    DEVICE_CALL(call);
    *count = 0;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v3(Handle handle, unsigned *count, void *out) {
    (void)out;
    return no_processes("nvmlDeviceGetGraphicsRunningProcesses_v3", handle, count);
}

EXPORT int nvmlDeviceGetMPSComputeRunningProcesses_v3(Handle handle, unsigned *count, void *out) {
    (void)out;
    return no_processes("nvmlDeviceGetMPSComputeRunningProcesses_v3", handle, count);
}

EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(Handle handle, unsigned *count, void *out) {
    DEVICE_OR_MIG_CALL("nvmlDeviceGetComputeRunningProcesses_v3");
    unsigned running = 0;
    for (int i = 0; i < gpu->processes; i++)
        running += is_running(gpu, &gpu->process[i], mig, now_ns);
    const unsigned room = *count;
    *count = running;
    if (running > room)
        return INSUFFICIENT_SIZE;
    unsigned written = 0;
    for (int i = 0; i < gpu->processes; i++) {
        const Process *process = &gpu->process[i];
        if (!is_running(gpu, process, mig, now_ns))
            continue;
        const uint32_t instance = process->slot < 0 ? NO_INSTANCE : (uint32_t)process->slot;
        const ProcessV3 entry = {process->pid, (uint64_t)(process->mib * BYTES_PER_MIB), instance, instance};
        const Process535 broken = {entry, 0};
        if (!gpu->broken_process_struct)
            ((ProcessV3 *)out)[written++] = entry;
        else if ((written + 1) * sizeof broken <= room * sizeof entry)
            ((Process535 *)out)[written++] = broken;
    }
    return SUCCESS;
}
