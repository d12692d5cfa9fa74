/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raytrace [THREADS [SPHERES [WIDTH [ROUNDS]]]]: a parallel ray tracer. Its threads read one scene, which the first
 * has made, and take some points of the picture in turn; nothing of the scene is written any more. The order of the
 * points is scattered, as where a picture comes slowly and is to be seen early: so one ray's neighbours in time are none
 * in the scene, and caches much smaller than the scene help little. Marks for tools/icount and tools/flash stand around
 * the pictures, one of each round, and a sum of these is printed, the same on every machine: each has its own memory, for a
 * thread may be late by more than a round.
 *
 * The scene: spheres by the thousand over a floor, in a tree of boxes; one light, shadows, mirrors.
 */
#define _GNU_SOURCE
#include <math.h>
#include <string.h>

#include "threads.h"
#include "work.h"

#define MOST_ARTISTS 16
#define LEAF 2 /* spheres of a leaf at most */
#define BOUNCES 2
#define FAR 1e30
#define PATCH 128u        /* points that a thread takes at a time, a byte each: a line of caches */
#define SCATTER 2654435761u /* a prime: times this, points follow each other all over the picture */

struct vec {
    double x, y, z;
};

struct sphere {
    struct vec at;
    double radius;
    float shade, mirror;
};

/* Inner: `first` is the left child, the right one follows it. Leaf: `first` of `count` spheres. */
struct node {
    float low[3], high[3];
    uint32_t first, count;
};

static struct sphere *spheres;
static struct node *nodes;
static uint32_t used;
static unsigned count, width, height, rounds, artists;
static uint64_t next_point;
static uint8_t *pictures;

static struct vec add(struct vec a, struct vec b)
{
    return (struct vec){a.x + b.x, a.y + b.y, a.z + b.z};
}
static struct vec sub(struct vec a, struct vec b)
{
    return (struct vec){a.x - b.x, a.y - b.y, a.z - b.z};
}
static struct vec mul(struct vec a, double f) { return (struct vec){a.x * f, a.y * f, a.z * f}; }
static double dot(struct vec a, struct vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static struct vec unit(struct vec a) { return mul(a, 1 / sqrt(dot(a, a))); }

/* --- the scene --- */

static double coordinate(const struct sphere *s, int axis)
{
    return axis == 0 ? s->at.x : axis == 1 ? s->at.y : s->at.z;
}

static void make_spheres(uint64_t seed)
{
    for (unsigned i = 0; i < count; i++) {
        double place[3];

        for (int axis = 0; axis < 3; axis++)
            place[axis] = (double)(random_next(&seed) >> 40) / (1 << 24);
        spheres[i] = (struct sphere){
            .at = {place[0] * 40 - 20, place[1] * 8 + 0.2, place[2] * 40 + 4},
            .radius = 0.05 + 0.3 * place[1] * place[2],
            .shade = (float)(0.2 + 0.8 * place[0]),
            .mirror = i % 3 ? 0 : 0.6f,
        };
    }
}

static void enclose(struct node *n, const struct sphere *s)
{
    for (int axis = 0; axis < 3; axis++) {
        float low = (float)(coordinate(s, axis) - s->radius) - 1e-4f;
        float high = (float)(coordinate(s, axis) + s->radius) + 1e-4f;

        n->low[axis] = low < n->low[axis] ? low : n->low[axis];
        n->high[axis] = high > n->high[axis] ? high : n->high[axis];
    }
}

static int split_axis;

static int by_axis(const void *a, const void *b)
{
    double d = coordinate(a, split_axis) - coordinate(b, split_axis);

    return d < 0 ? -1 : d > 0;
}

/* A box around n spheres from `first` on, cut in the middle of its longest side until little is left. */
static void build(uint32_t at, uint32_t first, uint32_t n)
{
    struct node *b = &nodes[at];

    *b = (struct node){{1e9f, 1e9f, 1e9f}, {-1e9f, -1e9f, -1e9f}, first, n};
    for (uint32_t i = 0; i < n; i++)
        enclose(b, &spheres[first + i]);
    if (n <= LEAF)
        return;
    split_axis = 0;
    for (int axis = 1; axis < 3; axis++) {
        if (b->high[axis] - b->low[axis] > b->high[split_axis] - b->low[split_axis])
            split_axis = axis;
    }
    qsort(&spheres[first], n, sizeof(*spheres), by_axis);
    b->first = used;
    b->count = 0;
    used += 2;
    build(b->first, first, n / 2);
    build(b->first + 1, first + n / 2, n - n / 2);
}

/* --- rays --- */

struct hit {
    double distance;
    const struct sphere *what; /* NULL: the floor, or nothing if far */
};

/* Single precision will do: boxes are larger than what is in them by more than it gets wrong. */
static bool meets_box(const struct node *n, const float *from, const float *inverse, float most)
{
    float near = 0;

    for (int axis = 0; axis < 3; axis++) {
        float a = (n->low[axis] - from[axis]) * inverse[axis],
              b = (n->high[axis] - from[axis]) * inverse[axis],
              in = a < b ? a : b, out = a < b ? b : a; /* fmin() and fmax() are calls, with more rules than needed */

        near = in > near ? in : near;
        most = out < most ? out : most;
    }
    return near <= most;
}

static void meet_sphere(const struct sphere *s, struct vec from, struct vec way, struct hit *h)
{
    struct vec d = sub(s->at, from);
    double along = dot(d, way), rest = along * along - dot(d, d) + s->radius * s->radius, t;

    if (rest <= 0)
        return;
    t = along - sqrt(rest);
    if (t > 1e-6 && t < h->distance)
        *h = (struct hit){t, s};
}

static struct hit trace(struct vec from, struct vec way)
{
    const float start[3] = {(float)from.x, (float)from.y, (float)from.z},
                inverse[3] = {(float)(1 / way.x), (float)(1 / way.y), (float)(1 / way.z)};
    struct hit h = {way.y < -1e-9 ? -from.y / way.y : FAR, NULL};
    uint32_t stack[64], depth = 0;

    stack[depth++] = 0;
    while (depth) {
        const struct node *n = &nodes[stack[--depth]];

        if (!meets_box(n, start, inverse, (float)h.distance))
            continue;
        for (uint32_t i = 0; i < n->count; i++)
            meet_sphere(&spheres[n->first + i], from, way, &h);
        if (!n->count) {
            stack[depth++] = n->first;
            stack[depth++] = n->first + 1;
        }
    }
    return h;
}

static double sky(struct vec way) { return 0.3 + 0.4 * fabs(way.y); }

static double seen(struct vec from, struct vec way, int bounces)
{
    static const struct vec light = {0.5, 0.8, -0.33};
    struct hit h = trace(from, way);
    struct vec at, normal = {0, 1, 0};
    double shade, lit, mirror = 0;

    if (h.distance >= FAR)
        return sky(way);
    at = add(from, mul(way, h.distance));
    shade = ((long)floor(at.x) + (long)floor(at.z)) & 1 ? 0.9 : 0.4;
    if (h.what) {
        normal = mul(sub(at, h.what->at), 1 / h.what->radius);
        shade = h.what->shade;
        mirror = h.what->mirror;
    }
    lit = dot(normal, light);
    if (lit > 0 && trace(add(at, mul(normal, 1e-4)), light).distance < FAR)
        lit = 0;
    shade *= 0.2 + 0.8 * (lit > 0 ? lit : 0);
    if (mirror > 0 && bounces)
        shade = shade * (1 - mirror) +
                mirror * seen(at, sub(way, mul(normal, 2 * dot(way, normal))), bounces - 1);
    return shade;
}

/* --- the picture --- */

static uint8_t drawn(uint64_t point, unsigned round)
{
    const struct vec eye = {-8 + 16.0 * round / rounds, 4, -6};
    unsigned x = (unsigned)(point % width), y = (unsigned)(point / width);
    struct vec way = {(2.0 * x - width) / width, (1.0 * height - 2.0 * y) / width - 0.1, 1.0};
    double light = seen(eye, unit(way), BOUNCES);

    return (uint8_t)(light > 1 ? 255 : light * 255);
}

/* Points stand in the order in which they are drawn, so that threads do not write to the same lines all the time. */
static void *draw(void *unused)
{
    uint64_t points = (uint64_t)width * height, from;

    (void)unused;
    while ((from = __atomic_fetch_add(&next_point, PATCH, __ATOMIC_RELAXED)) < points * rounds) {
        for (uint64_t n = from; n < from + PATCH && n < points * rounds; n++)
            pictures[n] = drawn(n % points * SCATTER % points, (unsigned)(n / points));
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread[MOST_ARTISTS];
    uint64_t start, sum = SUM_START;

    artists = (unsigned)argument(argc, argv, 1, processors());
    count = (unsigned)argument(argc, argv, 2, 20000);
    width = (unsigned)argument(argc, argv, 3, 160);
    rounds = (unsigned)argument(argc, argv, 4, 1);
    height = width * 3 / 4;
    CHECK(artists && artists <= MOST_ARTISTS && count && height && rounds);
    spheres = calloc(count, sizeof(*spheres));
    nodes = calloc(2 * (size_t)count, sizeof(*nodes));
    pictures = calloc((size_t)width * height, rounds);
    CHECK(spheres && nodes && pictures);
    make_spheres(1);
    used = 1;
    build(0, 0, count);
    mark_begin();
    start = now_ns();
    for (unsigned i = 0; i < artists; i++)
        CHECK(pthread_create(&thread[i], NULL, draw, NULL) == 0);
    for (unsigned i = 0; i < artists; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    mark_end();
    report_time("raytrace", start);
    for (size_t i = 0; i < (size_t)width * height * rounds; i++)
        sum = sum_byte(sum, pictures[i]);
    printf("raytrace: %u spheres, %u x %u, %016llx\n", count, width, height,
           (unsigned long long)sum);
    return 0;
}
