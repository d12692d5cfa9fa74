/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <stdarg.h>
#include <stdlib.h>

_Noreturn void die(int status, const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "numa-sim: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    exit(status);
}

void *must_have(void *memory)
{
    if (!memory)
        die(1, "out of memory");
    return memory;
}

static struct disco_numa_params with_trigger(const struct options *o, uint32_t trigger)
{
    struct disco_numa_params p = o->params;

    p.trigger = trigger;
    if (!o->sharing)
        p.sharing = (trigger + 3) / 4;
    return p;
}

int main(int argc, char **argv)
{
    struct result r[MAX_LIST + 1];
    struct disco_numa_params p;
    struct options o;
    struct source *s;
    unsigned n = 0;

    options_parse(&o, argc, argv);
    s = source_open(&o);
    p = with_trigger(&o, o.trigger[0]);
    p.mode = DISCO_NUMA_OFF;
    r[n++] = simulate(&o, &p, s);
    for (unsigned i = 0; o.params.mode != DISCO_NUMA_OFF && i < o.triggers; i++) {
        p = with_trigger(&o, o.trigger[i]);
        r[n++] = simulate(&o, &p, s);
    }
    source_close(s);
    report(&o, r, n);
    return o.plot && !plot(&o, r, n) ? EXIT_FAILURE : EXIT_SUCCESS;
}
