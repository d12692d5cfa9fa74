/* SPDX-License-Identifier: BSD-2-Clause */
#include "uart.h"

#include <string.h>

#include "console.h"
#include "monitor.h"

/* Where a Malta board has one: whoever knows the board's address may do without the device tree. */
#define AT UINT64_C(0x1f000900)
#define SHIFT 3
#define LEN (UINT64_C(8) << SHIFT)
#define CPU_LINES 1 /* phandle of the processor's interrupt lines */

const char *uart_check(const struct vm_config *config)
{
    return config->uart && config->memory > (AT & ~DISCO_PAGE_MASK)
               ? "with uart = yes, memory has to end below the port at 0x1f000000"
               : NULL;
}

int uart_make(struct vm *vm, struct disco_line line)
{
    struct disco_mmio_window w = {{AT}, LEN, &disco_uart16550_ops, &vm->uart};
    int err;

    memset(&vm->mmio, 0, sizeof vm->mmio);
    if (!vm->config->uart)
        return DISCO_OK;
    err = disco_uart16550_init(&vm->uart, &mon.machine.backend, SHIFT, console_put, vm, line);
    return err ? err : disco_mmio_add(&vm->mmio, &w);
}

/* Drivers that are not written for this monitor find their interrupt by its controller. */
static void describe_lines(struct fdt *f)
{
    fdt_begin(f, "interrupt-controller");
    fdt_string(f, "compatible", "mti,cpu-interrupt-controller");
    fdt_bytes(f, "interrupt-controller", NULL, 0);
    fdt_u32(f, "#address-cells", 0);
    fdt_u32(f, "#interrupt-cells", 1);
    fdt_u32(f, "phandle", CPU_LINES);
    fdt_end(f);
}

void uart_describe(struct fdt *f, const struct vm *vm)
{
    if (!vm->config->uart)
        return;
    describe_lines(f);
    fdt_begin(f, "serial@1f000900");
    fdt_string(f, "compatible", "ns16550a");
    fdt_reg(f, AT, LEN);
    fdt_u32(f, "reg-shift", SHIFT);
    fdt_u32(f, "clock-frequency", 1843200);
    fdt_u32(f, "current-speed", 115200);
    fdt_u32(f, "interrupt-parent", CPU_LINES);
    fdt_u32(f, "interrupts", DISCO_LINE_DEVICE);
    fdt_end(f);
}

int uart_mapped(struct disco_vcpu *v, disco_pa pa, unsigned size, bool write, uint64_t *value)
{
    return disco_mmio_access(&vm_of(v->vm)->mmio, pa, size, write, value);
}

bool uart_input(struct vm *vm, uint8_t byte)
{
    if (!vm->mmio.windows || !disco_uart16550_listens(&vm->uart))
        return false;
    (void)disco_uart16550_input(&vm->uart, &byte, 1);
    return true;
}
