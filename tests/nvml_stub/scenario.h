/* What a scenario holds once it is parsed, and what may be asked of it. The format is told in README.md. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_GPUS = 16, MAX_WAVES = 8, MAX_POINTS = 64, MAX_RULES = 64, MAX_PROCESSES = 64, MAX_EVENTS = 16,
       MAX_MIG = 7 };

enum Code {
    SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7, TIMEOUT = 10, ARGUMENT_VERSION_MISMATCH = 25, UNKNOWN = 999
};

/* One summand of a quantity. `a` holds the wave's numbers in the order in which the scenario gives them. */
typedef struct {
    enum { CONSTANT, SQUARE, SINE, RAMP, SEGMENTS } kind;
    double a[5];
    int points;
    double from_s[MAX_POINTS], level[MAX_POINTS];
} Wave;

typedef struct { int waves; Wave wave[MAX_WAVES]; } Quantity;

/* What happens to calls of one name from `from_s` up to, not including, `until_s`. */
typedef struct {
    enum { ERROR, DELAY, HANG } kind;
    char call[64];
    int code;
    double delay_ms, from_s, until_s;
} Rule;

typedef struct { int rules; Rule rule[MAX_RULES]; } Rules;
typedef struct { int slot; unsigned pid; double mib, from_s, until_s; } Process; /* slot < 0: on the whole GPU */
typedef struct { double at_s, until_s; uint64_t mj; } Glitch;
typedef struct { double at_s; uint64_t code; } Xid;
typedef struct { int slot; char profile[32], uuid[64]; double mib, from_s, until_s; } Mig;

typedef struct {
    char name[96], uuid[96], pci[32], serial[32];
    double limit_w, memory_mib, reserved_mib, module_w; /* module_w < 0: no module scope */
    int persistence, mig, architecture, broken_process_struct, module_counter;
    Quantity power_w, utilization_percent, memory_utilization_percent, memory_used_mib;
    Quantity temperature_c, memory_temperature_c, sm_clock_mhz, throttle;
    Quantity tensor_percent, dram_percent, recovery_action;
    uint64_t energy_start_mj;
    int64_t energy_tick_ns;
    double stuck_s; /* the counter stands still from here on */
    int resets, glitches, processes, xids, migs;
    double reset_s[MAX_EVENTS];
    Glitch glitch[MAX_EVENTS];
    Process process[MAX_PROCESSES];
    Xid xid[MAX_EVENTS];
    Mig migs_of[MAX_EVENTS];
    Rules rules;
} Gpu;

typedef struct {
    char driver[80];
    int cuda, gpus, has_t0;
    int64_t t0_ns;
    Rules rules;
    Gpu gpu[MAX_GPUS];
} Scenario;

/* Fills `scenario` from `text`; 0, or the number of the first line that makes no sense. */
int scenario_parse(Scenario *scenario, const char *text);

double quantity_at(const Quantity *quantity, double t_s);
double quantity_integral(const Quantity *quantity, double t_s); /* from second 0 to t_s */

uint64_t gpu_energy_mj(const Gpu *gpu, int64_t t_ns); /* as the counter shows it */
double gpu_power_w(const Gpu *gpu, int64_t t_ns);     /* at the sensor's last update */
double gpu_average_power_w(const Gpu *gpu, int64_t t_ns); /* over the second before the sensor's last update */

#endif
