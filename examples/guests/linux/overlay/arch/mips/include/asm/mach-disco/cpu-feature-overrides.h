/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the monitor's virtual processor has, and what it will not have: known at compile time, so that
 * neither the probes nor the code for the rest remain. No caches: they are the monitor's affair.
 */
#ifndef _ASM_MACH_DISCO_CPU_FEATURE_OVERRIDES_H
#define _ASM_MACH_DISCO_CPU_FEATURE_OVERRIDES_H

#define cpu_has_tlb			1
#define cpu_has_4kex			1
#define cpu_has_3kex			0
#define cpu_has_4k_cache		1
#define cpu_has_3k_cache		0
#define cpu_has_octeon_cache		0
#define cpu_has_counter			1
#define cpu_has_divec			1
#define cpu_has_llsc			1
#define cpu_has_clo_clz			1
#define cpu_has_tlbinv			1
#define cpu_has_rixi			1
#define cpu_has_rixiex			1
#define cpu_has_userlocal		1
#define cpu_has_prefetch		1
#define cpu_has_ic_fills_f_dc		1
#define cpu_icache_snoops_remote_store	1

#define cpu_has_watch			0
#define cpu_has_vce			0
#define cpu_has_cache_cdex_p		0
#define cpu_has_cache_cdex_s		0
#define cpu_has_mcheck			0
#define cpu_has_ejtag			0
#define cpu_has_ftlb			0
#define cpu_has_segments		0
#define cpu_has_eva			0
#define cpu_has_ldpte			0
#define cpu_has_maar			0
#define cpu_has_vtag_icache		0
#define cpu_has_dc_aliases		0
#define cpu_has_pindexed_dcache		0
#define cpu_has_inclusive_pcaches	0
#define cpu_has_mips16			0
#define cpu_has_mips16e2		0
#define cpu_has_mdmx			0
#define cpu_has_mips3d			0
#define cpu_has_smartmips		0
#define cpu_has_mmips			0
#define cpu_has_dsp			0
#define cpu_has_dsp2			0
#define cpu_has_dsp3			0
#define cpu_has_mipsmt			0
#define cpu_has_vp			0
#define cpu_has_vz			0
#define cpu_has_xpa			0
#define cpu_has_mvh			0
#define cpu_has_cdmm			0
#define cpu_has_mmid			0
#define cpu_has_perf			0
#define cpu_has_ftlbparex		0
#define cpu_has_gsexcex			0
#define cpu_has_shared_ftlb_ram		0

#endif
