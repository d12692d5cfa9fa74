/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target without libFuzzer: on the files named, to look at a crash again; without
 * files on random bytes, for DISCO_FUZZ_SECONDS seconds (5 unless told) from the seed
 * DISCO_FUZZ_SEED (the time unless told). The input that is running is left in `fuzz-crash.bin` should it abort.
 */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t input[1 << 16];
static size_t length;

static void save(int sig)
{
    FILE *f = fopen("fuzz-crash.bin", "wb");

    if (f && fwrite(input, 1, length, f) == length && !fclose(f))
        fprintf(stderr, "input saved: fuzz-crash.bin, %zu bytes\n", length);
    signal(sig, SIG_DFL);
    raise(sig);
}

static int replay(const char *name)
{
    FILE *f = fopen(name, "rb");

    if (!f) {
        perror(name);
        return EXIT_FAILURE;
    }
    length = fread(input, 1, sizeof input, f);
    fclose(f);
    LLVMFuzzerTestOneInput(input, length);
    return EXIT_SUCCESS;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t random_word(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

int main(int argc, char **argv)
{
    const char *wish = getenv("DISCO_FUZZ_SECONDS"), *start = getenv("DISCO_FUZZ_SEED");
    double until = seconds() + (wish ? atof(wish) : 5);
    uint64_t seed = start ? strtoull(start, NULL, 0) : (uint64_t)time(NULL), runs = 0, s;
    int failed = EXIT_SUCCESS;

    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    if (argc > 1)
        return failed;
    signal(SIGABRT, save);
    signal(SIGSEGV, save);
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    s = seed * 2 + 1;
    for (; seconds() < until; runs++) {
        length = 64 + random_word(&s) % 2048;
        for (size_t i = 0; i < length; i++)
            input[i] = (uint8_t)(random_word(&s) >> 32);
        LLVMFuzzerTestOneInput(input, length);
    }
    printf("%llu inputs\n", (unsigned long long)runs);
    return EXIT_SUCCESS;
}
