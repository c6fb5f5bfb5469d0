//! The two system calls and the entry, an architecture each: number and arguments where the kernel's ABI has them.

use core::arch::{asm, global_asm};

/// Writes all of `bytes` to standard output.
pub fn write(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the kernel reads the slice's bytes and writes nothing.
        let written = unsafe { call3(WRITE, 1, bytes.as_ptr() as usize, bytes.len()) };
        let Some(rest) = usize::try_from(written).ok().filter(|&n| n > 0).and_then(|n| bytes.get(n..)) else { exit(3) };
        bytes = rest;
    }
}

/// Ends the process.
pub fn exit(code: i32) -> ! {
    // SAFETY: does not return, and touches no memory.
    unsafe { call3(EXIT, code as usize, 0, 0) };
    loop {}
}

macro_rules! architecture {
    ($arch:literal, $write:literal, $exit:literal, [$($start:literal),*], $call:literal,
     $number:tt, $a:tt, $b:tt, $c:tt) => {
        #[cfg(target_arch = $arch)]
        const WRITE: usize = $write;
        #[cfg(target_arch = $arch)]
        const EXIT: usize = $exit;
        #[cfg(target_arch = $arch)]
        global_asm!(".global _start", "_start:", $($start),*);
        #[cfg(target_arch = $arch)]
        unsafe fn call3(number: usize, a: usize, b: usize, c: usize) -> isize {
            let result: isize;
            // SAFETY: the kernel's calling convention; the caller answers for the memory that the arguments name.
            unsafe { asm!($call, in($number) number, inlateout($a) a => result, in($b) b, in($c) c, options(nostack)) };
            result
        }
    };
    // the result comes back where the number or the first argument was
}

architecture!("aarch64", 64, 93, ["mov x29, #0", "bl start"], "svc 0", "x8", "x0", "x1", "x2");
architecture!("arm", 4, 1, ["mov r11, #0", "bl start"], "svc 0", "r7", "r0", "r1", "r2");
architecture!("riscv64", 64, 93, ["call start"], "ecall", "a7", "a0", "a1", "a2");
architecture!("powerpc", 4, 1, ["li 0, 0", "stwu 1, -16(1)", "bl start"], "sc", "r0", "r3", "r4", "r5");
architecture!("s390x", 4, 1, ["aghi %r15, -160", "brasl %r14, start"], "svc 0", "r1", "r2", "r3", "r4");

#[cfg(target_arch = "x86_64")]
const WRITE: usize = 1;
#[cfg(target_arch = "x86_64")]
const EXIT: usize = 60;
#[cfg(target_arch = "x86_64")]
global_asm!(".global _start", "_start:", "and rsp, -16", "call start");
#[cfg(target_arch = "x86_64")]
unsafe fn call3(number: usize, a: usize, b: usize, c: usize) -> isize {
    let result: isize;
    // SAFETY: the kernel's calling convention; the caller answers for the memory that the arguments name.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c,
            out("rcx") _, out("r11") _, options(nostack));
    }
    result
}

#[cfg(target_arch = "x86")]
const WRITE: usize = 4;
#[cfg(target_arch = "x86")]
const EXIT: usize = 1;
#[cfg(target_arch = "x86")]
global_asm!(".global _start", "_start:", "and esp, -16", "call start");
#[cfg(target_arch = "x86")]
unsafe fn call3(number: usize, a: usize, b: usize, c: usize) -> isize {
    let result: isize;
    // SAFETY: the kernel's calling convention; the caller answers for the memory that the arguments name.
    unsafe {
        // ebx is the compiler's own in position-independent code: handed over by exchange
        asm!("xchg ebx, {a}", "int 0x80", "xchg ebx, {a}",
            a = inout(reg) a => _, inlateout("eax") number => result, in("ecx") b, in("edx") c, options(nostack));
    }
    result
}
