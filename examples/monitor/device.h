/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_DEVICE_H
#define MONITOR_DEVICE_H

/*
 * How the monitor reaches the registers of real devices, and what they read in its memory: numbers on the PCI bus
 * are little-endian, whatever the processor is.
 */

#include <stdint.h>

/* XKPHYS, uncached: the registers at a physical address. */
#define DEVICE_UNCACHED UINT64_C(0x9000000000000000)

static inline volatile uint8_t *device_at(uint64_t physical)
{
    return (volatile uint8_t *)(uintptr_t)(DEVICE_UNCACHED + physical);
}

/* Between the processor's order and little-endian, both ways. */
#define DEVICE_SWAPS (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
static inline uint16_t le16(uint16_t v) { return DEVICE_SWAPS ? __builtin_bswap16(v) : v; }
static inline uint32_t le32(uint32_t v) { return DEVICE_SWAPS ? __builtin_bswap32(v) : v; }
static inline uint64_t le64(uint64_t v) { return DEVICE_SWAPS ? __builtin_bswap64(v) : v; }

static inline uint16_t device_get16(const volatile uint8_t *at)
{
    return le16(*(const volatile uint16_t *)(const volatile void *)at);
}

static inline uint32_t device_get32(const volatile uint8_t *at)
{
    return le32(*(const volatile uint32_t *)(const volatile void *)at);
}

static inline void device_put16(volatile uint8_t *at, uint16_t v)
{
    *(volatile uint16_t *)(volatile void *)at = le16(v);
}

static inline void device_put32(volatile uint8_t *at, uint32_t v)
{
    *(volatile uint32_t *)(volatile void *)at = le32(v);
}

#endif
