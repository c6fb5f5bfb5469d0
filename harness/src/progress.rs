//! What a long computation shows, and how it is stopped.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error with the share done and the time left; nothing at all unless that is a terminal.
pub fn bar(total: u64, unit: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(5));
    let template = format!("{{wide_bar}} {{percent}} % of {{len}} {unit}, {{eta}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// A line on standard error for work of several parts whose lengths are not known before: the part (the prefix), how many
/// replicates of it are done, and the time so far; nothing at all unless that is a terminal.
pub fn parts() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template("{prefix}: {pos} of {len} replicates begun so far, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static INSTALLED: OnceLock<bool> = OnceLock::new();

/// A flag that the first Ctrl-C sets from now on; a second Ctrl-C ends the process with code 130.
///
/// May be called any number of times. If the system refuses the handler, the flag stays unset and Ctrl-C kills as
/// it always does.
pub fn interruption() -> &'static AtomicBool {
    INSTALLED.get_or_init(|| {
        ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                std::process::exit(i32::from(crate::cli::INTERRUPTED));
            }
        })
        .is_ok()
    });
    &INTERRUPTED
}
