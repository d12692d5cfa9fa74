/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_BASE_H
#define DISCO_BASE_H

/**
 * @file base.h
 * @brief Address kinds, errors and rights shared by every library of libdisco.
 *
 * A monitor handles three kinds of address, and the worst bug it can have is to mix them:
 *
 *   virtual   VA, VPN   what an instruction of the guest names
 *   physical  PA, PPN   what the guest believes its memory is: 0 .. size of the VM
 *   machine   MA, MPN   what is really there: RAM of the machine, on some node
 *
 * Each is a C type of its own (a one-field structure), so that mixing them does not compile.
 * The library never prints, allocates, or keeps global state: everything hangs off objects in
 * storage that the caller owns.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the programming interface; 0.x: it may change with any release. */
#define DISCO_VERSION_MAJOR 0
#define DISCO_VERSION_MINOR 1 /**< see DISCO_VERSION_MAJOR */
#define DISCO_VERSION_PATCH 0 /**< see DISCO_VERSION_MAJOR */

/** Pages are 4 KiB, and TLB entries map an even and an odd page together. */
#define DISCO_PAGE_SHIFT 12
#define DISCO_PAGE_SIZE (UINT64_C(1) << DISCO_PAGE_SHIFT) /**< bytes of a page */
#define DISCO_PAGE_MASK (DISCO_PAGE_SIZE - 1)             /**< offset of an address in its page */
#define DISCO_PAIR_SHIFT (DISCO_PAGE_SHIFT + 1)           /**< of the pair a TLB entry maps */

/**
 * Bytes of the lines in which processors exchange memory, the longest that a machine here has (FLASH's). Rule: what is
 * written often lies in no line with what others read often.
 */
#define DISCO_CACHE_LINE 128
/** Before a field: it begins such a line, and so does its structure, wherever the caller puts it. */
#define DISCO_OWN_LINE __attribute__((aligned(DISCO_CACHE_LINE)))

/** Limits that fix the width of fields in page metadata. */
#define DISCO_MAX_VCPUS 64   /**< virtual CPUs of one VM */
#define DISCO_MAX_CPUS 64    /**< processors of the machine */
#define DISCO_MAX_NODES 64   /**< nodes of the machine */
#define DISCO_MAX_PMAPS 4096 /**< VMs over one memmap */

/** Virtual address. */
typedef struct {
    uint64_t v;
} disco_va;
/** Physical address: the guest's view. */
typedef struct {
    uint64_t v;
} disco_pa;
/** Machine address: the real thing. */
typedef struct {
    uint64_t v;
} disco_ma;
/** Virtual page number. */
typedef struct {
    uint64_t v;
} disco_vpn;
/** Physical page number. */
typedef struct {
    uint64_t v;
} disco_ppn;
/** Machine page number. */
typedef struct {
    uint64_t v;
} disco_mpn;

/** The page of a virtual address. */
static inline disco_vpn disco_va_page(disco_va a)
{
    disco_vpn n = {a.v >> DISCO_PAGE_SHIFT};
    return n;
}

/** The page of a physical address. */
static inline disco_ppn disco_pa_page(disco_pa a)
{
    disco_ppn n = {a.v >> DISCO_PAGE_SHIFT};
    return n;
}

/** The page of a machine address. */
static inline disco_mpn disco_ma_page(disco_ma a)
{
    disco_mpn n = {a.v >> DISCO_PAGE_SHIFT};
    return n;
}

/** The first address of a virtual page. */
static inline disco_va disco_vpn_base(disco_vpn n)
{
    disco_va a = {n.v << DISCO_PAGE_SHIFT};
    return a;
}

/** The first address of a physical page. */
static inline disco_pa disco_ppn_base(disco_ppn n)
{
    disco_pa a = {n.v << DISCO_PAGE_SHIFT};
    return a;
}

/** The first address of a machine page. */
static inline disco_ma disco_mpn_base(disco_mpn n)
{
    disco_ma a = {n.v << DISCO_PAGE_SHIFT};
    return a;
}

/** Rights to a page, or an access wanted: any combination. */
enum disco_rights {
    DISCO_READ = 1,
    DISCO_WRITE = 2,
    DISCO_EXEC = 4,
    DISCO_RWX = 7,
};

/** Beside rights, for `tlbe_make` (arch.h): what a translation is like. */
enum disco_tlbe_kind {
    DISCO_GLOBAL = 8, /**< a wish: it is to match every address space */
    /** A pmap's word: there are replicas, and processors of their nodes should use those. */
    DISCO_COPIED = 16,
    /** A pmap's word: it is one of a superpage, all of which may be loaded at once. */
    DISCO_SUPERPAGE = 32,
};

/**
 * What a call may fail with. Functions return 0 or one of these; results come through
 * out-parameters, which are untouched on failure unless a function says otherwise.
 */
enum disco_err {
    DISCO_OK = 0,
    DISCO_ERR_BAD_ARG = -1,     /**< an argument is outside its documented range */
    DISCO_ERR_BAD_ADDRESS = -2, /**< a guest address lies outside the VM's memory */
    DISCO_ERR_OVERFLOW = -3,    /**< address + length wraps around */
    DISCO_ERR_NO_MEMORY = -4,   /**< no free machine page */
    DISCO_ERR_NO_SPACE = -5,    /**< a table of fixed size is full, or storage is too small */
    DISCO_ERR_NOT_FOUND = -6,   /**< nothing is known under that name or address */
    DISCO_ERR_BUSY = -7,        /**< in use; try again */
    DISCO_ERR_READ_ONLY = -8,   /**< a write that the monitor does not allow */
    DISCO_ERR_UNSUPPORTED = -9, /**< a request that this build or backend cannot serve */
    DISCO_ERR_STATE = -10,      /**< not allowed in the object's present state */
    DISCO_ERR_MISSING_OP = -11, /**< a backend lacks a mandatory operation */
    DISCO_ERR_BAD_CALL = -12,   /**< no monitor call has this number */
};

/** A short English text for @p err ("out of machine memory"); never NULL. Pure. */
const char *disco_strerror(int err);

#ifdef __cplusplus
}
#endif
#endif
