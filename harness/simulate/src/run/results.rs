//! The tables of a simulation: trajectory, summary over replicates, final ensemble.
//!
//! Numbers are written in the shortest form that reads back as the same number in the precision of the run.

use std::io::{self, Write};

use birth_death::Real;

use birth_death_stats::interval::{Sample, quartiles};

/// One recorded step of one replicate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<R> {
    /// The number of steps made before.
    pub step: u64,
    /// The energy of the ensemble after these steps.
    pub energy: R,
    /// Its mean potential.
    pub mean_potential: R,
    /// Births since the last recorded row.
    pub births: u64,
    /// Deaths since the last recorded row.
    pub deaths: u64,
    /// Distinct ancestors alive.
    pub distinct: u32,
}

/// The recorded steps of one replicate.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory<R> {
    /// Which replicate.
    pub replicate: u64,
    /// Its rows, steps ascending.
    pub rows: Vec<Row<R>>,
}

/// `trajectory.csv`: every recorded row of every replicate.
///
/// # Errors
/// Those of the system.
pub fn trajectory<R: Real>(out: &mut dyn Write, trajectories: &[Trajectory<R>], dt: f64) -> io::Result<()> {
    writeln!(out, "replicate,step,time,energy,mean_potential,births,deaths,distinct")?;
    for trajectory in trajectories {
        for row in &trajectory.rows {
            writeln!(
                out,
                "{},{},{:?},{:?},{:?},{},{},{}",
                trajectory.replicate,
                row.step,
                time(row.step, dt),
                row.energy,
                row.mean_potential,
                row.births,
                row.deaths,
                row.distinct
            )?;
        }
    }
    Ok(())
}

/// `summary.csv`: the energy over replicates at every recorded step, computed in f64.
///
/// # Errors
/// Those of the system.
pub fn summary<R: Real>(out: &mut dyn Write, trajectories: &[Trajectory<R>], dt: f64) -> io::Result<()> {
    writeln!(out, "step,time,replicates,mean,sd,standard_error,q1,median,q3")?;
    let recorded = trajectories.first().map_or(&[][..], |first| &first.rows);
    for (place, row) in recorded.iter().enumerate() {
        let energies: Vec<f64> = trajectories
            .iter()
            .filter_map(|trajectory| trajectory.rows.get(place))
            .map(|row| row.energy.to_f64())
            .collect();
        let found = Sample::of(&energies);
        let [q1, median, q3] = quartiles(&energies);
        writeln!(
            out,
            "{},{:?},{},{:?},{:?},{:?},{:?},{:?},{:?}",
            row.step,
            time(row.step, dt),
            energies.len(),
            found.mean,
            found.sd,
            found.standard_error(),
            q1,
            median,
            q3
        )?;
    }
    Ok(())
}

/// `ensemble.csv`: one particle a line. `rows[k][i]` is component k of particle i.
///
/// # Errors
/// Those of the system.
pub fn ensemble<R: Real>(out: &mut dyn Write, names: &[String], rows: &[Vec<R>]) -> io::Result<()> {
    writeln!(out, "{}", names.join(","))?;
    for particle in 0..rows.first().map_or(0, Vec::len) {
        for (component, row) in rows.iter().enumerate() {
            let comma = if component == 0 { "" } else { "," };
            write!(out, "{comma}{:?}", row[particle])?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The time of a step: a product, not a sum of many.
fn time(step: u64, dt: f64) -> f64 {
    step as f64 * dt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes).expect("memory takes everything");
        String::from_utf8(bytes).expect("text")
    }

    fn trajectories() -> Vec<Trajectory<f32>> {
        [0.1, 0.3]
            .iter()
            .zip(0..)
            .map(|(&energy, replicate)| Trajectory {
                replicate,
                rows: vec![Row { step: 3, energy, mean_potential: -1e-9, births: 1, deaths: 2, distinct: 5 }],
            })
            .collect()
    }

    #[test]
    fn numbers_are_shortest_in_their_own_precision() {
        let found = text(|out| trajectory(out, &trajectories(), 0.1));
        let lines: Vec<&str> = found.lines().collect();
        assert_eq!(lines[1], "0,3,0.30000000000000004,0.1,-1e-9,1,2,5");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn the_summary_is_over_replicates() {
        let found = text(|out| summary(out, &trajectories(), 0.5));
        let fields: Vec<&str> = found.lines().nth(1).expect("a row").split(',').collect();
        assert_eq!(&fields[..3], ["3", "1.5", "2"]);
        let mean: f64 = fields[3].parse().expect("a number");
        assert!((mean - 0.2).abs() < 1e-8);
    }

    #[test]
    fn an_ensemble_is_one_particle_a_line() {
        let names = ["c".to_owned(), "y1".to_owned()];
        let found = text(|out| ensemble(out, &names, &[vec![1.0, 2.0], vec![0.5, -0.0]]));
        assert_eq!(found, "c,y1\n1.0,0.5\n2.0,-0.0\n");
    }
}
