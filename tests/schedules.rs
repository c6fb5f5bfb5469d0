//! Changing dt and alpha between steps: time goes on, and the new value is the one in force.

use birth_death::models::Quadratic;
use birth_death::{Dynamics, Ensemble, Error, Report, Stream, Workspace};

const N: usize = 16;

struct Run {
    x: Ensemble<f64, 1, N>,
    dynamics: Dynamics<f64>,
    workspace: Workspace<f64, 1, N>,
    rng: Stream,
}

impl Run {
    fn new(dynamics: Dynamics<f64>) -> Result<Self, Error> {
        let mut x = Ensemble::new();
        for i in 0..N as u32 {
            x.push([f64::from(i) - 7.0])?;
        }
        Ok(Self { x, dynamics, workspace: Workspace::new(), rng: Stream::seeded(3, 0) })
    }

    fn step(&mut self) -> Result<Report<f64>, Error> {
        let mut energy = Quadratic::new(&[1.0])?;
        self.dynamics.step(&mut self.x, &mut energy, &mut self.rng, &mut self.workspace)
    }
}

#[test]
fn time_goes_on_from_where_dt_changed() -> Result<(), Error> {
    let mut run = Run::new(Dynamics::gradient_flow(0.25)?)?;
    for k in 0..4 {
        assert_eq!(run.step()?.time, 0.25 * f64::from(k));
    }
    run.dynamics.set_dt(0.5)?;
    assert_eq!((run.step()?.time, run.step()?.time, run.dynamics.time()), (1.0, 1.5, 2.0));
    run.dynamics.set_dt(0.0)?;
    assert_eq!((run.step()?.time, run.dynamics.time(), run.dynamics.steps()), (2.0, 2.0, 7));
    // refused values change nothing
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(run.dynamics.set_dt(bad).is_err());
        assert_eq!((run.dynamics.dt(), run.dynamics.time()), (0.0, 2.0));
    }
    Ok(())
}

#[test]
fn a_time_is_a_product_and_not_a_sum() -> Result<(), Error> {
    let mut run = Run::new(Dynamics::gradient_flow(0.1)?)?;
    for k in 0..1000 {
        assert_eq!(run.step()?.time, f64::from(k) * 0.1);
    }
    Ok(())
}

#[test]
fn the_new_dt_moves_and_the_new_alpha_decides() -> Result<(), Error> {
    let mut run = Run::new(Dynamics::birth_death(0.25, 0.0)?)?;
    let before = run.x.get(0).map(|[x]| x);
    assert_eq!(run.step()?.largest_probability, 0.0, "alpha = 0");
    assert_eq!(run.x.get(0).map(|[x]| x), before.map(|x| 0.75 * x));
    run.dynamics.set_alpha(1e9)?;
    run.dynamics.set_dt(0.5)?;
    let report = run.step()?;
    assert_eq!((report.largest_probability, report.births + report.deaths), (1.0, N as u32));
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(run.dynamics.set_alpha(bad).is_err());
        assert_eq!(run.dynamics.alpha(), 1e9);
    }
    assert!(Dynamics::<f64>::gradient_flow(0.1)?.set_alpha(0.0).is_ok());
    Ok(())
}
