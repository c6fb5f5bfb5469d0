//! Tells the linker the memory map of the board: the build script of every image for one.

use std::path::Path;

fn main() {
    let set = |name| std::env::var(name).expect("set by cargo");
    let (target, out) = (set("TARGET"), set("OUT_DIR"));
    let board = Path::new(&set("CARGO_MANIFEST_DIR")).join("../board");
    println!("cargo:rerun-if-changed=../board");
    if target.starts_with("riscv32") {
        println!("cargo:rustc-link-arg=-T{}", board.join("link.x").display());
    }
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
