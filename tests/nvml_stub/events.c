/* Events: sets of registered GPUs, and the wait for the Xids of a scenario. Each comes once, and only after its GPU was
   registered. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

enum { XID_EVENT = 0x8, NO_INSTANCE = -1 };

typedef struct { Handle device; uint64_t type, data; int32_t gpu_instance, compute_instance; } EventData;
typedef struct {
    Handle opened;
    int64_t since_ns[MAX_GPUS]; /* when it was registered; -1: it is not */
    int delivered[MAX_GPUS][MAX_EVENTS];
} EventSet;

_Static_assert(sizeof(EventData) == 32, "layout");

EXPORT int nvmlEventSetCreate(EventSet **out) {
    int64_t now_ns;
    const int refused = enter_library("nvmlEventSetCreate", &now_ns);
    if (refused)
        return refused;
    *out = calloc(1, sizeof **out);
    (*out)->opened = handle_of(0);
    memset((*out)->since_ns, -1, sizeof (*out)->since_ns);
    return SUCCESS;
}

EXPORT int nvmlEventSetFree(EventSet *set) {
    int64_t now_ns;
    const int refused = enter_library("nvmlEventSetFree", &now_ns);
    free(set); /* also when refused: nobody can use it again */
    return refused;
}

EXPORT int nvmlDeviceGetSupportedEventTypes(Handle handle, uint64_t *out) {
    DEVICE_CALL("nvmlDeviceGetSupportedEventTypes");
    *out = XID_EVENT;
    return SUCCESS;
}

EXPORT int nvmlDeviceRegisterEvents(Handle handle, uint64_t types, EventSet *set) {
    DEVICE_CALL("nvmlDeviceRegisterEvents");
    if (types & ~(uint64_t)XID_EVENT)
        return NOT_SUPPORTED;
    set->since_ns[gpu - scenario_now()->gpu] = now_ns;
    return SUCCESS;
}

static int take(EventSet *set, int64_t now_ns, EventData *out) {
    const double now_s = (double)now_ns / 1e9;
    for (int i = 0; i < scenario_now()->gpus; i++) {
        const Gpu *gpu = &scenario_now()->gpu[i];
        for (int j = 0; set->since_ns[i] >= 0 && j < gpu->xids; j++) {
            const Xid *xid = &gpu->xid[j];
            if (set->delivered[i][j] || xid->at_s < (double)set->since_ns[i] / 1e9 || now_s < xid->at_s)
                continue;
            set->delivered[i][j] = 1;
            *out = (EventData){handle_of(i), XID_EVENT, xid->code, NO_INSTANCE, NO_INSTANCE};
            return 1;
        }
    }
    return 0;
}

EXPORT int nvmlEventSetWait_v2(EventSet *set, EventData *out, unsigned timeout_ms) {
    int64_t now_ns;
    const int refused = enter_library("nvmlEventSetWait_v2", &now_ns);
    if (refused)
        return refused;
    if (set->opened != handle_of(0))
        return INVALID_ARGUMENT;
    const Wait wait = wait_begun(timeout_ms);
    do
        if (take(set, now_ns, out))
            return SUCCESS;
    while (wait_on(&wait, &now_ns));
    return TIMEOUT;
}
