//! Names the link script.

fn main() {
    println!("cargo:rustc-link-arg=-T{}/link.x", std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo"));
    println!("cargo:rerun-if-changed=link.x");
}
