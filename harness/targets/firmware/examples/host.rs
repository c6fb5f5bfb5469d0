//! The same training on the host: its lines are those of the microcontroller.

use birth_death::{Dynamics, Ensemble, Error, NoPrior, Workspace};
use firmware::{CHECKPOINT, Line, SCRATCH, prior, train};

fn main() -> Result<(), Error> {
    let (mut network, mut workspace) = (Ensemble::new(), Workspace::new());
    let (mut numbers, mut saved) = ([0.0; SCRATCH], [0; CHECKPOINT]);
    let mut tell = |line: Line| println!("{line}");
    let scheme_1 = Dynamics::<f32, NoPrior>::birth_death(0.125, 0.5)?;
    train(scheme_1, &mut network, &mut workspace, &mut numbers, &mut saved, &mut tell)?;
    let scheme_2 = Dynamics::reinjection(0.125, 0.25, prior()?)?;
    train(scheme_2, &mut network, &mut workspace, &mut numbers, &mut saved, &mut tell)
}
