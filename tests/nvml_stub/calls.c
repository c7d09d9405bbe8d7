/* The NVML functions, with the names, struct layouts and size protocols of the real library. */
#include "state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double BYTES_PER_MIB = 1048576;

typedef struct { uint64_t total, free, used; } MemoryV1;
typedef struct { uint32_t version; uint64_t total, reserved, free, used; } MemoryV2;
typedef struct { uint32_t version, sensor; int32_t celsius; } TemperatureV1;
typedef struct { uint32_t gpu, memory; } Utilization;
typedef struct {
    uint32_t field, scope;
    int64_t timestamp_us, latency_us;
    int32_t type, code;
    union { double d; uint32_t ui; unsigned long ul; uint64_t ull; int64_t sll; } value;
} FieldValue;
typedef struct {
    char bus_legacy[16];
    uint32_t domain, bus_number, device, device_id, subsystem_id;
    char bus[32];
} PciInfoShape;

_Static_assert(sizeof(MemoryV2) == 40 && sizeof(TemperatureV1) == 12, "versioned structs");
_Static_assert(sizeof(FieldValue) == 40, "array element");

/* A device function whose only result is one number. */
#define NUMBER(name, type, expression) \
    EXPORT int name(Handle handle, type *out) { \
        DEVICE_CALL(#name); \
        *out = (type)(expression); \
        return SUCCESS; \
    }

static uint32_t milliwatts(double watts) { return (uint32_t)floor(watts * 1000 + 0.5); }
static uint64_t bytes(double mib) { return (uint64_t)(mib * BYTES_PER_MIB); }

static int copy(char *out, unsigned length, const char *text) {
    if (strlen(text) >= length)
        return INSUFFICIENT_SIZE;
    strcpy(out, text);
    return SUCCESS;
}

static int library_text(const char *call, char *out, unsigned length, const char *text) {
    int64_t now_ns;
    const int refused = enter_library(call, &now_ns);
    return refused ? refused : copy(out, length, text);
}

/* --- the library ------------------------------------------------------------------------------------------------- */

EXPORT const char *nvmlErrorString(int code) {
    static char text[32];
    snprintf(text, sizeof text, "stub error %d", code);
    return text;
}

EXPORT int nvmlSystemGetDriverVersion(char *out, unsigned length) {
    return library_text("nvmlSystemGetDriverVersion", out, length, scenario_now()->driver);
}

EXPORT int nvmlSystemGetNVMLVersion(char *out, unsigned length) {
    return library_text("nvmlSystemGetNVMLVersion", out, length, scenario_now()->driver);
}

EXPORT int nvmlSystemGetCudaDriverVersion(int *out) {
    int64_t now_ns;
    const int refused = enter_library("nvmlSystemGetCudaDriverVersion", &now_ns);
    *out = scenario_now()->cuda;
    return refused;
}

EXPORT int nvmlDeviceGetCount_v2(unsigned *out) {
    int64_t now_ns;
    const int refused = enter_library("nvmlDeviceGetCount_v2", &now_ns);
    *out = (unsigned)scenario_now()->gpus;
    return refused;
}

static int find(const char *call, int index, Handle *out) {
    int64_t now_ns;
    const Gpu *gpu;
    if (index < 0 || index >= scenario_now()->gpus) {
        const int refused = enter_library(call, &now_ns);
        return refused ? refused : index < 0 ? NOT_FOUND : INVALID_ARGUMENT;
    }
    *out = handle_of(index);
    return enter_device(call, *out, &gpu, &now_ns);
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, Handle *out) {
    return find("nvmlDeviceGetHandleByIndex_v2", index < MAX_GPUS ? (int)index : MAX_GPUS, out);
}

EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, Handle *out) {
    int index = scenario_now()->gpus - 1;
    while (index >= 0 && strcmp(scenario_now()->gpu[index].uuid, uuid))
        index--;
    return find("nvmlDeviceGetHandleByUUID", index, out);
}

EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, Handle *out) {
    int index = scenario_now()->gpus - 1;
    while (index >= 0 && strcmp(scenario_now()->gpu[index].pci, bus))
        index--;
    return find("nvmlDeviceGetHandleByPciBusId_v2", index, out);
}

/* --- one device: what it is -------------------------------------------------------------------------------------- */

EXPORT int nvmlDeviceGetName(Handle handle, char *out, unsigned length) {
    DEVICE_OR_MIG_CALL("nvmlDeviceGetName");
    char name[160];
    snprintf(name, sizeof name, mig ? "%s MIG %s" : "%s", gpu->name, mig ? mig->profile : "");
    return copy(out, length, name);
}

EXPORT int nvmlDeviceGetUUID(Handle handle, char *out, unsigned length) {
    DEVICE_OR_MIG_CALL("nvmlDeviceGetUUID");
    return copy(out, length, mig ? mig->uuid : gpu->uuid);
}

EXPORT int nvmlDeviceGetSerial(Handle handle, char *out, unsigned length) {
    DEVICE_CALL("nvmlDeviceGetSerial");
    return copy(out, length, gpu->serial);
}

EXPORT int nvmlDeviceGetPciInfo_v3(Handle handle, PciInfoShape *out) {
    DEVICE_CALL("nvmlDeviceGetPciInfo_v3");
    memset(out, 0, sizeof *out);
    sscanf(gpu->pci, "%x:%x:%x", &out->domain, &out->bus_number, &out->device);
    copy(out->bus, sizeof out->bus, gpu->pci);
    return copy(out->bus_legacy, sizeof out->bus_legacy, strlen(gpu->pci) > 12 ? gpu->pci + 4 : gpu->pci);
}

EXPORT int nvmlDeviceGetCudaComputeCapability(Handle handle, int *major, int *minor) {
    DEVICE_CALL("nvmlDeviceGetCudaComputeCapability");
    *major = gpu->architecture, *minor = 0;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(Handle handle, unsigned *out) {
    DEVICE_CALL("nvmlDeviceGetMaxMigDeviceCount");
    *out = gpu->mig ? MAX_MIG : 0;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(Handle handle, unsigned slot, Handle *out) {
    DEVICE_CALL("nvmlDeviceGetMigDeviceHandleByIndex");
    if (slot >= MAX_MIG)
        return INVALID_ARGUMENT;
    *out = mig_handle_of((int)(gpu - scenario_now()->gpu), (int)slot);
    return mig_in_slot(gpu, (int)slot, now_ns) ? SUCCESS : NOT_FOUND;
}

EXPORT int nvmlDeviceIsMigDeviceHandle(Handle handle, unsigned *out) {
    DEVICE_OR_MIG_CALL("nvmlDeviceIsMigDeviceHandle");
    *out = mig != NULL;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMigMode(Handle handle, unsigned *current, unsigned *pending) {
    DEVICE_CALL("nvmlDeviceGetMigMode");
    *current = *pending = (unsigned)gpu->mig;
    return SUCCESS;
}

NUMBER(nvmlDeviceGetIndex, uint32_t, gpu - scenario_now()->gpu)
NUMBER(nvmlDeviceGetArchitecture, uint32_t, gpu->architecture)
NUMBER(nvmlDeviceGetPersistenceMode, uint32_t, gpu->persistence)
NUMBER(nvmlDeviceGetEnforcedPowerLimit, uint32_t, milliwatts(gpu->limit_w))
NUMBER(nvmlDeviceGetPowerManagementLimit, uint32_t, milliwatts(gpu->limit_w))
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, uint32_t, milliwatts(gpu->limit_w))

/* --- one device: what it does ------------------------------------------------------------------------------------ */

static int has_average(const Gpu *gpu, int64_t now_ns) {
    return refusal_of(&gpu->rules, "field:185", now_ns) == SUCCESS;
}

/* Where the sensor keeps an average, PowerUsage shows it; else (A100) it shows the last moment. */
NUMBER(nvmlDeviceGetPowerUsage, uint32_t,
       milliwatts(has_average(gpu, now_ns) ? gpu_average_power_w(gpu, now_ns) : gpu_power_w(gpu, now_ns)))
NUMBER(nvmlDeviceGetTotalEnergyConsumption, uint64_t, gpu_energy_mj(gpu, now_ns))
NUMBER(nvmlDeviceGetCurrentClocksEventReasons, uint64_t, quantity_at(&gpu->throttle, now_s))
NUMBER(nvmlDeviceGetPerformanceState, uint32_t, 0)
NUMBER(nvmlDeviceGetComputeMode, uint32_t, 0)

EXPORT int nvmlDeviceGetUtilizationRates(Handle handle, Utilization *out) {
    DEVICE_CALL("nvmlDeviceGetUtilizationRates");
    if (gpu->mig)
        return NOT_SUPPORTED;
    out->gpu = (uint32_t)quantity_at(&gpu->utilization_percent, now_s);
    out->memory = (uint32_t)quantity_at(&gpu->memory_utilization_percent, now_s);
    return SUCCESS;
}

/* Of a GPU as the scenario tells it, of a MIG instance what its processes hold. */
static double used_mib(const Gpu *gpu, const Mig *mig, int64_t now_ns) {
    if (!mig)
        return quantity_at(&gpu->memory_used_mib, (double)now_ns / 1e9);
    double sum = 0;
    for (int i = 0; i < gpu->processes; i++)
        sum += is_running(gpu, &gpu->process[i], mig, now_ns) ? gpu->process[i].mib : 0;
    return sum;
}

EXPORT int nvmlDeviceGetMemoryInfo(Handle handle, MemoryV1 *out) {
    DEVICE_OR_MIG_CALL("nvmlDeviceGetMemoryInfo");
    out->total = bytes(mig ? mig->mib : gpu->memory_mib);
    out->used = bytes(used_mib(gpu, mig, now_ns) + (mig ? 0 : gpu->reserved_mib));
    out->free = out->total - out->used;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMemoryInfo_v2(Handle handle, MemoryV2 *out) {
    DEVICE_OR_MIG_CALL("nvmlDeviceGetMemoryInfo_v2");
    if (out->version != (sizeof *out | 2 << 24))
        return ARGUMENT_VERSION_MISMATCH;
    out->total = bytes(mig ? mig->mib : gpu->memory_mib);
    out->reserved = bytes(mig ? 0 : gpu->reserved_mib);
    out->used = bytes(used_mib(gpu, mig, now_ns));
    out->free = out->total - out->used - out->reserved;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetTemperature(Handle handle, unsigned sensor, unsigned *out) {
    DEVICE_CALL("nvmlDeviceGetTemperature");
    *out = (unsigned)quantity_at(&gpu->temperature_c, now_s);
    return sensor ? NOT_SUPPORTED : SUCCESS;
}

EXPORT int nvmlDeviceGetTemperatureV(Handle handle, TemperatureV1 *out) {
    DEVICE_CALL("nvmlDeviceGetTemperatureV");
    if (out->version != (sizeof *out | 1 << 24))
        return ARGUMENT_VERSION_MISMATCH;
    out->celsius = (int32_t)quantity_at(&gpu->temperature_c, now_s);
    return out->sensor ? NOT_SUPPORTED : SUCCESS;
}

EXPORT int nvmlDeviceGetClockInfo(Handle handle, unsigned clock, unsigned *out) {
    DEVICE_CALL("nvmlDeviceGetClockInfo");
    *out = (unsigned)quantity_at(&gpu->sm_clock_mhz, now_s);
    return clock < 3 ? SUCCESS : NOT_SUPPORTED;
}

/* --- field values ------------------------------------------------------------------------------------------------ */

enum { MEMORY_TEMPERATURE = 82, ENERGY = 83, POWER_AVERAGE = 185, POWER_INSTANT = 186, RECOVERY = 230, SCOPE_MODULE = 1 };
enum { TYPE_UINT = 1, TYPE_ULL = 3 };

static int fill(const Gpu *gpu, FieldValue *out, int64_t now_ns) {
    char call[32];
    snprintf(call, sizeof call, "field:%u", out->field);
    int refused = refusal_of(&gpu->rules, call, now_ns);
    if (refused)
        return refused;
    snprintf(call, sizeof call, "field:%u:%u", out->field, out->scope);
    refused = refusal_of(&gpu->rules, call, now_ns);
    if (refused)
        return refused;
    out->type = TYPE_UINT;
    if (out->field == ENERGY) {
        out->type = TYPE_ULL;
        out->value.ull = gpu_energy_mj(gpu, now_ns);
        return SUCCESS;
    }
    if (out->field == MEMORY_TEMPERATURE) {
        out->value.ui = (uint32_t)quantity_at(&gpu->memory_temperature_c, (double)now_ns / 1e9);
        return gpu->memory_temperature_c.waves ? SUCCESS : NOT_SUPPORTED;
    }
    if (out->field == RECOVERY) {
        out->value.ui = (uint32_t)quantity_at(&gpu->recovery_action, (double)now_ns / 1e9);
        return gpu->recovery_action.waves ? SUCCESS : NOT_SUPPORTED;
    }
    if (out->field != POWER_AVERAGE && out->field != POWER_INSTANT)
        return NOT_SUPPORTED;
    if (out->scope > SCOPE_MODULE || (out->scope == SCOPE_MODULE && gpu->module_w < 0))
        return NOT_SUPPORTED;
    const double watts = out->field == POWER_AVERAGE ? gpu_average_power_w(gpu, now_ns) : gpu_power_w(gpu, now_ns);
    out->value.ui = milliwatts(out->scope == SCOPE_MODULE ? watts + gpu->module_w : watts);
    return SUCCESS;
}

EXPORT int nvmlDeviceGetFieldValues(Handle handle, int count, FieldValue *values) {
    DEVICE_CALL("nvmlDeviceGetFieldValues");
    int code = count > 0 ? NOT_SUPPORTED : INVALID_ARGUMENT;
    for (int i = 0; i < count; i++) {
        values[i].timestamp_us = now_ns / 1000;
        values[i].code = fill(gpu, &values[i], now_ns);
        if (values[i].code == SUCCESS)
            code = SUCCESS; /* as the real call: success when any entry was filled */
    }
    return code;
}
