/* SPDX-License-Identifier: BSD-2-Clause */
/* memmap, call by call: users in order, detached replicas, pmaps by number. */
#include "mock_backend.h"
#include "suite.h"

#define NODES 3
#define PAGES 12

static struct mock m;
static struct disco_memmap *mm;
static void *storage;

static void setup(void)
{
    mock_init(&m, NODES, 100, PAGES);
    mm = mock_memmap(&m, 3, 0, &storage);
}

static void teardown(void)
{
    free(storage);
    mock_fini(&m);
}

static disco_mpn take(unsigned node)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_memmap_alloc(mm, node, DISCO_PAGE_PRIVATE, &mpn), 0);
    return mpn;
}

static struct disco_page_user user(uint32_t pmap, uint64_t ppn)
{
    return (struct disco_page_user){pmap, {ppn}};
}

static void add(disco_mpn mpn, uint32_t pmap, uint64_t ppn)
{
    ck_assert_int_eq(disco_memmap_add_user(mm, mpn, user(pmap, ppn)), 0);
}

static void expect(const struct disco_page_user *got, size_t n, const struct disco_page_user *want,
                   size_t wanted)
{
    ck_assert_uint_eq(n, wanted);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(got[i].pmap, want[i].pmap);
        ck_assert_uint_eq(got[i].ppn.v, want[i].ppn.v);
    }
}
#define EXPECT(got, n, ...)                                                                        \
    do {                                                                                           \
        const struct disco_page_user want[] = {__VA_ARGS__};                                       \
        expect(got, n, want, sizeof want / sizeof want[0]);                                        \
    } while (0)

START_TEST(users_in_order)
{
    disco_mpn a = take(0), b = take(1);
    struct disco_page_user u[8], after;
    size_t n = 0;

    ck_assert_int_eq(disco_memmap_users_after(mm, a, NULL, u, 8, &n), 0);
    ck_assert_uint_eq(n, 0); /* allocated, used by nobody */
    add(a, 2, 7);
    add(a, 0, 9);
    add(a, 2, 3);
    add(a, 0, 9); /* twice, and named once */
    add(a, 5, 0);
    add(a, 0, 0);
    ck_assert_int_eq(disco_memmap_users_after(mm, a, NULL, u, 8, &n), 0);
    EXPECT(u, n, user(0, 0), user(0, 9), user(2, 3), user(2, 7), user(5, 0));

    /* In pieces, while users go. */
    n = 0;
    ck_assert_int_eq(disco_memmap_users_after(mm, a, NULL, u, 2, &n), 0);
    EXPECT(u, n, user(0, 0), user(0, 9));
    after = u[1];
    ck_assert_int_eq(disco_memmap_del_user(mm, a, user(0, 0)), 0);
    n = 0;
    ck_assert_int_eq(disco_memmap_users_after(mm, a, &after, u, 2, &n), 0);
    EXPECT(u, n, user(2, 3), user(2, 7));
    after = u[1];
    n = 0;
    ck_assert_int_eq(disco_memmap_users_after(mm, a, &after, u, 2, &n), 0);
    EXPECT(u, n, user(5, 0));
    after = user(5, 0);
    n = 0;
    ck_assert_int_eq(disco_memmap_users_after(mm, a, &after, u, 2, &n), 0);
    ck_assert_uint_eq(n, 0);

    /* Of two pages together: the lowest remain. */
    add(b, 2, 5);
    add(b, 1, 1);
    n = 0;
    ck_assert_int_eq(disco_memmap_users_after(mm, a, NULL, u, 3, &n), 0);
    ck_assert_int_eq(disco_memmap_users_after(mm, b, NULL, u, 3, &n), 0);
    EXPECT(u, n, user(0, 9), user(1, 1), user(2, 3));

    ck_assert_int_eq(disco_memmap_users_after(mm, a, NULL, u, 2, &n), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_users_after(mm, (disco_mpn){99}, NULL, u, 8, &n),
                     DISCO_ERR_BAD_ARG);
}
END_TEST

START_TEST(replicas_are_detached)
{
    disco_mpn master = take(0), one = take(1), two = take(2), first = {7}, none = {7};

    ck_assert_int_eq(disco_memmap_detach_replicas(mm, (disco_mpn){99}, &none), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_detach_replicas(mm, master, &none), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, one), 0);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, two), 0);
    ck_assert_int_eq(disco_memmap_detach_replicas(mm, one, &none), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_detach_replicas(mm, master, &first), 0);
    ck_assert_int_eq(disco_memmap_detach_replicas(mm, master, &none), DISCO_ERR_NOT_FOUND);
    ck_assert_uint_eq(none.v, 7);
    /* Nobody finds them, and they are nobody's to take. */
    ck_assert(!disco_memmap_replicated(mm, master));
    ck_assert_uint_eq(disco_memmap_nearest(mm, master, 1).v, master.v);
    ck_assert_int_eq(disco_memmap_put(mm, one), DISCO_ERR_STATE);
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES - 3);
    /* The master's end is not theirs, nor is a new copy one of them. */
    ck_assert_int_eq(disco_memmap_put(mm, master), 0);
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES - 2);
    master = take(0);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, take(1)), 0);
    disco_memmap_free_replicas(mm, first);
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES - 2);
    ck_assert(disco_memmap_replicated(mm, master));
    ck_assert_int_eq(disco_memmap_state(mm, two), DISCO_PAGE_FREE);
}
END_TEST

START_TEST(pmaps_by_number)
{
    struct disco_memmap_pmap a = {.id = 3}, b = {.id = 0}, c = {.id = 3},
                             far = {.id = DISCO_MAX_PMAPS};

    ck_assert_ptr_null(disco_memmap_hold_pmap(mm, 3));
    ck_assert_int_eq(disco_memmap_enroll(mm, &a), 0);
    ck_assert_int_eq(disco_memmap_enroll(mm, &b), 0);
    ck_assert_int_eq(disco_memmap_enroll(mm, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_enroll(mm, &far), DISCO_ERR_BAD_ARG);
    ck_assert_ptr_eq(disco_memmap_hold_pmap(mm, 3), &a);
    ck_assert_ptr_eq(disco_memmap_hold_pmap(mm, 3), &a);
    ck_assert_ptr_eq(disco_memmap_hold_pmap(mm, 0), &b);
    ck_assert_ptr_null(disco_memmap_hold_pmap(mm, 1));
    for (unsigned i = 0; i < 2; i++)
        disco_memmap_let_go_pmap(&a);
    disco_memmap_withdraw(mm, &a); /* nobody holds it: at once */
    ck_assert_ptr_null(disco_memmap_hold_pmap(mm, 3));
    ck_assert_int_eq(disco_memmap_enroll(mm, &c), 0);
    ck_assert_ptr_eq(disco_memmap_hold_pmap(mm, 3), &c);
    disco_memmap_withdraw(mm, &a); /* it is not there: nothing */
    ck_assert_ptr_eq(disco_memmap_hold_pmap(mm, 3), &c);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {users_in_order, replicas_are_detached, pmaps_by_number};

    return SUITE_RUN("memmap_walk", tests, setup, teardown);
}
