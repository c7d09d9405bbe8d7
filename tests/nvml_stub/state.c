/* The stub's state, and the extra nvml_stub_* functions by which a test controls it. */
#define _GNU_SOURCE
#include "state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t MAGIC = 0x70C3;
static const int64_t NS_PER_S = 1000000000;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;

static Scenario scenario;
static int loaded, inits, hangs_released;
static long shutdowns;
static uint64_t generation;
static int virtual_clock;
static int64_t virtual_ns;
static struct { char name[64]; long calls; } counts[128];

const Scenario *scenario_now(void) { return &scenario; }
Handle handle_of(int index) { return MAGIC << 48 | (generation & 0xFFFFFF) << 16 | (uint64_t)index; }
Handle mig_handle_of(int index, int slot) { return handle_of(index) | (uint64_t)(slot + 1) << 8; }

const Mig *mig_in_slot(const Gpu *gpu, int slot, int64_t now_ns) {
    const double t = (double)now_ns / NS_PER_S;
    for (int i = 0; gpu->mig && i < gpu->migs; i++)
        if (gpu->migs_of[i].slot == slot && gpu->migs_of[i].from_s <= t && t < gpu->migs_of[i].until_s)
            return &gpu->migs_of[i];
    return NULL;
}

int is_running(const Gpu *gpu, const Process *process, const Mig *mig, int64_t now_ns) {
    const double t = (double)now_ns / NS_PER_S;
    if (t < process->from_s || process->until_s <= t)
        return 0;
    if (process->slot < 0)
        return !mig;
    const Mig *its = mig_in_slot(gpu, process->slot, now_ns);
    return its && (!mig || mig == its);
}

static int64_t clock_ns(void) {
    if (virtual_clock)
        return virtual_ns;
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t scenario_ns(void) { return scenario.has_t0 ? clock_ns() - scenario.t0_ns : 0; }

static void count(const char *call) {
    size_t i = 0;
    while (i < sizeof counts / sizeof *counts && counts[i].calls && strcmp(counts[i].name, call))
        i++;
    if (i == sizeof counts / sizeof *counts)
        abort();
    snprintf(counts[i].name, sizeof counts[i].name, "%s", call);
    counts[i].calls++;
}

static int holds(const Rule *rule, const char *call, int64_t now_ns) {
    const double t = (double)now_ns / NS_PER_S;
    const int named = !strcmp(rule->call, call);
    const int any = !strcmp(rule->call, "*") && strcmp(call, "nvmlInitWithFlags") && strcmp(call, "nvmlShutdown")
                    && strncmp(call, "field:", 6) && strncmp(call, "gpm:", 4);
    return (named || any) && rule->from_s <= t && t < rule->until_s;
}

static const Rule *rule_for(const Rules *rules, int kind, const char *call, int64_t now_ns) {
    for (int i = 0; i < rules->rules; i++)
        if ((int)rules->rule[i].kind == kind && holds(&rules->rule[i], call, now_ns))
            return &rules->rule[i];
    return NULL;
}

int refusal_of(const Rules *rules, const char *call, int64_t now_ns) {
    const Rule *rule = rule_for(rules, ERROR, call, now_ns);
    return rule ? rule->code : SUCCESS;
}

/* Holds the caller up as the scenario says. The lock is free while it waits, as a driver's other callers go on. */
static void hold_up(const Rules *rules, const char *call) {
    while (!hangs_released && rule_for(rules, HANG, call, scenario_ns()))
        pthread_cond_wait(&released, &lock);
    const Rule *delay = rule_for(rules, DELAY, call, scenario_ns());
    if (!delay)
        return;
    const int64_t ns = (int64_t)(delay->delay_ms * 1e6);
    const struct timespec length = {ns / NS_PER_S, ns % NS_PER_S};
    pthread_mutex_unlock(&lock);
    nanosleep(&length, NULL);
    pthread_mutex_lock(&lock);
}

static int enter(const char *call, const Handle *handle, const Gpu **gpu, const Mig **mig, int64_t *now_ns) {
    if (!inits)
        return UNINITIALIZED;
    const Rules *rules = &scenario.rules;
    hold_up(rules, call);
    *now_ns = scenario_ns();
    int code = refusal_of(rules, call, *now_ns);
    if (code || !handle)
        return code;
    const uint64_t index = *handle & 0xFF, slot = *handle >> 8 & 0xFF;
    if (index >= (uint64_t)scenario.gpus || (*handle & ~(uint64_t)0xFF00) != handle_of((int)index))
        return INVALID_ARGUMENT;
    *gpu = &scenario.gpu[index];
    char on_mig[80];
    snprintf(on_mig, sizeof on_mig, "mig:%s", call);
    const char *name = slot ? on_mig : call;
    hold_up(&(*gpu)->rules, name);
    *now_ns = scenario_ns();
    code = refusal_of(&(*gpu)->rules, name, *now_ns);
    if (code || !slot)
        return code;
    const Mig *instance = mig_in_slot(*gpu, (int)slot - 1, *now_ns);
    if (!instance)
        return INVALID_ARGUMENT;
    if (!mig)
        return NOT_SUPPORTED;
    *mig = instance;
    return SUCCESS;
}

int enter_library(const char *call, int64_t *now_ns) {
    pthread_mutex_lock(&lock);
    count(call);
    const int code = enter(call, NULL, NULL, NULL, now_ns);
    pthread_mutex_unlock(&lock);
    return code;
}

int enter_device(const char *call, Handle handle, const Gpu **gpu, int64_t *now_ns) {
    return enter_device_or_mig(call, handle, gpu, NULL, now_ns);
}

int enter_device_or_mig(const char *call, Handle handle, const Gpu **gpu, const Mig **mig, int64_t *now_ns) {
    pthread_mutex_lock(&lock);
    count(call);
    const int code = enter(call, &handle, gpu, mig, now_ns);
    pthread_mutex_unlock(&lock);
    return code;
}

static int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

Wait wait_begun(unsigned timeout_ms) {
    pthread_mutex_lock(&lock);
    const Wait wait = {monotonic_ns() + timeout_ms * 1000000LL, shutdowns};
    pthread_mutex_unlock(&lock);
    return wait;
}

int wait_on(const Wait *wait, int64_t *now_ns) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 200000000;/* the real clock turns by itself: look again */
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    pthread_mutex_lock(&lock);
    int goes_on = inits && wait->shutdowns == shutdowns && monotonic_ns() < wait->until_ns;
    if (goes_on)
        pthread_cond_timedwait(&released, &lock, &until);
    *now_ns = scenario_ns();
    goes_on = goes_on && inits && wait->shutdowns == shutdowns;
    pthread_mutex_unlock(&lock);
    return goes_on;
}

static int load_from_environment(void) {
    const char *path = getenv("TOKWATCH_NVML_SCENARIO");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) {
        fprintf(stderr, "nvml stub: TOKWATCH_NVML_SCENARIO names no readable file: %s\n", path ? path : "(unset)");
        return 0;
    }
    static char text[1 << 20];
    const size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    const int line = scenario_parse(&scenario, text);
    if (line)
        fprintf(stderr, "nvml stub: %s:%d makes no sense\n", path, line);
    return !line;
}

EXPORT int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    pthread_mutex_lock(&lock);
    count("nvmlInitWithFlags");
    int code = UNKNOWN;
    if (loaded || (loaded = load_from_environment())) {
        if (!scenario.has_t0) {
            scenario.has_t0 = 1;
            scenario.t0_ns = clock_ns();
        }
        hold_up(&scenario.rules, "nvmlInitWithFlags");
        code = refusal_of(&scenario.rules, "nvmlInitWithFlags", scenario_ns());
        if (code == SUCCESS && !inits++)
            generation++;
    }
    pthread_mutex_unlock(&lock);
    return code;
}

EXPORT int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

EXPORT int nvmlShutdown(void) {
    pthread_mutex_lock(&lock);
    count("nvmlShutdown");
    const int code = inits ? SUCCESS : UNINITIALIZED;
    inits -= inits > 0;
    shutdowns++;
    pthread_cond_broadcast(&released);
    pthread_mutex_unlock(&lock);
    return code;
}

/* --- control, for tests ------------------------------------------------------------------------------------------ */

/* A new scenario and a clean slate; 0, or the first line that makes no sense. */
EXPORT int nvml_stub_load(const char *text) {
    pthread_mutex_lock(&lock);
    const int line = scenario_parse(&scenario, text);
    loaded = !line;
    inits = hangs_released = virtual_clock = 0;
    memset(counts, 0, sizeof counts);
    pthread_mutex_unlock(&lock);
    return line;
}

/* From now on CLOCK_BOOTTIME is what the test says. Without a t0_ns the first time set is the scenario's second 0. */
EXPORT void nvml_stub_set_clock_ns(int64_t now_ns) {
    pthread_mutex_lock(&lock);
    virtual_clock = 1;
    virtual_ns = now_ns;
    if (!scenario.has_t0) {
        scenario.has_t0 = 1;
        scenario.t0_ns = now_ns;
    }
    pthread_cond_broadcast(&released); /* a hang may end by its `until` */
    pthread_mutex_unlock(&lock);
}

EXPORT void nvml_stub_release_hangs(void) {
    pthread_mutex_lock(&lock);
    hangs_released = 1;
    pthread_cond_broadcast(&released);
    pthread_mutex_unlock(&lock);
}

EXPORT long nvml_stub_calls(const char *call) {
    pthread_mutex_lock(&lock);
    long calls = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (!strcmp(counts[i].name, call))
            calls = counts[i].calls;
    pthread_mutex_unlock(&lock);
    return calls;
}
