//! The mean energies that the authors' own notebook gives (arXiv:1902.01843, `gaussian_example`), from
//! `tests/data/published`: see its README.

/// `start,scheme,step,seeds,energy_mean,energy_se`, steps counted as done.
const TABLE: &str = include_str!("../../published/gaussian_units_published.csv");

/// A published mean energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// After so many steps.
    pub step: usize,
    /// The mean over seeds.
    pub energy: f64,
    /// Its standard error.
    pub error: f64,
}

/// Those of a start and a dynamics, steps ascending.
pub fn means(start: &str, dynamics: &str) -> Vec<Mean> {
    TABLE.lines().skip(1).filter_map(|line| mean(line, start, dynamics)).collect()
}

fn mean(line: &str, start: &str, dynamics: &str) -> Option<Mean> {
    let fields: Vec<&str> = line.split(',').collect();
    let [of, scheme, step, _, energy, error] = fields[..] else { return None };
    let wanted = of == start && scheme == dynamics;
    let found = || Some(Mean { step: step.parse().ok()?, energy: energy.parse().ok()?, error: error.parse().ok()? });
    wanted.then(found).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let starts = ["full", "bad"];
        let found = starts.map(|start| ["gradient-flow", "birth-death", "reinjection"].map(|of| means(start, of)));
        let all: Vec<&Mean> = found.iter().flatten().flatten().collect();
        assert_eq!(all.len(), TABLE.lines().count() - 1);
        assert_eq!(*all[0], Mean { step: 1, energy: 0.0706097, error: 0.00096 });
        assert!(found.iter().flatten().all(|of| of.windows(2).all(|pair| pair[0].step < pair[1].step)));
        assert!(means("full", "other").is_empty());
    }
}
