//! What a long computation shows, and how it is stopped.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error with the share done and the time left; nothing at all unless that is a terminal.
pub fn bar(total: u64, unit: &'static str) -> ProgressBar {
    on_terminal(total, &format!("{{wide_bar}} {{percent}} % of {{len}} {unit}, {{eta}} left"))
}

/// A line for work of several parts whose lengths are not known before: the part (the prefix), how many replicates of
/// it are done, and the time so far; likewise only on a terminal.
pub fn parts() -> ProgressBar {
    on_terminal(0, "{prefix}: {pos} of {len} replicates begun so far, {elapsed}")
}

/// The same for a training: the steps, and a message with the losses.
pub fn losses(steps: u64) -> ProgressBar {
    on_terminal(steps, "{wide_bar} step {pos} of {len}, {msg}, {eta} left")
}

fn on_terminal(total: u64, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// From now on a write beyond the limit of a file's size (`ulimit -f`) fails, as on a full disk, where SIGXFSZ would
/// kill the process.
///
/// To be called before any thread is made: it blocks the signal in this thread and all it makes. Programs that are
/// started are not concerned.
pub fn outlive_file_limit() {
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, Signal};
        // refused, the signal kills as it always does
        let _ = SigSet::from(Signal::SIGXFSZ).thread_block();
    }
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static INSTALLED: OnceLock<bool> = OnceLock::new();

/// What the first Ctrl-C answers: a step of a large ensemble may take minutes.
pub const STOPPING: &str = "stopping after the present step; Ctrl-C again to stop at once";

/// A flag that the first Ctrl-C, SIGTERM or SIGHUP sets from now on, with one line on standard error; a second one ends
/// the process with code 130.
///
/// To be called before any thread is made. May be called any number of times. If the system refuses the handler, the
/// flag stays unset and Ctrl-C kills as it always does. Under `nohup` a SIGHUP stays without effect, where /proc tells.
pub fn interruption() -> &'static AtomicBool {
    INSTALLED.get_or_init(|| {
        #[cfg(unix)]
        keep_nohup();
        ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                std::process::exit(i32::from(crate::exit::INTERRUPTED));
            }
            // The terminal may be gone.
            let _ = writeln!(std::io::stderr(), "{STOPPING}");
        })
        .is_ok()
    });
    &INTERRUPTED
}

/// The handler is about to replace an ignored SIGHUP: blocked in this thread and all it makes, it never arrives.
#[cfg(unix)]
fn keep_nohup() {
    use nix::sys::signal::{SigSet, Signal};
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << (Signal::SIGHUP as u32 - 1)) != 0);
    if ignored {
        // Refused, SIGHUP stops the run as it does without nohup.
        let _ = SigSet::from(Signal::SIGHUP).thread_block();
    }
}
