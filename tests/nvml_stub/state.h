/* The stub while it runs: the clock, the init count, handles, and what every call goes through first. */
#ifndef STATE_H
#define STATE_H

#include "scenario.h"

#define EXPORT __attribute__((visibility("default")))

/* Opaque to callers: magic, init generation, MIG slot + 1 and device index, so a stale or made-up handle is found out. A
   MIG handle dies with the instance in its slot, and is that of the next one there. */
typedef uint64_t Handle;

/* Counts the call, then lets the scenario delay, hang or refuse it. On SUCCESS `*now_ns` is the scenario's time.
   A device call gets its device; where it takes a MIG handle too, that instance, or NULL for the whole GPU. Rules for
   calls on a MIG handle are named `mig:CALL`. */
int enter_library(const char *call, int64_t *now_ns);
int enter_device(const char *call, Handle handle, const Gpu **gpu, int64_t *now_ns);
int enter_device_or_mig(const char *call, Handle handle, const Gpu **gpu, const Mig **mig, int64_t *now_ns);
int refusal_of(const Rules *rules, const char *call, int64_t now_ns); /* the code of an `error` rule, or SUCCESS */

/* How every device function begins. */
#define DEVICE_CALL(call) \
    const Gpu *gpu = NULL; \
    int64_t now_ns = 0; \
    const int refused = enter_device(call, handle, &gpu, &now_ns); \
    if (refused) \
        return refused; \
    const double now_s = (double)now_ns / 1e9; \
    (void)now_s

/* How a device function begins that takes MIG handles too. */
#define DEVICE_OR_MIG_CALL(call) \
    const Gpu *gpu = NULL; \
    const Mig *mig = NULL; \
    int64_t now_ns = 0; \
    const int refused = enter_device_or_mig(call, handle, &gpu, &mig, &now_ns); \
    if (refused) \
        return refused; \
    const double now_s = (double)now_ns / 1e9; \
    (void)now_s

/* A wait of at most `timeout_ms` of real time. A shutdown by anybody ends it, so that a test need not sit it out. */
typedef struct { int64_t until_ns; long shutdowns; } Wait;
Wait wait_begun(unsigned timeout_ms);
int wait_on(const Wait *wait, int64_t *now_ns); /* a moment more; 0 when it is over */

const Scenario *scenario_now(void);
Handle handle_of(int index);
Handle mig_handle_of(int index, int slot);
const Mig *mig_in_slot(const Gpu *gpu, int slot, int64_t now_ns); /* NULL: none there now */
int is_running(const Gpu *gpu, const Process *process, const Mig *mig, int64_t now_ns); /* on `mig`, or anywhere */

#endif
