//! The data sets that ship, made by formulas from a fixed seed: `birth-death data NAME` prints
//! `examples/data/NAME.csv`.

use std::fmt::Write as _;

use birth_death::random::normal;
use birth_death::{Real, Stream};

use super::Name;
use super::arguments::DataArgs;
use birth_death_terminal::exit::SUCCESS;
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::screen;

/// Rows of each.
const ROWS: u32 = 400;
/// The seed of each; the stream is 0.
const SEED: u64 = 1991;

/// Prints the data set asked for.
///
/// # Errors
/// None.
pub fn main(arguments: &DataArgs) -> Result<u8, Refusal> {
    screen::print(text(arguments.name));
    Ok(SUCCESS)
}

/// The CSV file of a data set. Numbers have four decimals.
pub fn text(name: Name) -> String {
    match name {
        Name::Friedman => friedman(),
        Name::Spirals => spirals(),
    }
}

/// J. H. Friedman, "Multivariate adaptive regression splines", Annals of Statistics 19 (1991), the first of its
/// simulated examples: `y = 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5 + N(0, 1)`, x1 to x10 uniform on [0, 1].
fn friedman() -> String {
    let mut rng = Stream::seeded(SEED, 0);
    let mut text = "x1,x2,x3,x4,x5,x6,x7,x8,x9,x10,y\n".to_owned();
    for _ in 0..ROWS {
        let x: [f64; 10] = std::array::from_fn(|_| f64::uniform(&mut rng));
        let noise: f64 = normal(&mut rng);
        let angle = 0.5 * f64::TAU * x[0] * x[1];
        let bend = x[2] - 0.5;
        let y = 10.0 * Real::sin(angle) + 20.0 * bend * bend + 10.0 * x[3] + 5.0 * x[4] + noise;
        for x in x {
            // writing to a string does not fail
            let _ = write!(text, "{x:.4},");
        }
        let _ = writeln!(text, "{y:.4}");
    }
    text
}

/// Two arms that wind about each other: at angle `a`, uniform on [0, `TURNS` 2 pi], radius `1/2 + a / pi`; the second
/// arm is the first turned by half a circle. To both coordinates N(0, `BLUR`^2) is added; two further columns are
/// standard normal. Rows alternate between the arms.
fn spirals() -> String {
    const TURNS: f64 = 1.0;
    const BLUR: f64 = 0.15;
    let mut rng = Stream::seeded(SEED, 0);
    let mut text = "x1,x2,noise1,noise2,arm\n".to_owned();
    for row in 0..ROWS {
        let angle = TURNS * f64::TAU * f64::uniform(&mut rng);
        let radius = 0.5 + 2.0 * angle / f64::TAU;
        let [blur1, blur2, noise1, noise2]: [f64; 4] = std::array::from_fn(|_| normal(&mut rng));
        let (side, arm) = if row % 2 == 0 { (1.0, "first") } else { (-1.0, "second") };
        let x1 = side * radius * Real::cos(angle) + BLUR * blur1;
        let x2 = side * radius * Real::sin(angle) + BLUR * blur2;
        let _ = writeln!(text, "{x1:.4},{x2:.4},{noise1:.4},{noise2:.4},{arm}");
    }
    text
}
