//! Puts the memory map of the board where the linker finds it. Every image for a Cortex-M takes this file.

fn main() {
    let target = std::env::var("TARGET").expect("set by cargo");
    let out = std::env::var("OUT_DIR").expect("set by cargo");
    println!("cargo:rerun-if-changed=../cortex-m/build.rs");
    if !target.starts_with("thumb") {
        return;
    }
    // mps2-an386 for the Cortex-M4F, microbit for the Cortex-M0
    let map = if target.starts_with("thumbv6m") {
        "MEMORY { FLASH : ORIGIN = 0x00000000, LENGTH = 256K RAM : ORIGIN = 0x20000000, LENGTH = 16K }"
    } else {
        "MEMORY { FLASH : ORIGIN = 0x00000000, LENGTH = 4M RAM : ORIGIN = 0x20000000, LENGTH = 4M }"
    };
    std::fs::write(format!("{out}/memory.x"), map).expect("the build folder is writable");
    println!("cargo:rustc-link-search={out}");
    println!("cargo:rustc-link-arg=-Tlink.x");
}
