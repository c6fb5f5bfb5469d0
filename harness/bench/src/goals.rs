//! The goals of speed: `benches/goals.json`, which the scripts in `benches/peers` read too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The file.
const FILE: &str = include_str!("../../../benches/goals.json");

/// A goal of the file; those of the scripts have other limits.
#[derive(Deserialize)]
struct Goal {
    what: String,
    unit: String,
    at_most: Option<f64>,
}

/// A goal and what was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// Its name in the file.
    pub goal: String,
    /// What is to be reached, and of what this is a case.
    pub what: String,
    /// What was found.
    pub found: f64,
    /// The most that is allowed.
    pub at_most: f64,
    /// In which unit.
    pub unit: String,
    /// Whether it is reached.
    pub met: bool,
}

impl Judged {
    /// Holds `found` against a goal of the file; `case` says which of several this is.
    ///
    /// `None` if the file has no such goal with an upper limit, which a test excludes.
    pub fn new(goal: &str, case: &str, found: f64) -> Option<Self> {
        let mut goals: BTreeMap<String, Goal> = serde_json::from_str(FILE).ok()?;
        let Goal { what, unit, at_most } = goals.remove(goal)?;
        let at_most = at_most?;
        let what = if case.is_empty() { what } else { format!("{what}, {case}") };
        Some(Self { goal: goal.to_owned(), what, found, at_most, unit, met: found <= at_most })
    }

    /// One line: what, found, limit, verdict.
    pub fn line(&self) -> String {
        let Self { what, found, at_most, unit, .. } = self;
        let verdict = match (self.met, found.is_nan()) {
            (true, _) => "met",
            (_, true) => "NOT MEASURED",
            _ => "MISSED",
        };
        format!("goal {verdict}: {what}: {found:.3} {unit}, at most {at_most}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_or_missed() {
        for (found, met, word) in
            [(1.15, true, "goal met"), (1.151, false, "goal MISSED"), (f64::NAN, false, "goal NOT MEASURED")]
        {
            let judged = Judged::new("step", "f32", found).expect("a goal");
            assert_eq!(judged.met, met, "{found}");
            assert!(judged.line().contains(word) && judged.line().contains("evaluation, f32:"), "{}", judged.line());
        }
        assert!(Judged::new("sums", "", 0.2).expect("a goal").met);
        assert_eq!(Judged::new("none", "", 0.2), None);
    }
}
