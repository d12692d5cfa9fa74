/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy of Verghese et al. (ASPLOS 1996) as Disco uses it (section 4.2.1), and what sharing pages between virtual
 * machines adds to it.
 */
#include <disco/numa.h>

void disco_numa_params_default(struct disco_numa_params *p)
{
    *p = (struct disco_numa_params){
        .mode = DISCO_NUMA_ON,
        .trigger = 192,
        .sharing = 48,
        .write = 1,
        .migrate = 2,
        .cap = 768,
        .copy = DISCO_PAGE_SIZE / 128,
        .interval = UINT64_C(300) * 1000 * 1000,
    };
}

int disco_numa_params_check(const struct disco_numa_params *p)
{
    bool ok = p && p->mode <= DISCO_NUMA_ON && p->trigger && p->sharing &&
              p->sharing <= p->trigger && p->interval;

    return ok ? DISCO_OK : DISCO_ERR_BAD_ARG;
}

static struct disco_numa_decision leave(enum disco_numa_reason reason)
{
    return (struct disco_numa_decision){DISCO_NUMA_LEAVE, reason};
}

/* Every action costs a revocation, so all of them count against the cap. */
static struct disco_numa_decision act(const struct disco_numa_params *p,
                                      const struct disco_numa_view *v,
                                      enum disco_numa_action action, enum disco_numa_reason reason)
{
    return v->spent < p->cap ? (struct disco_numa_decision){action, reason}
                             : leave(DISCO_NUMA_CAPPED);
}

static enum disco_numa_reason unfit(enum disco_numa_page page)
{
    switch (page) {
    case DISCO_NUMA_PAGE_FREE: return DISCO_NUMA_FREE;
    case DISCO_NUMA_PAGE_MONITOR: return DISCO_NUMA_MONITOR;
    case DISCO_NUMA_PAGE_NO_USER: return DISCO_NUMA_NO_USER;
    case DISCO_NUMA_PAGE_CHANGED: return DISCO_NUMA_CHANGED;
    case DISCO_NUMA_PAGE_WIRED: return DISCO_NUMA_WIRED;
    default: return DISCO_NUMA_FOREIGN;
    }
}

static struct disco_numa_decision migrate(const struct disco_numa_params *p,
                                          const struct disco_numa_view *v)
{
    if (!(p->mode & DISCO_NUMA_MIGRATE))
        return leave(DISCO_NUMA_DISABLED);
    if (v->moves >= p->migrate)
        return leave(DISCO_NUMA_RESTLESS);
    if (v->full)
        return leave(DISCO_NUMA_NO_MEMORY);
    return act(p, v, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE);
}

/* A page that lost its replicas to a store in this interval would only lose them again. */
static struct disco_numa_decision replicate(const struct disco_numa_params *p,
                                            const struct disco_numa_view *v)
{
    if (!v->read_only && (v->writes > p->write || v->collapsed))
        return leave(DISCO_NUMA_WRITE_SHARED);
    if (!(p->mode & DISCO_NUMA_REPLICATE))
        return leave(DISCO_NUMA_DISABLED);
    if (v->full)
        return leave(DISCO_NUMA_NO_MEMORY);
    if (v->low)
        return leave(DISCO_NUMA_LOW_MEMORY);
    return act(p, v, DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED);
}

/*
 * What is left are hot pages that lie elsewhere, of which the node has no copy. Those that have replicas count as
 * shared whatever the others' misses are: nodes with a replica miss on it, and not on this copy. So do those that
 * others refer to, for they cannot be migrated.
 */
static struct disco_numa_decision place(const struct disco_numa_params *p,
                                        const struct disco_numa_view *v)
{
    if (v->replicated && !v->read_only && v->writes > p->write)
        return act(p, v, DISCO_NUMA_DO_COLLAPSE, DISCO_NUMA_WRITTEN);
    if (v->replicated || !v->sole || v->others >= p->sharing)
        return replicate(p, v);
    return migrate(p, v);
}

struct disco_numa_decision disco_numa_decide(const struct disco_numa_params *p,
                                             const struct disco_numa_view *v)
{
    if (p->mode == DISCO_NUMA_OFF)
        return leave(DISCO_NUMA_DISABLED);
    if (v->page != DISCO_NUMA_PAGE_GUEST)
        return leave(unfit(v->page));
    if (v->misses < p->trigger)
        return leave(DISCO_NUMA_NOT_HOT);
    if (v->at == v->node)
        return leave(DISCO_NUMA_LOCAL);
    if (!v->copy_here)
        return place(p, v);
    if (v->stale)
        return leave(DISCO_NUMA_STALE);
    return act(p, v, DISCO_NUMA_DO_REMAP, DISCO_NUMA_FAR_COPY);
}

const char *disco_numa_reason_name(enum disco_numa_reason r)
{
    static const char *const name[DISCO_NUMA_REASONS] = {
        [DISCO_NUMA_ONE_NODE] = "one_node",
        [DISCO_NUMA_READ_SHARED] = "read_shared",
        [DISCO_NUMA_WRITTEN] = "written",
        [DISCO_NUMA_FAR_COPY] = "far_copy",
        [DISCO_NUMA_DISABLED] = "disabled",
        [DISCO_NUMA_FOREIGN] = "foreign",
        [DISCO_NUMA_FREE] = "free",
        [DISCO_NUMA_MONITOR] = "monitor",
        [DISCO_NUMA_NO_USER] = "no_user",
        [DISCO_NUMA_CHANGED] = "changed",
        [DISCO_NUMA_WIRED] = "wired",
        [DISCO_NUMA_NOT_HOT] = "not_hot",
        [DISCO_NUMA_LOCAL] = "local",
        [DISCO_NUMA_STALE] = "stale",
        [DISCO_NUMA_WRITE_SHARED] = "write_shared",
        [DISCO_NUMA_RESTLESS] = "restless",
        [DISCO_NUMA_NO_MEMORY] = "no_memory",
        [DISCO_NUMA_LOW_MEMORY] = "low_memory",
        [DISCO_NUMA_CAPPED] = "capped",
    };

    return (unsigned)r < DISCO_NUMA_REASONS ? name[r] : "?";
}

const char *disco_numa_action_name(enum disco_numa_action a)
{
    static const char *const name[DISCO_NUMA_ACTIONS] = {
        [DISCO_NUMA_LEAVE] = "leave",
        [DISCO_NUMA_DO_MIGRATE] = "migrate",
        [DISCO_NUMA_DO_REPLICATE] = "replicate",
        [DISCO_NUMA_DO_COLLAPSE] = "collapse",
        [DISCO_NUMA_DO_REMAP] = "remap",
    };

    return (unsigned)a < DISCO_NUMA_ACTIONS ? name[a] : "?";
}
