//! The tables on the terminal.

use comfy_table::{CellAlignment, Table, presets};

use super::pairs::Timed;
use super::step;
use super::sums::{BANDWIDTHS, CLEARLY, Compared, TOLERANCE, crossover};
use birth_death_terminal::digits::number;

/// A table whose columns after the first `words` hold numbers.
fn table(header: Vec<String>, words: usize, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let columns = header.len();
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in words..columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}

fn known(x: f64, text: impl Fn(f64) -> String) -> String {
    if x.is_finite() { text(x) } else { "-".to_owned() }
}

/// Nanoseconds a pair.
pub fn pairs(timed: &[Timed], sizes: &[usize]) -> String {
    let words = ["precision", "exponential", "path"].map(str::to_owned);
    let last = ["Gop/s at most", "of it reached", "exponent of n"].map(str::to_owned);
    let header = words.into_iter().chain(sizes.iter().map(|n| format!("n = {n}"))).chain(last).collect();
    let rows = timed.iter().map(|timed| {
        let row = &timed.row;
        let mut cells = [row.precision, row.backend.name(), row.path.name()].map(str::to_owned).to_vec();
        cells.extend(timed.nanoseconds().map(|ns| known(ns, |ns| format!("{ns:.3}"))));
        cells.push(known(timed.peak * 1e-9, |peak| format!("{peak:.1}")));
        cells.push(
            timed.fraction().map_or("-".to_owned(), |share| known(share, |share| format!("{:.0} %", 100.0 * share))),
        );
        cells.push(timed.exponent().map_or("-".to_owned(), |(slope, error)| format!("{slope:.3} ± {error:.3}")));
        cells
    });
    let operations: Vec<String> = timed
        .iter()
        .filter_map(|timed| Some(format!("{} in {}", timed.row.operations()?, timed.row.precision)))
        .fold(Vec::new(), |mut all, one| {
            if !all.contains(&one) {
                all.push(one);
            }
            all
        });
    format!(
        "ns per ordered pair: V, grad V and E of Gaussian units in one component, target included, one core\n{}\
         the least of many batches, taken in turn; reached, by the best n: {} operations a pair, against independent \
         multiplications and additions\n",
        table(header, 3, rows),
        operations.join(", ")
    )
}

/// A step over its evaluation.
pub fn steps(timed: &[step::Timed]) -> String {
    let header = ["precision", "path", "evaluation, us", "step, us", "step / evaluation"].map(str::to_owned).to_vec();
    let rows = timed.iter().map(|timed| {
        let mut cells = [timed.case.precision, timed.case.path.name()].map(str::to_owned).to_vec();
        cells.extend(
            [timed.evaluation.least, timed.step.least].map(|time| known(time, |time| format!("{:.2}", 1e6 * time))),
        );
        cells.push(known(timed.ratio(), |ratio| format!("{ratio:.3}")));
        cells
    });
    format!(
        "a whole step of scheme 1, n = {}, mean of the first {} from the start\n{}",
        step::PARTICLES,
        step::STEPS,
        table(header, 2, rows)
    )
}

/// Sums in O(n).
pub fn sums(compared: &[Compared]) -> String {
    let header = ["components", "bandwidth", "crossover, n", "largest n", "there: O(n), ms", "pairs, scaled, ms"]
        .map(str::to_owned)
        .to_vec();
    let rows = BANDWIDTHS.iter().zip(1..).map(|(bandwidth, dim)| {
        let largest = compared.iter().rfind(|at| at.dim == dim);
        let time = |time: Option<f64>| known(time.unwrap_or(f64::NAN), |time| number(1e3 * time));
        vec![
            dim.to_string(),
            number(*bandwidth),
            crossover(compared, dim).map_or("-".to_owned(), |n| format!("{n:.0}")),
            largest.map_or("-".to_owned(), |at| at.n.to_string()),
            time(largest.map(|at| at.fast)),
            time(largest.map(|at| at.pairs)),
        ]
    });
    format!(
        "sums of Gaussians in O(n) within {TOLERANCE:e}, f64, standard normals; crossover: faster than all pairs by \
            {CLEARLY}\n{}",
        table(header, 0, rows)
    )
}
