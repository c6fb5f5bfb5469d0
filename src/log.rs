//! A bounded record of step reports.

use crate::{Real, Report};
use heapless::Deque;

/// The last `K >= 1` reports, oldest first, and the number of those that had to go.
///
/// ```
/// use birth_death::{Report, ReportLog};
/// let mut log = ReportLog::<f64, 2>::new();
/// for step in 0..5 {
///     let mut report = Report::default();
///     report.step = step;
///     log.push(report);
/// }
/// assert_eq!(log.iter().map(|r| r.step).collect::<Vec<_>>(), [3, 4]);
/// assert_eq!(log.dropped(), 3);
/// ```
/// A log of nothing does not compile:
/// ```compile_fail,E0080
/// let log = birth_death::ReportLog::<f64, 0>::new();
/// ```
#[derive(Clone, Debug)]
pub struct ReportLog<R, const K: usize> {
    reports: Deque<Report<R>, K>,
    dropped: u64,
}

impl<R: Real, const K: usize> ReportLog<R, K> {
    /// No report yet.
    pub const fn new() -> Self {
        Self { reports: Deque::new(), dropped: 0 }
    }

    /// Adds a report; the oldest goes when `K` are there.
    pub fn push(&mut self, report: Report<R>) {
        if self.reports.is_full() && self.reports.pop_front().is_some() {
            self.dropped = self.dropped.saturating_add(1);
        }
        if self.reports.push_back(report).is_err() {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// The reports held, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Report<R>> {
        self.reports.iter()
    }

    /// The newest report.
    pub fn last(&self) -> Option<&Report<R>> {
        self.reports.back()
    }

    /// How many were dropped.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl<R: Real, const K: usize> Default for ReportLog<R, K> {
    fn default() -> Self {
        Self::new()
    }
}
