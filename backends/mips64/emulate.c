/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privileged instructions of a guest kernel. One trap may settle several: after an instruction the
 * word behind it is looked at, and if it is privileged too (tlbwr; eret) it is emulated at once.
 */
#include "internal.h"

#define WORD_NOP 0x00000000u
#define WORD_EHB 0x000000c0u
#define OPCODE_COP0 0x10u
#define HWR_CPUNUM 0
#define HWR_SYNCI_STEP 1
#define HWR_CC 2
#define HWR_CCRES 3
#define HWR_ULR 29
#define RUN_MAX 8 /* words settled by one trap: interrupts wait no longer than that */

enum step {
    STEP_NEXT,   /* go on behind the instruction */
    STEP_WROTE,  /* the same, and it wrote a general register */
    STEP_JUMPED, /* pc is set */
    STEP_LEAVE,  /* the libraries go on; pc is behind the instruction */
    STEP_ILLEGAL,
};

ASIDE static enum step mfc0(struct mips_vcpu *a, uint32_t word, bool wide)
{
    unsigned rd = mips_insn_rd(word), sel = mips_insn_sel(word), index = MIPS_CP0_INDEX(rd, sel);

    if (index == MIPS_CP0_COUNT)
        mips_cp0_set(a->cp0, MIPS_CP0_COUNT, mips_sext32(mips_guest_count(a)));
    else if (index == MIPS_CP0_RANDOM)
        mips_cp0_set(a->cp0, MIPS_CP0_RANDOM,
                     mips_vtlb_random(&a->random, mips_cp0_get(a->cp0, MIPS_CP0_WIRED)));
    mips_gpr_set(&a->g, mips_insn_rt(word), mips_cp0_read(a->cp0, rd, sel, wide));
    return STEP_WROTE;
}

/* The real HWREna lets through what reads the same on the real processor. */
void mips_hwrena_load(struct mips_vcpu *a)
{
    uint32_t want = (uint32_t)mips_cp0_get(a->cp0, MIPS_CP0_HWRENA);
    uint32_t same = 1u << HWR_SYNCI_STEP | 1u << HWR_CCRES | 1u << HWR_ULR;

    if (!a->count.bias && !a->count.stopped)
        same |= 1u << HWR_CC;
    mips_set32(C0_HWRENA, want & same);
}

static void apply(struct mips_vcpu *a, enum mips_cp0_effect effect)
{
    switch (effect) {
    case MIPS_EFFECT_ENTRYHI: {
        uint64_t asid = mips_cp0_get(a->cp0, MIPS_CP0_ENTRYHI) & MIPS_ENTRYHI_ASID;

        if (asid != a->asid)
            mips_set_asid(a, asid);
        break;
    }
    case MIPS_EFFECT_COUNT:
        mips_guest_count_set(a, (uint32_t)mips_cp0_get(a->cp0, MIPS_CP0_COUNT));
        mips_hwrena_load(a);
        break;
    case MIPS_EFFECT_COMPARE: mips_compare_written(a); break;
    case MIPS_EFFECT_HWRENA: mips_hwrena_load(a); break;
    case MIPS_EFFECT_USERLOCAL:
        mips_set(C0_USERLOCAL, mips_cp0_get(a->cp0, MIPS_CP0_USERLOCAL));
        break;
    default: break; /* Status, Cause and the rest are looked at on every entry */
    }
}

ASIDE static enum step mtc0(struct mips_vcpu *a, uint32_t word, bool wide)
{
    unsigned rd = mips_insn_rd(word), sel = mips_insn_sel(word);
    uint64_t value = mips_gpr_get(&a->g, mips_insn_rt(word));

    if (MIPS_CP0_INDEX(rd, sel) == MIPS_CP0_STATUS && (value & MIPS_ST_KSU) == MIPS_ST_KSU)
        disco_vcpu_report(a->vcpu, "asked for the reserved processor mode", value);
    apply(a, mips_cp0_write(a->cp0, rd, sel, value, wide));
    return STEP_NEXT;
}

static enum step set_ie(struct mips_vcpu *a, uint32_t word, bool on)
{
    mips_gpr_set(&a->g, mips_insn_rt(word), mips_set_ie(a->cp0, on));
    return STEP_WROTE;
}

static enum step eret(struct mips_vcpu *a)
{
    a->g.pc = mips_eret(a->cp0);
    return STEP_JUMPED;
}

static enum step wait(struct mips_vcpu *a)
{
    if (mips_interrupt_wakes(a->cp0))
        return STEP_NEXT;
    a->exit->kind = DISCO_EXIT_WAIT;
    return STEP_LEAVE;
}

static enum step monitor_call(struct mips_vcpu *a)
{
    a->exit->kind = DISCO_EXIT_CALL;
    a->exit->call = a->g.r[2];
    for (unsigned i = 0; i < DISCO_CALL_ARGS; i++)
        a->exit->arg[i] = a->g.r[4 + i];
    return STEP_LEAVE;
}

static enum step execute(struct mips_vcpu *a, enum mips_insn_kind kind, uint32_t word)
{
    switch (kind) {
    case MIPS_INSN_MFC0: return mfc0(a, word, false);
    case MIPS_INSN_DMFC0: return mfc0(a, word, true);
    case MIPS_INSN_MTC0: return mtc0(a, word, false);
    case MIPS_INSN_DMTC0: return mtc0(a, word, true);
    case MIPS_INSN_DI: return set_ie(a, word, false);
    case MIPS_INSN_EI: return set_ie(a, word, true);
    case MIPS_INSN_TLBP: mips_guest_tlbp(a); return STEP_NEXT;
    case MIPS_INSN_TLBR:
        mips_guest_tlbr(a);
        apply(a, MIPS_EFFECT_ENTRYHI);
        return STEP_NEXT;
    case MIPS_INSN_TLBWI: mips_guest_tlbwi(a); return STEP_NEXT;
    case MIPS_INSN_TLBWR: mips_guest_tlbwr(a); return STEP_NEXT;
    case MIPS_INSN_TLBINV: mips_guest_tlbinv(a, false); return STEP_NEXT;
    case MIPS_INSN_TLBINVF: mips_guest_tlbinv(a, true); return STEP_NEXT;
    case MIPS_INSN_ERET:
    case MIPS_INSN_ERETNC: return eret(a);
    case MIPS_INSN_WAIT: return wait(a);
    case MIPS_INSN_HYPCALL: return monitor_call(a);
    case MIPS_INSN_CACHE: return STEP_NEXT; /* the virtual CPU has no caches (Config1) */
    default: return STEP_ILLEGAL;
    }
}

/* What one trap settles, word by word. */
struct run {
    uint32_t word;
    enum mips_insn_kind kind;
    uint64_t next;   /* where its straight successor stands */
    unsigned behind; /* words looked at behind the one that trapped */
    bool wrote;      /* a general register, perhaps: as a slot's branch may have */
};

static enum step step(struct mips_vcpu *a, struct run *r)
{
    enum step s = execute(a, r->kind, r->word);

    a->stats.insn[r->kind]++;
    if (r->behind)
        a->stats.runs++;
    if (s == STEP_WROTE) {
        r->wrote = true;
        s = STEP_NEXT;
    }
    if (s == STEP_NEXT || s == STEP_LEAVE)
        a->g.pc = r->next;
    return s;
}

/* The word at an address of the kernel image. */
static bool peek(const struct mips_vcpu *a, uint64_t pc, uint32_t *word)
{
    const uint32_t *at = mips_is_image((disco_va){pc}) ? mips_find(a, (disco_va){pc}) : NULL;

    if (!at)
        return false;
    *word = *at;
    return true;
}

/*
 * Is the word that follows to be settled, too? It is if it is privileged, with mere hazard barriers before it at most.
 */
static bool follows(struct mips_vcpu *a, struct run *r)
{
    uint32_t word;

    for (; r->behind < RUN_MAX && peek(a, a->g.pc, &word); a->g.pc += 4) {
        r->behind++;
        if (word == WORD_EHB || word == WORD_NOP)
            continue;
        if (word >> 26 != OPCODE_COP0)
            return false;
        r->word = word;
        r->kind = mips_insn_kind(word);
        r->next = a->g.pc + 4;
        return r->kind != MIPS_INSN_RESERVED && !mips_interrupt_pending(a->cp0);
    }
    return false;
}

/* Where to go on after this exit's instruction; a slot's branch is evaluated before it commits. */
bool mips_successor(struct mips_vcpu *a, uint64_t *next)
{
    uint32_t branch;

    if (!(a->cause & CAUSE_BD)) {
        *next = a->g.pc + 4;
        return true;
    }
    branch = mips_get32(C0_BADINSTRP);
    return mips_resume_pc(true, a->g.pc, branch, &a->g, mips_fpu_bit0(a, mips_branch_fpr(branch)),
                          next);
}

/* What turns out illegal behind another is left alone: it will trap by itself, with registers that tell of it. */
ASIDE int mips_emulate_run(struct mips_vcpu *a)
{
    struct run r = {.word = mips_get32(C0_BADINSTR), .wrote = a->cause & CAUSE_BD};
    enum step s = STEP_ILLEGAL;
    uint64_t next;

    if (mips_successor(a, &next)) {
        r.next = next;
        r.kind = mips_insn_kind(r.word);
        do {
            s = step(a, &r);
        } while (s == STEP_NEXT && follows(a, &r));
    }
    if (s == STEP_ILLEGAL && !r.behind) {
        a->exit->kind = DISCO_EXIT_PRIVILEGED;
        a->exit->va = (disco_va){a->g.pc};
        return MIPS_LEAVE;
    }
    if (s == STEP_LEAVE)
        return MIPS_LEAVE;
    return r.wrote ? MIPS_RELOAD : MIPS_RESUME;
}

static bool read_hwr(struct mips_vcpu *a, unsigned n, uint64_t *value)
{
    uint32_t enabled = (uint32_t)mips_cp0_get(a->cp0, MIPS_CP0_HWRENA);

    if (!mips_guest_is_kernel(a) && !(enabled >> n & 1))
        return false;
    switch (n) {
    case HWR_CPUNUM: *value = a->vcpu->id; return true;
    case HWR_SYNCI_STEP: *value = 0; return true;
    case HWR_CC: *value = mips_sext32(mips_guest_count(a)); return true;
    case HWR_CCRES: *value = 1; return true;
    case HWR_ULR: *value = mips_cp0_get(a->cp0, MIPS_CP0_USERLOCAL); return true;
    default: return false;
    }
}

/* A reserved instruction; it may be an rdhwr that the real HWREna does not let through. */
TOLD int mips_emulate_rdhwr(struct mips_vcpu *a)
{
    struct mips_insn insn = mips_decode(mips_get32(C0_BADINSTR));
    uint64_t next, value;

    if (insn.kind != MIPS_INSN_RDHWR || insn.sel || !read_hwr(a, insn.rd, &value) ||
        !mips_successor(a, &next))
        return mips_reflect(a);
    a->stats.insn[MIPS_INSN_RDHWR]++;
    mips_gpr_set(&a->g, insn.rt, value);
    a->g.pc = next;
    return MIPS_RELOAD;
}
