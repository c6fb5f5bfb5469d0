//! Which claims a defect should fail: what `calibrate` measures of it.

/// The claims that should catch the defect of this name, the surest first. None for a name that is not in the registry.
///
/// Conservation holds every step against a reference and sees nearly all, for which it takes longest; the others see a
/// defect by its laws alone. No cell stands here that would be filled by the way a defect is built and not by what it
/// does: those of the rates change the potentials that an evaluation reports, so that the gradient claim fails on them.
pub fn detectors(id: &str) -> &'static [&'static str] {
    TABLE.iter().find(|(defect, _)| *defect == id).map_or(&[], |(_, claims)| claims)
}

const TABLE: [(&str, &[&str]); 34] = [
    ("swapped", &["event-counts", "conservation"]),
    ("mean-not-subtracted", &["event-counts", "conservation"]),
    ("rate-doubled", &["event-counts", "independence", "fixed-point", "conservation"]),
    ("dt-missing", &["event-counts", "conservation"]),
    ("linear-probability", &["event-counts", "fixed-point", "conservation"]),
    ("alpha-off", &["event-counts", "fixed-point", "exactness"]),
    ("mean-over-n-1", &["event-counts", "exactness"]),
    ("only-deaths", &["event-counts", "independence", "fixed-point"]),
    ("stale-rates", &["conservation", "fixed-point", "martingale"]),
    ("gradient-sign", &["gradient", "dissipation"]),
    ("gradient-half", &["gradient", "dissipation"]),
    ("self-left-out", &["gradient", "fixed-point"]),
    ("interaction-sum", &["gradient", "conservation"]),
    ("first-half", &["uniform-control", "fixed-point", "exactness"]),
    ("shared-words", &["independence", "event-counts", "exactness"]),
    ("restarted", &["independence", "event-counts", "exactness"]),
    ("charge-not-copied", &["conservation", "dissipation"]),
    ("component-not-copied", &["conservation"]),
    ("charge-at-rest", &["conservation", "interaction-bias"]),
    ("transport-dt-doubled", &["conservation", "dissipation"]),
    ("prior-charge", &["uniform-control", "conservation"]),
    ("prior-spread", &["uniform-control", "conservation"]),
    ("newest-first", &["uniform-control", "conservation"]),
    ("dead-slots", &["uniform-control", "conservation"]),
    ("own-copies", &["uniform-control", "conservation"]),
    ("control-skipped", &["uniform-control", "conservation"]),
    ("reinjection-always", &["uniform-control", "conservation"]),
    ("injected-moves", &["uniform-control", "conservation"]),
    ("one-gradient-off", &["conservation"]),
    ("alpha-off-single", &["event-counts", "conservation"]),
    ("alpha-off-many", &["event-counts", "conservation"]),
    ("alpha-off-late", &["event-counts", "conservation"]),
    ("setter-ignored", &["event-counts", "conservation"]),
    ("at-most", &["event-counts"]),
];

/// The defects that a claim is the only one to catch.
pub fn only_by(claim: &str) -> Vec<&'static str> {
    TABLE.iter().filter(|(_, claims)| *claims == [claim]).map(|(defect, _)| *defect).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Claim;
    use crate::defects::REGISTRY;

    #[test]
    fn every_defect_has_detectors_that_exist() {
        let listed: Vec<&str> = TABLE.iter().map(|(id, _)| *id).collect();
        let all: Vec<&str> = REGISTRY.iter().map(|defect| defect.describe().0).collect();
        assert_eq!(listed, all);
        for (id, claims) in TABLE {
            assert!(!claims.is_empty() && claims.iter().all(|claim| Claim::named(claim).is_some()), "{id}: {claims:?}");
        }
        assert!(detectors("no-such-defect").is_empty());
    }

    #[test]
    fn what_one_claim_alone_catches_is_listed() {
        assert_eq!(only_by("conservation"), ["component-not-copied", "one-gradient-off"]);
        assert_eq!(only_by("event-counts"), ["at-most"]);
        assert!(only_by("drift").is_empty());
    }
}
