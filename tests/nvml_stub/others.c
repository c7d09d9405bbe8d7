/* What other readers of NVML ask for and no scenario tells: there, and not supported. */
#include "state.h"

#define NOT_TOLD(name) \
    EXPORT int name(void) { return NOT_SUPPORTED; }

NOT_TOLD(nvmlDeviceGetBAR1MemoryInfo)
NOT_TOLD(nvmlDeviceGetDecoderUtilization)
NOT_TOLD(nvmlDeviceGetDisplayActive)
NOT_TOLD(nvmlDeviceGetDisplayMode)
NOT_TOLD(nvmlDeviceGetDriverModel)
NOT_TOLD(nvmlDeviceGetDriverModel_v2)
NOT_TOLD(nvmlDeviceGetEccMode)
NOT_TOLD(nvmlDeviceGetEncoderUtilization)
NOT_TOLD(nvmlDeviceGetFanSpeed)
NOT_TOLD(nvmlDeviceGetMaxClockInfo)
NOT_TOLD(nvmlDeviceGetPcieThroughput)
NOT_TOLD(nvmlDeviceGetProcessUtilization)
NOT_TOLD(nvmlDeviceGetTotalEccErrors)
