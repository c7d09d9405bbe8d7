/* The stub while it runs: the clock, the init count, handles, and what every call goes through first. */
#ifndef STATE_H
#define STATE_H

#include "scenario.h"

#define EXPORT __attribute__((visibility("default")))

/* Opaque to callers: magic, init generation and device index, so a stale or made-up handle is found out. */
typedef uint64_t Handle;

/* Counts the call, then lets the scenario delay, hang or refuse it. On SUCCESS `*now_ns` is the scenario's time.
   A library call gives `gpu` NULL; a device call gets its device there. */
int enter_library(const char *call, int64_t *now_ns);
int enter_device(const char *call, Handle handle, const Gpu **gpu, int64_t *now_ns);
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

const Scenario *scenario_now(void);
Handle handle_of(int index);

#endif
