//! `birth-death`: see the library's [`cli`](birth_death_harness::cli).

fn main() -> std::process::ExitCode {
    birth_death_harness::cli::main()
}
