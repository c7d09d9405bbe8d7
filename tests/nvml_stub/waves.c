/* Waves: the value of a quantity at any instant, its exact integral, and the energy counter built on that. */
#include "scenario.h"

#include <math.h>

static const double NS_PER_S = 1e9;

static double square_integral(const Wave *wave, double s) {
    const double low = wave->a[0], high = wave->a[1], period = wave->a[2], duty = wave->a[3];
    const double cycles = floor(s / period), part = s / period - cycles;
    const double whole = cycles * period * (duty * high + (1 - duty) * low);
    const double up = part < duty ? part : duty;
    return whole + period * (up * high + (part - up) * low);
}

static double wave_at(const Wave *wave, double t) {
    const double *a = wave->a;
    switch (wave->kind) {
    case CONSTANT:
        return a[0];
    case SQUARE: {
        const double cycles = (t + a[4]) / a[2];
        return cycles - floor(cycles) < a[3] ? a[1] : a[0];
    }
    case SINE:
        return a[0] * sin(2 * M_PI * (t + a[2]) / a[1]);
    case RAMP:
        return t <= a[0] ? 0 : t >= a[1] ? a[2] : a[2] * (t - a[0]) / (a[1] - a[0]);
    case SEGMENTS: {
        double level = 0;
        for (int i = 0; i < wave->points && wave->from_s[i] <= t; i++)
            level = wave->level[i];
        return level;
    }
    }
    return 0;
}

static double wave_integral(const Wave *wave, double t) {
    const double *a = wave->a;
    switch (wave->kind) {
    case CONSTANT:
        return a[0] * t;
    case SQUARE:
        return square_integral(wave, t + a[4]) - square_integral(wave, a[4]);
    case SINE:
        return a[0] * a[1] / (2 * M_PI) * (cos(2 * M_PI * a[2] / a[1]) - cos(2 * M_PI * (t + a[2]) / a[1]));
    case RAMP:
        if (t <= a[0])
            return 0;
        if (t <= a[1])
            return a[2] * (t - a[0]) * (t - a[0]) / (2 * (a[1] - a[0]));
        return a[2] * (a[1] - a[0]) / 2 + a[2] * (t - a[1]);
    case SEGMENTS: {
        double sum = 0;
        for (int i = 0; i < wave->points && wave->from_s[i] <= t; i++) {
            const int last = i + 1 == wave->points || wave->from_s[i + 1] > t;
            sum += wave->level[i] * ((last ? t : wave->from_s[i + 1]) - wave->from_s[i]);
        }
        return sum;
    }
    }
    return 0;
}

double quantity_at(const Quantity *quantity, double t_s) {
    double sum = 0;
    for (int i = 0; i < quantity->waves; i++)
        sum += wave_at(&quantity->wave[i], t_s);
    return sum;
}

double quantity_integral(const Quantity *quantity, double t_s) {
    double sum = 0;
    for (int i = 0; i < quantity->waves; i++)
        sum += wave_integral(&quantity->wave[i], t_s);
    return sum;
}

static double sensor_s(const Gpu *gpu, int64_t t_ns) {
    return t_ns <= 0 ? 0 : (double)(t_ns / gpu->energy_tick_ns * gpu->energy_tick_ns) / NS_PER_S;
}

double gpu_power_w(const Gpu *gpu, int64_t t_ns) { return quantity_at(&gpu->power_w, sensor_s(gpu, t_ns)); }

double gpu_average_power_w(const Gpu *gpu, int64_t t_ns) {
    const double end = sensor_s(gpu, t_ns), start = end > 1 ? end - 1 : 0;
    if (end <= start)
        return gpu_power_w(gpu, t_ns);
    return (quantity_integral(&gpu->power_w, end) - quantity_integral(&gpu->power_w, start)) / (end - start);
}

uint64_t gpu_energy_mj(const Gpu *gpu, int64_t t_ns) {
    double t = sensor_s(gpu, t_ns);
    for (int i = 0; i < gpu->glitches; i++)
        if (gpu->glitch[i].at_s <= t && t < gpu->glitch[i].until_s)
            return gpu->glitch[i].mj;
    if (t > gpu->stuck_s)
        t = gpu->stuck_s;
    double since = 0;
    uint64_t start_mj = gpu->energy_start_mj;
    for (int i = 0; i < gpu->resets; i++)
        if (gpu->reset_s[i] <= t) {
            since = gpu->reset_s[i];
            start_mj = 0;
        }
    double joules = quantity_integral(&gpu->power_w, t) - quantity_integral(&gpu->power_w, since);
    if (gpu->module_counter && gpu->module_w > 0)
        joules += gpu->module_w * (t - since);
    return start_mj + (uint64_t)(joules * 1000);
}
