/* The scenario format: text to Scenario. One statement a line; a `gpu` line opens the next device. */
#include "scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name; int code; } CODES[] = {
    {"UNINITIALIZED", 1},  {"INVALID_ARGUMENT", 2},    {"NOT_SUPPORTED", 3},       {"NO_PERMISSION", 4},
    {"NOT_FOUND", 6},      {"INSUFFICIENT_SIZE", 7},   {"DRIVER_NOT_LOADED", 9},   {"TIMEOUT", 10},
    {"INSUFFICIENT_POWER", 8}, {"DEPRECATED", 26},
    {"IRQ_ISSUE", 11},     {"LIBRARY_NOT_FOUND", 12},  {"FUNCTION_NOT_FOUND", 13}, {"CORRUPTED_INFOROM", 14},
    {"GPU_IS_LOST", 15},   {"RESET_REQUIRED", 16},     {"OPERATING_SYSTEM", 17},   {"LIB_RM_VERSION_MISMATCH", 18},
    {"IN_USE", 19},        {"MEMORY", 20},             {"NO_DATA", 21},            {"ARGUMENT_VERSION_MISMATCH", 25},
    {"UNKNOWN", 999},
};

static int code_named(const char *name) {
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (!strcmp(CODES[i].name, name))
            return CODES[i].code;
    return -1;
}

static int add_wave(Quantity *quantity, const char *text) {
    char kind[16];
    int used = 0;
    if (quantity->waves == MAX_WAVES || sscanf(text, "%15s%n", kind, &used) != 1)
        return 0;
    Wave *wave = &quantity->wave[quantity->waves++];
    double *a = wave->a;
    const char *rest = text + used;
    if (!strcmp(kind, "square")) {
        wave->kind = SQUARE;
        return sscanf(rest, "%lf %lf %lf %lf %lf", a, a + 1, a + 2, a + 3, a + 4) >= 4 && a[2] > 0;
    }
    if (!strcmp(kind, "sine")) {
        wave->kind = SINE;
        return sscanf(rest, "%lf %lf %lf", a, a + 1, a + 2) >= 2 && a[1] > 0;
    }
    if (!strcmp(kind, "ramp")) {
        wave->kind = RAMP;
        return sscanf(rest, "%lf %lf %lf", a, a + 1, a + 2) == 3 && 0 <= a[0] && a[0] < a[1];
    }
    if (!strcmp(kind, "segments")) {
        wave->kind = SEGMENTS;
        double from, level, previous = 0;
        while (wave->points < MAX_POINTS && sscanf(rest, " %lf:%lf%n", &from, &level, &used) == 2) {
            if (from < previous)
                return 0;
            previous = wave->from_s[wave->points] = from;
            wave->level[wave->points++] = level;
            rest += used;
        }
        return wave->points > 0 && rest[strspn(rest, " ")] == '\0';
    }
    wave->kind = CONSTANT;
    char *end;
    a[0] = strtod(text, &end);
    return end != text && *end == '\0';
}

static int add_rule(Rules *rules, const char *key, const char *text) {
    if (rules->rules == MAX_RULES)
        return 0;
    Rule *rule = &rules->rule[rules->rules++];
    char code[64];
    rule->until_s = INFINITY;
    if (!strcmp(key, "error")) {
        rule->kind = ERROR;
        const int given = sscanf(text, "%63s %63s %lf %lf", rule->call, code, &rule->from_s, &rule->until_s);
        return given >= 2 && (rule->code = code_named(code)) > 0;
    }
    if (!strcmp(key, "delay")) {
        rule->kind = DELAY;
        return sscanf(text, "%63s %lf %lf %lf", rule->call, &rule->delay_ms, &rule->from_s, &rule->until_s) >= 2;
    }
    rule->kind = HANG;
    return sscanf(text, "%63s %lf %lf", rule->call, &rule->from_s, &rule->until_s) >= 1;
}

static int is_rule(const char *key) {
    return !strcmp(key, "error") || !strcmp(key, "delay") || !strcmp(key, "hang");
}

static int add_process(Gpu *gpu, int slot, const char *text) {
    if (gpu->processes == MAX_PROCESSES)
        return 0;
    Process *process = &gpu->process[gpu->processes++];
    process->slot = slot;
    process->until_s = INFINITY;
    return sscanf(text, "%u %lf %lf %lf", &process->pid, &process->mib, &process->from_s, &process->until_s) >= 2;
}

static int add_mig_process(Gpu *gpu, const char *text) {
    int slot, used = 0;
    return sscanf(text, "%d %n", &slot, &used) == 1 && slot >= 0 && slot < MAX_MIG
           && add_process(gpu, slot, text + used);
}

static int add_mig(Gpu *gpu, int index, const char *text) {
    if (gpu->migs == MAX_EVENTS)
        return 0;
    Mig *mig = &gpu->migs_of[gpu->migs];
    mig->until_s = INFINITY;
    snprintf(mig->uuid, sizeof mig->uuid, "MIG-00000000-0000-0000-%04d-%012d", index, gpu->migs++);
    return sscanf(text, "%d %31s %lf %lf %lf", &mig->slot, mig->profile, &mig->mib, &mig->from_s, &mig->until_s) >= 3
           && mig->slot >= 0 && mig->slot < MAX_MIG;
}

static int add_xid(Gpu *gpu, const char *text) {
    if (gpu->xids == MAX_EVENTS)
        return 0;
    Xid *xid = &gpu->xid[gpu->xids++];
    return sscanf(text, "%lf %lu", &xid->at_s, &xid->code) == 2;
}

static int add_glitch(Gpu *gpu, const char *text) {
    if (gpu->glitches == MAX_EVENTS)
        return 0;
    Glitch *glitch = &gpu->glitch[gpu->glitches++];
    double length_s = 1;
    const int given = sscanf(text, "%lf %lu %lf", &glitch->at_s, &glitch->mj, &length_s);
    glitch->until_s = glitch->at_s + length_s;
    return given >= 2;
}

static int gpu_statement(Gpu *gpu, int index, const char *key, const char *text) {
    const struct { const char *key; Quantity *quantity; } quantities[] = {
        {"power_w", &gpu->power_w}, {"utilization_percent", &gpu->utilization_percent},
        {"memory_utilization_percent", &gpu->memory_utilization_percent}, {"memory_used_mib", &gpu->memory_used_mib},
        {"temperature_c", &gpu->temperature_c}, {"memory_temperature_c", &gpu->memory_temperature_c},
        {"sm_clock_mhz", &gpu->sm_clock_mhz}, {"throttle", &gpu->throttle},
        {"tensor_percent", &gpu->tensor_percent}, {"dram_percent", &gpu->dram_percent},
        {"recovery_action", &gpu->recovery_action},
    };
    const struct { const char *key; double *number; } numbers[] = {
        {"limit_w", &gpu->limit_w}, {"memory_mib", &gpu->memory_mib}, {"memory_reserved_mib", &gpu->reserved_mib},
        {"module_w", &gpu->module_w}, {"energy_stuck", &gpu->stuck_s},
    };
    const struct { const char *key; char *word; size_t size; } words[] = {
        {"uuid", gpu->uuid, sizeof gpu->uuid}, {"pci", gpu->pci, sizeof gpu->pci},
        {"serial", gpu->serial, sizeof gpu->serial},
    };
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++)
        if (!strcmp(key, quantities[i].key))
            return add_wave(quantities[i].quantity, text);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(key, numbers[i].key))
            return sscanf(text, "%lf", numbers[i].number) == 1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(key, words[i].key))
            return (size_t)snprintf(words[i].word, words[i].size, "%s", text) < words[i].size;
    if (is_rule(key))
        return add_rule(&gpu->rules, key, text);
    if (!strcmp(key, "process"))
        return add_process(gpu, -1, text);
    if (!strcmp(key, "mig_process"))
        return add_mig_process(gpu, text);
    if (!strcmp(key, "mig_instance"))
        return add_mig(gpu, index, text);
    if (!strcmp(key, "xid"))
        return add_xid(gpu, text);
    if (!strcmp(key, "energy_glitch"))
        return add_glitch(gpu, text);
    if (!strcmp(key, "energy_reset"))
        return gpu->resets < MAX_EVENTS && sscanf(text, "%lf", &gpu->reset_s[gpu->resets++]) == 1;
    if (!strcmp(key, "energy_start_mj"))
        return sscanf(text, "%lu", &gpu->energy_start_mj) == 1;
    if (!strcmp(key, "energy_tick_ms"))
        return sscanf(text, "%ld", &gpu->energy_tick_ns) == 1 && (gpu->energy_tick_ns *= 1000000) > 0;
    if (!strcmp(key, "mig"))
        return (gpu->mig = !strcmp(text, "on")) || !strcmp(text, "off");
    if (!strcmp(key, "architecture"))
        return sscanf(text, "%d", &gpu->architecture) == 1;
    if (!strcmp(key, "process_struct"))
        return (gpu->broken_process_struct = !strcmp(text, "535"));
    if (!strcmp(key, "energy_scope"))
        return (gpu->module_counter = !strcmp(text, "module")) || !strcmp(text, "gpu");
    if (!strcmp(key, "persistence"))
        return (gpu->persistence = !strcmp(text, "on")) || !strcmp(text, "off");
    return 0;
}

static int open_gpu(Scenario *scenario, const char *name) {
    if (scenario->gpus == MAX_GPUS || !*name)
        return 0;
    const int index = scenario->gpus++;
    Gpu *gpu = &scenario->gpu[index];
    snprintf(gpu->name, sizeof gpu->name, "%s", name);
    snprintf(gpu->uuid, sizeof gpu->uuid, "GPU-00000000-0000-0000-0000-%012d", index);
    snprintf(gpu->pci, sizeof gpu->pci, "00000000:%02X:00.0", index + 1);
    snprintf(gpu->serial, sizeof gpu->serial, "%d", 1000 + index);
    gpu->limit_w = 700, gpu->memory_mib = 81559, gpu->module_w = -1;
    gpu->persistence = 1, gpu->architecture = 9;
    gpu->energy_tick_ns = 100000000, gpu->stuck_s = INFINITY;
    return 1;
}

static int statement(Scenario *scenario, const char *key, const char *text) {
    if (!strcmp(key, "gpu"))
        return open_gpu(scenario, text);
    if (scenario->gpus)
        return gpu_statement(&scenario->gpu[scenario->gpus - 1], scenario->gpus - 1, key, text);
    if (!strcmp(key, "driver"))
        return (size_t)snprintf(scenario->driver, sizeof scenario->driver, "%s", text) < sizeof scenario->driver;
    if (!strcmp(key, "cuda"))
        return sscanf(text, "%d", &scenario->cuda) == 1;
    if (!strcmp(key, "t0_ns"))
        return (scenario->has_t0 = sscanf(text, "%ld", &scenario->t0_ns) == 1);
    return is_rule(key) && add_rule(&scenario->rules, key, text);
}

int scenario_parse(Scenario *scenario, const char *text) {
    memset(scenario, 0, sizeof *scenario);
    snprintf(scenario->driver, sizeof scenario->driver, "580.82.07");
    scenario->cuda = 13000;
    for (int number = 1; *text; number++) {
        char line[4096], key[32];
        const size_t length = strcspn(text, "\n");
        if (length >= sizeof line)
            return number;
        memcpy(line, text, length);
        line[length] = '\0';
        text += length + (text[length] == '\n');
        line[strcspn(line, "#")] = '\0';
        size_t end = strlen(line);
        while (end && (line[end - 1] == ' ' || line[end - 1] == '\r'))
            line[--end] = '\0';
        int used = 0;
        if (sscanf(line, "%31s %n", key, &used) != 1)
            continue;
        if (!statement(scenario, key, line + used))
            return number;
    }
    return 0;
}
