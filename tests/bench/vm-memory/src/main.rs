// SPDX-License-Identifier: BSD-2-Clause
//! The loop of lookup.c over rust-vmm's vm-memory: guest address to host address, 256 MiB in 1 or
//! more regions.
//!
//!   vm-memory-lookup REGIONS random|sequential COUNT time|steps
//!
//! REGIONS 0: the loop without a look-up.

use vm_memory::{GuestAddress, GuestMemory, GuestMemoryMmap};

const SIZE: u64 = 256 << 20;
const BASE: u64 = 0x7f00_0000_0000;

/// Regions lie one page apart, so that they are not one piece.
fn memory(regions: u64) -> GuestMemoryMmap<()> {
    let len = SIZE / regions;
    let ranges: Vec<(GuestAddress, usize)> =
        (0..regions).map(|i| (GuestAddress(i * (len + 4096)), len as usize)).collect();
    GuestMemoryMmap::from_ranges(&ranges).expect("guest memory")
}

/// Nanoseconds that this process has used; others may use the machine too.
fn now() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 * 1e9 + t.tv_nsec as f64
}

fn next_address(s: &mut u64, random: bool) -> u64 {
    if !random {
        *s = s.wrapping_add(4096 + 64);
        return *s % SIZE;
    }
    *s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *s >> 36
}

/// Region addresses have holes of a page; `shift` says where, without a division in the loop.
fn run(mem: Option<&GuestMemoryMmap<()>>, shift: u32, count: u64, random: bool) -> u64 {
    let (mut s, mut sum) = (1u64, 0u64);
    for _ in 0..count {
        let a = next_address(&mut s, random);
        sum ^= match mem {
            None => BASE + a,
            Some(m) => {
                let at = GuestAddress(a + (a >> shift) * 4096);
                m.get_host_address(at).expect("mapped") as u64
            }
        };
    }
    sum
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() != 5 {
        eprintln!("usage: vm-memory-lookup REGIONS random|sequential COUNT time|steps");
        std::process::exit(1);
    }
    let regions: u64 = args[1].parse().expect("number of regions");
    let random = args[2] == "random";
    let count: u64 = args[3].parse().expect("count");
    let mem = if regions > 0 { Some(memory(regions)) } else { None };
    let shift = (SIZE / regions.max(1)).trailing_zeros();

    if args[4] == "time" {
        let (mut best, mut sum) = (f64::MAX, 0);
        for _ in 0..5 {
            let start = now();
            sum ^= run(mem.as_ref(), shift, count, random);
            best = best.min((now() - start) / count as f64);
        }
        println!("{:.3} {:x}", best, sum);
        return;
    }
    unsafe { libc::raise(libc::SIGUSR1) };
    let sum = run(mem.as_ref(), shift, count, random);
    unsafe { libc::raise(libc::SIGUSR1) };
    std::process::exit((sum == 1) as i32);
}
