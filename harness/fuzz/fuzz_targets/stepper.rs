#![no_main]

#[path = "../bodies/mod.rs"]
#[allow(dead_code)] // each target is one of them
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::stepper::run(data));
