/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_SIM_MACHINE_H
#define DISCO_SIM_MACHINE_H

/* Private to backends/sim: the hardware. */

#include <disco/sim.h>

#include <pthread.h>

#define SIM_TLB_MAX 64

/* A pair in a hardware TLB. e[] = {0, 0}: an empty place. */
struct hw_entry {
    const struct disco_vcpu *tag; /* whose it is; compared, never followed */
    disco_vpn pair;
    uint32_t asid;
    bool global;
    disco_tlbe e[2];
};

/* A request to forget, on its way to one processor. It lies on the stack of who asks. */
struct request {
    struct request *next;
    const struct disco_holder *h;
    size_t nh;
    const struct disco_purge *p;
    size_t n;
    uint32_t *left; /* requests that have not been served yet; atomic */
};

struct sim_cpu {
    struct sim_machine *m;
    unsigned id;
    /* Its TLB. While `online` only its own thread touches it; else who holds `lock`. */
    struct hw_entry tlb[SIM_TLB_MAX], hidden[SIM_TLB_MAX];
    unsigned next_hidden;
    uint32_t random;
    const struct disco_vcpu *owner; /* who is in: only entries with this tag match */
    uint64_t timer;                 /* own thread */
    struct sim_cpu_stats stats;
    /* What others ask of it. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool online; /* a thread of sim_run() is this processor */
    struct request *requests;
    uint32_t mail;   /* atomic: requests is not empty */
    uint32_t kicked; /* atomic */
};

struct sim_machine {
    struct disco_backend backend; /* first: ops get a pointer to it */
    struct sim_config config;
    uint8_t *memory;
    uint64_t time;   /* ns; atomic */
    uint32_t online; /* processors in sim_run(); atomic */
    struct sim_cpu cpu[DISCO_MAX_CPUS];
};

static inline struct sim_machine *machine_of(struct disco_backend *b)
{
    return (struct sim_machine *)(void *)b;
}

extern const struct disco_backend_ops sim_ops;

/* machine.c */
unsigned sim_current(void);
uint64_t sim_now(struct sim_machine *m);
uint32_t sim_next_random(uint32_t *state);
struct sim_cpu *sim_this_cpu(const struct disco_vcpu *v);

/* tlb.c: one processor's TLB */
const struct hw_entry *hw_find(const struct sim_cpu *c, uint64_t va, uint32_t asid);
void hw_load(struct sim_cpu *c, const struct hw_entry *e);
void hw_forget(struct sim_cpu *c, const struct disco_vcpu *tag, disco_vpn vpn);
void hw_flush(struct sim_cpu *c);

/* ipi.c: what processors ask of each other */
void sim_invalidate(struct disco_backend *b, const struct disco_holder *h, size_t nh,
                    const struct disco_purge *p, size_t n);
void sim_serve(struct sim_cpu *c);
void sim_kick(struct disco_backend *b, unsigned cpu);
void sim_relax(struct disco_backend *b);
void sim_idle(struct disco_backend *b);
bool sim_disturbed(struct sim_cpu *c);

/* tlbe.c: sim's TLB entries */
disco_tlbe sim_tlbe_make(disco_mpn mpn, unsigned rights);
disco_tlbe sim_tlbe_merge(disco_tlbe guest, disco_tlbe monitor);
disco_mpn sim_tlbe_mpn(disco_tlbe e);
unsigned sim_tlbe_rights(disco_tlbe e);

/* guest.c: the guest's privileged state */
int sim_guest_reset(struct disco_vcpu *v);
void sim_inject(struct disco_vcpu *v, enum disco_inject what, const struct disco_exit *x);
void sim_lines(struct disco_vcpu *v, uint32_t lines);
bool sim_irq_ready(const struct disco_vcpu *v);
int sim_emulate(struct disco_vcpu *v, const struct disco_exit *x);
void sim_call_return(struct disco_vcpu *v, int64_t result);
int sim_device_access(struct disco_vcpu *v, const struct disco_exit *x,
                      struct disco_device_access *a);
void sim_device_done(struct disco_vcpu *v, const struct disco_exit *x,
                     const struct disco_device_access *a);
void sim_take(struct sim_guest *g, unsigned vector);

/* vtlb.c: the guest's TLB and its unmapped segments */
bool sim_unmapped(const struct disco_vcpu *v, disco_va va, disco_ppn *ppn);
size_t sim_aliases(disco_ppn ppn, disco_vpn out[DISCO_MAX_ALIASES]);
int sim_guest_lookup(struct disco_vcpu *v, disco_va va, struct disco_guest_map *m);
void sim_vtlb_write(struct disco_vcpu *v, unsigned index, bool indexed, struct sim_entry e);
int64_t sim_vtlb_probe(struct disco_vcpu *v, disco_va va);
void sim_vtlb_flush(struct disco_vcpu *v);

/* run.c: direct execution */
void sim_enter(struct disco_vcpu *v, struct disco_exit *x);

#endif
