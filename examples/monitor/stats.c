/* SPDX-License-Identifier: BSD-2-Clause */
#include "stats.h"

#include "mips64.h"

struct row {
    const char *name;
    uint64_t value;
};

static const char *const exc_name[32] = {
    [MIPS_EXC_INT] = "exit_interrupt", [MIPS_EXC_MOD] = "exit_tlb_modified",
    [MIPS_EXC_TLBL] = "exit_tlb_load", [MIPS_EXC_TLBS] = "exit_tlb_store",
    [MIPS_EXC_ADEL] = "exit_address_load", [MIPS_EXC_ADES] = "exit_address_store",
    [MIPS_EXC_SYS] = "exit_syscall", [MIPS_EXC_BP] = "exit_break", [MIPS_EXC_RI] = "exit_reserved",
    [MIPS_EXC_CPU] = "exit_coprocessor", [MIPS_EXC_TLBRI] = "exit_read_inhibit",
    [MIPS_EXC_TLBXI] = "exit_execute_inhibit", [MIPS_EXC_FPE] = "exit_fpu",
};

static const char *const insn_name[64] = {
    [MIPS_INSN_MFC0] = "insn_mfc0", [MIPS_INSN_DMFC0] = "insn_dmfc0",
    [MIPS_INSN_MTC0] = "insn_mtc0", [MIPS_INSN_DMTC0] = "insn_dmtc0",
    [MIPS_INSN_DI] = "insn_di", [MIPS_INSN_EI] = "insn_ei", [MIPS_INSN_TLBP] = "insn_tlbp",
    [MIPS_INSN_TLBR] = "insn_tlbr", [MIPS_INSN_TLBWI] = "insn_tlbwi",
    [MIPS_INSN_TLBWR] = "insn_tlbwr", [MIPS_INSN_TLBINV] = "insn_tlbinv",
    [MIPS_INSN_TLBINVF] = "insn_tlbinvf", [MIPS_INSN_ERET] = "insn_eret",
    [MIPS_INSN_WAIT] = "insn_wait", [MIPS_INSN_HYPCALL] = "insn_hypcall",
    [MIPS_INSN_CACHE] = "insn_cache", [MIPS_INSN_RDHWR] = "insn_rdhwr",
};

void stats_walk(struct vm *vm, void (*put)(void *ctx, const char *name, uint64_t value), void *ctx)
{
    const struct mips_stats *m = &mips_of(&vm->vcpu)->stats;
    const struct disco_vcpu_stats *v = &vm->vcpu.stats;
    const struct disco_pmap_stats *p = &vm->pmap.stats;
    const struct disco_l2tlb *l = vm->vcpu.l2tlb;
    const struct row rows[] = {
        {"l2tlb_hits", l->hits}, {"l2tlb_misses", l->misses}, {"l2tlb_inserts", l->inserts},
        {"pmap_hits", m->pmap_hits}, {"exits", m->exits},
        {"miss_l2tlb", v->miss_l2tlb}, {"miss_pmap", v->miss_pmap}, {"miss_guest", v->miss_guest},
        {"write_monitor", v->write_monitor}, {"write_guest", v->write_guest},
        {"bus_errors", v->bus_errors}, {"reflected", m->reflected},
        {"interrupts", m->interrupts}, {"insn_runs", m->runs}, {"fpu_loads", m->fpu_loads},
        {"calls_bad", vm->calls.bad}, {"pages_present", p->present},
        {"first_touch", p->first_touch}, {"run_ns", v->run_ns},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        put(ctx, rows[i].name, rows[i].value);
    for (unsigned i = 0; i < 32; i++) {
        if (exc_name[i])
            put(ctx, exc_name[i], m->code[i]);
    }
    for (unsigned i = 0; i < 64; i++) {
        if (insn_name[i])
            put(ctx, insn_name[i], m->insn[i]);
    }
}
