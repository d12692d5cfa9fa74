/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target without libFuzzer: on the files named, to look at a crash again; without
 * files on random bytes, for DISCO_FUZZ_SECONDS seconds (5 unless told) from the seed
 * DISCO_FUZZ_SEED (the time unless told). A folder that is named is a corpus: all its files are run, and
 * then every other input is one of them, damaged.
 * The input that is running is left in `fuzz-crash.bin` should it abort.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

#define SEEDS 1024
static struct seed {
    uint8_t *bytes;
    size_t length;
} seeds[SEEDS];
static size_t nseeds;

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

static void keep(void)
{
    struct seed s = {malloc(length + 1), length};

    if (!s.bytes || nseeds == SEEDS) {
        free(s.bytes);
        return;
    }
    memcpy(s.bytes, input, length);
    seeds[nseeds++] = s;
}

static int replay_all(DIR *d, const char *folder)
{
    int failed = EXIT_SUCCESS;

    for (struct dirent *e; (e = readdir(d));) {
        char name[1024];

        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        failed |= replay(name);
        keep();
    }
    closedir(d);
    return failed;
}

/* @return whether @p name is a folder. */
static bool is_corpus(const char *name, int *failed)
{
    DIR *d = opendir(name);

    if (d)
        *failed |= replay_all(d, name);
    return d;
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

static void noise(uint64_t *s)
{
    length = 64 + random_word(s) % 2048;
    for (size_t i = 0; i < length; i++)
        input[i] = (uint8_t)(random_word(s) >> 32);
}

/* Up to eight bytes are others, and it goes on with noise, or ends sooner. */
static void damaged(uint64_t *s)
{
    const struct seed *from = &seeds[random_word(s) % nseeds];

    noise(s);
    if (length < from->length && random_word(s) % 4)
        length = from->length;
    memcpy(input, from->bytes, length < from->length ? length : from->length);
    for (uint64_t n = random_word(s) % 8; n; n--)
        input[random_word(s) % length] = (uint8_t)(random_word(s) >> 32);
}

static void run_random(void)
{
    const char *wish = getenv("DISCO_FUZZ_SECONDS"), *start = getenv("DISCO_FUZZ_SEED");
    double until = seconds() + (wish ? atof(wish) : 5);
    uint64_t seed = start ? strtoull(start, NULL, 0) : (uint64_t)time(NULL), runs = 0, s;

    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    s = seed * 2 + 1;
    for (; seconds() < until; runs++) {
        if (nseeds && runs % 2)
            damaged(&s);
        else
            noise(&s);
        LLVMFuzzerTestOneInput(input, length);
    }
    printf("%llu inputs\n", (unsigned long long)runs);
}

int main(int argc, char **argv)
{
    int failed = EXIT_SUCCESS;
    bool files = false;

    signal(SIGABRT, save);
    signal(SIGSEGV, save);
    for (int i = 1; i < argc; i++) {
        if (is_corpus(argv[i], &failed))
            continue;
        failed |= replay(argv[i]);
        files = true;
    }
    if (!files)
        run_random();
    return failed;
}
