/* A stand-in for libnvidia-ml.so.1: the functions that infertop asks for, answered from a text file.

   The file is $FAKE_NVML, or what standin_file() was given; it is read again whenever it changes. One `key=value` a
   line, `#` begins a comment. Keys: `count`, `init`, `gpu.0.power_mw`, `mig.0.1.uuid`: see standin.py for all. Values:
     512345         a number or text
     !15            the call returns nvmlReturn_t 15
     ~30            the call hangs for 30 s (or until the file changes), then times out
     ~2.5:512345    it hangs for 2.5 s, then answers
     1000@250       a number that grows by 250 a second from when the library was loaded
   A key that is missing is NVML_ERROR_NOT_SUPPORTED. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

typedef int result;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef struct device { int gpu, mig; } *handle; /* mig < 0: the whole GPU */

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, UNSUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, TIMEOUT = 10 };
enum { LINES = 4096, GPUS = 64, INSTANCES = 8, WIDTH = 1024, NONE = 0xffffffffu };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char explicit_path[4096];
static char *lines[LINES];
static int line_count, initialised;
static struct stat seen;
static struct timespec loaded;
static struct device devices[GPUS][INSTANCES + 1];

__attribute__((constructor)) static void at_load(void) {
    clock_gettime(CLOCK_MONOTONIC, &loaded);
    for (int g = 0; g < GPUS; g++)
        for (int m = 0; m <= INSTANCES; m++) devices[g][m] = (struct device){g, m - 1};
}

void standin_file(const char *path) {
    pthread_mutex_lock(&lock);
    snprintf(explicit_path, sizeof explicit_path, "%s", path);
    memset(&seen, 0, sizeof seen);
    pthread_mutex_unlock(&lock);
}

/* How often the library is initialised and not shut down. */
int standin_initialised(void) { return initialised; }

/* ---- the text file ---------------------------------------------------------------------------------------------- */

static int changed(struct stat *now) {
    const char *path = *explicit_path ? explicit_path : getenv("FAKE_NVML");
    if (!path || stat(path, now)) memset(now, 0, sizeof *now);
    return now->st_mtim.tv_sec != seen.st_mtim.tv_sec || now->st_mtim.tv_nsec != seen.st_mtim.tv_nsec ||
           now->st_size != seen.st_size || now->st_ino != seen.st_ino;
}

static void reread(void) {
    struct stat now;
    if (!changed(&now)) return;
    seen = now;
    for (int i = 0; i < line_count; i++) free(lines[i]);
    line_count = 0;
    const char *path = *explicit_path ? explicit_path : getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return;
    char line[WIDTH];
    while (line_count < LINES && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line && *line != '#') lines[line_count++] = strdup(line);
    }
    fclose(file);
}

static int find(const char *key, char *out, size_t size) {
    int found = 0;
    size_t length = strlen(key);
    pthread_mutex_lock(&lock);
    reread();
    for (int i = 0; i < line_count && !found; i++)
        if (!strncmp(lines[i], key, length) && lines[i][length] == '=') {
            snprintf(out, size, "%s", lines[i] + length + 1);
            found = 1;
        }
    pthread_mutex_unlock(&lock);
    return found;
}

static void hang(double seconds) {
    struct timespec step = {0, 10000000};
    struct stat now;
    for (double waited = 0; waited < seconds; waited += 0.01) {
        nanosleep(&step, NULL);
        pthread_mutex_lock(&lock);
        int stop = changed(&now);
        pthread_mutex_unlock(&lock);
        if (stop) return;
    }
}

static result text_of(char *out, size_t size, const char *format, ...) {
    char key[128], value[WIDTH];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(key, sizeof key, format, arguments);
    va_end(arguments);
    if (!find(key, value, sizeof value)) return UNSUPPORTED;
    char *said = value;
    if (*said == '~') {
        hang(strtod(said + 1, &said));
        if (*said != ':') return TIMEOUT;
        said++;
    }
    if (*said == '!') return atoi(said + 1);
    snprintf(out, size, "%s", said);
    return OK;
}

static double number_in(const char *text) {
    char *rest;
    double value = strtod(text, &rest);
    if (*rest != '@') return value;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return value + atof(rest + 1) * ((double)(now.tv_sec - loaded.tv_sec) + (now.tv_nsec - loaded.tv_nsec) / 1e9);
}

static result device_text(handle device, const char *key, char *out, size_t size) {
    if (!initialised) return UNINITIALIZED;
    if (device->mig < 0) return text_of(out, size, "gpu.%d.%s", device->gpu, key);
    return text_of(out, size, "mig.%d.%d.%s", device->gpu, device->mig, key);
}

static result device_number(handle device, const char *key, u64 *out) {
    char value[WIDTH];
    result code = device_text(device, key, value, sizeof value);
    if (code == OK) *out = (u64)number_in(value);
    return code;
}

static u64 or_zero(handle device, const char *key) {
    u64 value = 0;
    device_number(device, key, &value);
    return value;
}

#define READS_U32(function, key)                        \
    result function(handle device, u32 *out) {          \
        u64 value = 0;                                  \
        result code = device_number(device, key, &value); \
        if (code == OK) *out = (u32)value;              \
        return code;                                    \
    }

/* ---- the library ------------------------------------------------------------------------------------------------ */

result nvmlInitWithFlags(u32 flags) {
    char value[32];
    result code = text_of(value, sizeof value, "init");
    (void)flags;
    if (code != OK && code != UNSUPPORTED) return code;
    initialised++;
    return OK;
}

result nvmlShutdown(void) {
    if (!initialised) return UNINITIALIZED;
    initialised--;
    return OK;
}

const char *nvmlErrorString(result code) { return code == OK ? "Success" : "Error"; }

result nvmlSystemGetDriverVersion(char *out, u32 size) { return text_of(out, size, "driver"); }

result nvmlDeviceGetCount_v2(u32 *out) {
    char value[32];
    if (!initialised) return UNINITIALIZED;
    result code = text_of(value, sizeof value, "count");
    *out = code == OK ? (u32)atoi(value) : 0;
    return code == UNSUPPORTED ? OK : code;
}

result nvmlDeviceGetHandleByIndex_v2(u32 index, handle *out) {
    u32 count = 0;
    char value[32];
    result code = nvmlDeviceGetCount_v2(&count);
    if (code != OK) return code;
    if (index >= count || index >= GPUS) return INVALID;
    code = text_of(value, sizeof value, "gpu.%u.handle", index);
    if (code != OK && code != UNSUPPORTED) return code;
    *out = &devices[index][0];
    return OK;
}

result nvmlDeviceGetName(handle device, char *out, u32 size) { return device_text(device, "name", out, size); }
result nvmlDeviceGetUUID(handle device, char *out, u32 size) { return device_text(device, "uuid", out, size); }

/* ---- what a GPU says -------------------------------------------------------------------------------------------- */

READS_U32(nvmlDeviceGetPowerUsage, "power_mw")
READS_U32(nvmlDeviceGetEnforcedPowerLimit, "limit_mw")
result nvmlDeviceGetTotalEnergyConsumption(handle device, u64 *out) { return device_number(device, "energy_mj", out); }
result nvmlDeviceGetCurrentClocksEventReasons(handle device, u64 *out) { return device_number(device, "reasons", out); }

result nvmlDeviceGetTemperature(handle device, u32 sensor, u32 *out) {
    u64 value = 0;
    result code = device_number(device, "temp", &value);
    (void)sensor;
    if (code == OK) *out = (u32)value;
    return code;
}

result nvmlDeviceGetClockInfo(handle device, u32 which, u32 *out) {
    u64 value = 0;
    result code = device_number(device, which == 2 ? "mem_clock" : "sm_clock", &value);
    if (code == OK) *out = (u32)value;
    return code;
}

struct utilization { u32 gpu, memory; };
result nvmlDeviceGetUtilizationRates(handle device, struct utilization *out) {
    u64 value = 0;
    result code = device_number(device, "util", &value);
    if (code != OK) return code;
    out->gpu = (u32)value;
    out->memory = (u32)or_zero(device, "memutil");
    return OK;
}

struct memory_v1 { u64 total, free, used; };
result nvmlDeviceGetMemoryInfo(handle device, struct memory_v1 *out) {
    u64 total = 0, used = 0;
    result code = device_number(device, "mem_total", &total);
    if (code == OK) code = device_number(device, "mem_used", &used);
    if (code != OK) return code;
    used += or_zero(device, "mem_reserved");
    *out = (struct memory_v1){total, total - used, used};
    return OK;
}

struct memory_v2 { u32 version; u64 total, reserved, free, used; };
result nvmlDeviceGetMemoryInfo_v2(handle device, struct memory_v2 *out) {
    char refused[32];
    struct memory_v1 whole;
    result code = device_text(device, "mem_v2", refused, sizeof refused);
    if (code != OK && code != UNSUPPORTED) return code;
    code = nvmlDeviceGetMemoryInfo(device, &whole);
    if (code != OK) return code;
    out->total = whole.total;
    out->reserved = or_zero(device, "mem_reserved");
    out->free = whole.free;
    out->used = whole.used - out->reserved;
    return OK;
}

struct field { u32 id, scope; int64_t timestamp, latency; u32 type; result code; union { double d; u64 u; } value; };
result nvmlDeviceGetFieldValues(handle device, int count, struct field *fields) {
    for (int i = 0; i < count; i++) {
        char key[32];
        u64 value = 0;
        snprintf(key, sizeof key, "field.%u", fields[i].id);
        fields[i].code = device_number(device, key, &value);
        fields[i].type = 3; /* unsigned long long */
        fields[i].value.u = value;
    }
    return OK;
}

/* ---- processes: `pid:MiB[:gpu instance:compute instance]`, MiB `-` where it is not known, joined by commas -------- */

struct process { u32 pid; u64 bytes; u32 gpu_instance, compute_instance; };
static result processes(handle device, const char *key, u32 *count, struct process *out) {
    char list[WIDTH], *rest, *each;
    u32 room = *count, number = 0;
    result code = device_text(device, key, list, sizeof list);
    *count = 0;
    if (code != OK) return code;
    for (each = strtok_r(list, ",", &rest); each; each = strtok_r(NULL, ",", &rest), number++) {
        char *colon = strchr(each, ':');
        if (!out || number >= room) continue;
        out[number] = (struct process){(u32)strtoul(each, NULL, 10), ~0ull, NONE, NONE};
        if (!colon) continue;
        if (colon[1] != '-') out[number].bytes = strtoull(colon + 1, NULL, 10) << 20;
        if ((colon = strchr(colon + 1, ':')))
            sscanf(colon, ":%u:%u", &out[number].gpu_instance, &out[number].compute_instance);
    }
    *count = number;
    return (number && !out) || number > room ? TOO_SMALL : OK;
}

result nvmlDeviceGetComputeRunningProcesses_v3(handle device, u32 *count, struct process *out) {
    return processes(device, "procs", count, out);
}
result nvmlDeviceGetGraphicsRunningProcesses_v3(handle device, u32 *count, struct process *out) {
    return processes(device, "gprocs", count, out);
}
result nvmlDeviceGetMPSComputeRunningProcesses_v3(handle device, u32 *count, struct process *out) {
    return processes(device, "mpsprocs", count, out);
}

/* `pid:sm[:timestamp]`, in percent and microseconds; without a timestamp the sample is always new, with 0 it is a slot
   that was never filled and is handed over all the same. Empty: no samples. */
struct process_sample { u32 pid; u64 timestamp; u32 sm, memory, encoder, decoder; };
result nvmlDeviceGetProcessUtilization(handle device, struct process_sample *out, u32 *count, u64 since) {
    char list[WIDTH], *rest, *each;
    u32 room = *count, number = 0;
    result code = device_text(device, "putil", list, sizeof list);
    if (code != OK) return code;
    for (each = strtok_r(list, ",", &rest); each; each = strtok_r(NULL, ",", &rest)) {
        struct process_sample sample = {0, since + 1, 0, 0, 0, 0};
        sscanf(each, "%u:%u:%llu", &sample.pid, &sample.sm, &sample.timestamp);
        if (sample.timestamp && sample.timestamp <= since) continue;
        if (out && number < room) out[number] = sample;
        number++;
    }
    *count = number;
    if (!number) return NOT_FOUND;
    return !out || number > room ? TOO_SMALL : OK;
}

/* ---- MIG -------------------------------------------------------------------------------------------------------- */

READS_U32(nvmlDeviceGetMaxMigDeviceCount, "mig_max")
READS_U32(nvmlDeviceGetGpuInstanceId, "gi")
READS_U32(nvmlDeviceGetComputeInstanceId, "ci")

result nvmlDeviceGetMigMode(handle device, u32 *current, u32 *pending) {
    u64 value = 0;
    result code = device_number(device, "mig", &value);
    if (code == OK) *current = *pending = (u32)value;
    return code;
}

result nvmlDeviceGetMigDeviceHandleByIndex(handle device, u32 index, handle *out) {
    char uuid[96];
    if (index >= INSTANCES) return INVALID;
    if (device_text(&devices[device->gpu][index + 1], "uuid", uuid, sizeof uuid) != OK) return NOT_FOUND;
    *out = &devices[device->gpu][index + 1];
    return OK;
}

struct attributes { u32 multiprocessors, copy, decoder, encoder, jpeg, ofa, gpu_slices, compute_slices; u64 megabytes; };
result nvmlDeviceGetAttributes_v2(handle device, struct attributes *out) {
    u64 value = 0;
    result code = device_number(device, "slices", &value);
    if (code != OK) return code;
    memset(out, 0, sizeof *out);
    out->compute_slices = (u32)value;
    out->gpu_slices = (u32)or_zero(device, "gpu_slices");
    out->megabytes = or_zero(device, "mem_mb");
    return OK;
}

/* ---- GPM: the metrics of the second sample's device ------------------------------------------------------------- */

struct support { u32 version, supported; };
result nvmlGpmQueryDeviceSupport(handle device, struct support *out) {
    u64 value = 0;
    result code = device_number(device, "gpm", &value);
    out->supported = (u32)value;
    return code == UNSUPPORTED ? OK : code;
}

result nvmlGpmSampleAlloc(handle **sample) { return (*sample = calloc(1, sizeof(handle))) ? OK : 20; }
result nvmlGpmSampleFree(handle *sample) {
    free(sample);
    return OK;
}
result nvmlGpmSampleGet(handle device, handle *sample) {
    *sample = device;
    return initialised ? OK : UNINITIALIZED;
}
result nvmlGpmMigSampleGet(handle device, u32 gpu_instance, handle *sample) {
    for (int i = 1; i <= INSTANCES; i++) {
        u64 id = NONE;
        handle instance = &devices[device->gpu][i];
        if (device_number(instance, "gi", &id) != OK || id != gpu_instance) continue;
        *sample = instance;
        return OK;
    }
    return NOT_FOUND;
}

struct metric { u32 id; result code; double value; char *names[3]; };
struct metrics { u32 version, count; handle *first, *second; struct metric each[]; };
result nvmlGpmMetricsGet(struct metrics *asked) {
    for (u32 i = 0; i < asked->count; i++) {
        char key[32], value[WIDTH];
        snprintf(key, sizeof key, "gpm.%u", asked->each[i].id);
        asked->each[i].code = device_text(*asked->second, key, value, sizeof value);
        if (asked->each[i].code == OK) asked->each[i].value = number_in(value);
    }
    return OK;
}
