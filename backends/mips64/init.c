/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making the machine, and each of its processors, ready to run guests.
 */
#include "internal.h"

#define PAGEGRAIN_XI_RI 0xe8000000u /* RI and XI in force, with exception codes of their own */
#define EBASE_ALIGN 0xfffu          /* vectors begin where these bits are zero */
#define INSN_NOP 0u
#define INSN_B 0x10000000u

/* Write one instruction, and let fetches see it. */
COLD static void patch(char *at, uint32_t insn)
{
    *(volatile uint32_t *)(void *)at = insn;
    __asm__ volatile("sync; synci 0(%0); sync" : : "r"(at) : "memory");
}

/*
 * The vectors are written for the flushing regime with all answers in place. Tagged entries must not be
 * global. With vectors=c the first instruction, which saves k0, moves into a branch's delay slot.
 */
COLD static void choose_vectors(const struct mips_machine *m)
{
    char *const global[] = {mips_patch_global0, mips_patch_global1, mips_patch_global2,
                            mips_patch_global3};

    for (unsigned i = 0; m->tagged && i < sizeof global / sizeof global[0]; i++)
        patch(global[i], INSN_NOP);
    if (m->c_only) {
        long words = (mips_vector_c_only - (mips_vector_refill + 4)) / 4;

        patch(mips_vector_refill + 4, *(uint32_t *)(void *)mips_vector_refill);
        patch(mips_vector_refill, INSN_B | (uint32_t)(words & 0xffff));
    }
}

COLD static bool have_storage(const struct mips_machine *m)
{
    for (unsigned i = 0; i < m->backend.cpus; i++) {
        if (!m->cpu[i])
            return false;
    }
    return true;
}

COLD int mips64_init(struct mips_machine *m, struct disco_memmap *mm)
{
    m->mm = mm;
    m->backend.ops = &mips_ops;
    m->backend.va_mask = UINT64_C(0xc000ffffffffe000);
    m->backend.asids = MIPS_ENTRYHI_ASID + 1;
    m->backend.superpage = 1u << SUPERPAGE_SHIFT;
    if (!m->backend.cpus)
        m->backend.cpus = 1;
    if (!m->backend.nodes)
        m->backend.nodes = 1;
    if (m->backend.cpus > 1 && (!m->ipi_raise || !m->ipi_lower))
        return DISCO_ERR_MISSING_OP;
    if ((uintptr_t)mips_vectors & EBASE_ALIGN || !have_storage(m))
        return DISCO_ERR_BAD_ARG;
    choose_vectors(m);
    mips64_cpu_init(m, 0);
    return disco_backend_check(&m->backend);
}

/* A generation is never 0, which stands in empty tags; ticks lie a little back, so that Count is ahead. */
COLD static void init_cpu(struct mips_machine *m, struct mips_cpu *cpu, unsigned id)
{
    cpu->backend = &m->backend;
    cpu->id = id;
    cpu->timer_at = UINT64_MAX;
    cpu->generation = DISCO_MAX_CPUS + id;
    cpu->next_tag = 1;
    if (id)
        cpu->ticks = __atomic_load_n(&m->cpu[0]->ticks, __ATOMIC_RELAXED) - (UINT64_C(1) << 20);
}

COLD void mips64_cpu_init(struct mips_machine *m, unsigned id)
{
    struct mips_cpu *cpu = m->cpu[id];

    init_cpu(m, cpu, id);
    mips_set(KS_CPU, (uintptr_t)cpu);
    mips_set(KS_VCPU, 0);
    mips_set32(C0_PAGEGRAIN, PAGEGRAIN_XI_RI);
    mips_set32(C0_HWRENA, 0);
    mips_set(C0_EBASE, (uintptr_t)mips_vectors);
    mips_set32(C0_STATUS, ST_KX | ST_SX | ST_UX | ST_FR);
    mips_ehb();
    mips_tlb_flush(NULL);
    mips_timer_program(cpu);
}
