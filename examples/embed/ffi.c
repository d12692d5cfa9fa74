/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A monitor call whose handler is an ordinary C function, built as any program outside the tree would be:
 *     cc ffi.c $(pkg-config --cflags --libs disco-ffi) -o ffi
 */
#include <disco/ffi.h>
#include <stdio.h>

#define LAMP_CALL 40

struct lamp {
    const char *name;
};

static int64_t lamp_set(struct lamp *lamp, uint8_t level, bool on)
{
    printf("%s: %s, level %u\n", lamp->name, on ? "on" : "off", level);
    return level;
}

/* What a guest's trap would bring. */
static void guest_calls(struct disco_calls *table, uint64_t level, uint64_t on)
{
    const uint64_t raw[DISCO_CALL_ARGS] = {level, on};
    int64_t result = disco_calls_run(table, LAMP_CALL, raw, NULL, 0, NULL);

    if (result < 0)
        printf("refused: %s\n", disco_strerror((int)result));
}

int main(void)
{
    static _Alignas(max_align_t) unsigned char storage[DISCO_FFI_SIZE];
    static struct disco_calls table;
    static struct disco_calls_counters counters; /* of one processor */
    struct lamp lamp = {"lamp"};
    const struct disco_ffi_decl decl = {
        .number = LAMP_CALL,
        .name = "lamp_set",
        .dev = &lamp,
        .fn = DISCO_FFI_FN(lamp_set),
        .param = {{DISCO_FFI_DEV, 0, 0}, {DISCO_FFI_U8, 0, 200}, {DISCO_FFI_BOOL, 0, 1}},
    };
    struct disco_call call;
    int err = disco_calls_init(&table, &counters, NULL);

    err = err ? err : disco_ffi_prepare(&decl, storage, sizeof storage, &call);
    err = err ? err : disco_calls_add(&table, &call);
    if (err)
        return printf("no such call: %s\n", disco_strerror(err)), 1;
    guest_calls(&table, 7, 1);
    guest_calls(&table, 201, 1);
    guest_calls(&table, 256 + 7, 1); /* not cut off to 7 */
    return 0;
}
