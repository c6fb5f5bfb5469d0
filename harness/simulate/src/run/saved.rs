//! What `run --checkpoint` writes down: everything that a run has come to, so that it can be gone on with to the same
//! bytes.
//!
//! # Format, version 2
//! All numbers are little-endian; `n` is the number of particles, `D` of their components. Reals are written as `f64`
//! in both precisions.
//!
//! ```text
//!     8  "BDRUNCKP"
//!     4  version of the format: 2
//!     8  bytes of the whole
//!    16  version of the program, as text, zeros behind
//!    32  SHA-256 of the configuration and its inputs (see [`identity`])
//!     4  bytes of the configuration, then its text: so that a refusal can say what differs
//!     8  complete replicates; for each, ascending:
//!            8  which
//!             .  its rows, as many as the configuration records
//!  8 n D  only if there are any: the final ensemble of the first of them, component after component
//!     8  replicates that met a numerical error; for each, ascending:
//!            8  which
//!            8  the step that failed
//!            4  bytes of the message, then the message
//!     8  replicates that have begun; for each, ascending:
//!            8  which
//!            8  births since the last row
//!            8  deaths since the last row
//!             .  the core's checkpoint ([`State`]), whose tag stands for the configuration and the replicate
//!          4 n  for each slot, the first slot with the same ancestor
//!             .  its rows, as many as its steps have recorded
//!     4  CRC-32 of all bytes before it (ISO-HDLC, that of zlib and PNG)
//!
//! a row: 8 energy, 8 mean potential, 8 births, 8 deaths, 4 distinct ancestors; its step follows from its place
//! ```

use std::collections::BTreeMap;

use birth_death::{Real, Stream, checkpoint};
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::{Config, difference};
use crate::problem::Problem;
use crate::run::results::Row;
use birth_death::SavedSimulation as Saved;

/// How one replicate ended without a trajectory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    /// Which replicate.
    pub replicate: u64,
    /// The step that could not be made, counted from 0.
    pub step: u64,
    /// Why.
    pub error: String,
}

/// How every checkpoint of a run begins.
pub const MAGIC: [u8; 8] = *b"BDRUNCKP";
/// The version of the format.
pub const VERSION: u32 = 2;
/// Bytes before the text of the configuration.
pub const HEADER: usize = 68;
const CHECKSUM: usize = 4;
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

/// What the replicates of a run have come to; by default nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress<R> {
    /// The rows of the complete ones.
    pub complete: BTreeMap<u64, Vec<Row<R>>>,
    /// The final ensemble of the first complete one: `ensemble[k][i]` is component k of particle i. Empty without one.
    pub ensemble: Vec<Vec<R>>,
    /// Those that met a numerical error.
    pub failures: BTreeMap<u64, Failure>,
    /// Those that are on their way, as they were last written down.
    pub begun: BTreeMap<u64, Begun<R>>,
}

/// A replicate on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun<R> {
    /// Steps made.
    pub step: u64,
    /// The rows so far.
    pub rows: Vec<Row<R>>,
    /// Births since the last of them.
    pub births: u64,
    /// Deaths since then.
    pub deaths: u64,
    /// Particles, dynamics, generator and ancestors.
    pub saved: Saved,
}

/// SHA-256 of the texts that decide every number: the hexadecimal SHA-256 of the configuration, then of each of its
/// inputs, a line each.
pub fn identity(config: &Config) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(birth_death_output::input::sha256(config.text.as_bytes()));
    for input in &config.inputs {
        hash.update("\n");
        hash.update(&input.sha256);
    }
    hash.finalize().into()
}

/// The tag of a replicate's [`checkpoint`].
pub fn tag(config: &Config, replicate: u64) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = identity(config);
    u64::from_le_bytes([a, b, c, d, e, f, g, h]).wrapping_add(replicate)
}

/// The program's version in a field of its own.
fn program() -> [u8; 16] {
    let mut field = [0; 16];
    field.iter_mut().zip(env!("CARGO_PKG_VERSION").bytes()).for_each(|(to, byte)| *to = byte);
    field
}

impl<R: Real> Progress<R> {
    /// Steps that need not be made again.
    pub fn steps(&self, config: &Config) -> u64 {
        let complete = config.steps.saturating_mul(self.complete.len() as u64);
        let others = self.failures.values().map(|failure| failure.step).chain(self.begun.values().map(|run| run.step));
        others.fold(complete, u64::saturating_add)
    }

    /// The checkpoint, as the module's documentation has it.
    pub fn encode(&self, config: &Config) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        let length_at = out.len();
        out.extend([0; 8]);
        out.extend(program());
        out.extend(identity(config));
        put_text(&mut out, &config.text);
        put_count(&mut out, self.complete.len());
        for (replicate, rows) in &self.complete {
            out.extend(replicate.to_le_bytes());
            put_rows(&mut out, rows);
        }
        for &value in self.ensemble.iter().flatten() {
            out.extend(value.to_f64().to_le_bytes());
        }
        put_count(&mut out, self.failures.len());
        for (replicate, failure) in &self.failures {
            out.extend(replicate.to_le_bytes());
            out.extend(failure.step.to_le_bytes());
            put_text(&mut out, &failure.error);
        }
        put_count(&mut out, self.begun.len());
        for (replicate, run) in &self.begun {
            for number in [*replicate, run.births, run.deaths] {
                out.extend(number.to_le_bytes());
            }
            out.extend(&run.saved.state);
            run.saved.ancestors.iter().for_each(|ancestor| out.extend(ancestor.to_le_bytes()));
            put_rows(&mut out, &run.rows);
        }
        let whole = (out.len() + CHECKSUM) as u64;
        out[length_at..length_at + 8].copy_from_slice(&whole.to_le_bytes());
        let checksum = CRC.checksum(&out);
        out.extend(checksum.to_le_bytes());
        out
    }

    /// Reads a checkpoint of this configuration; every replicate in it can be gone on with, and
    /// [`encode`](Self::encode) gives the same bytes.
    ///
    /// # Errors
    /// What is wrong with the bytes, as a clause of which the checkpoint is the subject.
    pub fn decode(config: &Config, problem: &Problem<'_, R>, bytes: &[u8]) -> Result<Self, String> {
        let mut from = Reader { rest: content(config, bytes)? };
        let (components, n) = (config.model.components().len(), config.particles);
        let size = checkpoint::size::<R, Stream>(components, n);
        let recorded = config.recorded_steps();
        let mut progress = Self::default();

        for _ in 0..from.long()? {
            let last = progress.complete.keys().next_back().copied();
            let replicate = from.replicate(config, &progress, last)?;
            progress.complete.insert(replicate, from.rows(config, recorded)?);
        }
        if !progress.complete.is_empty() {
            let row = |from: &mut Reader<'_>| (0..n).map(|_| from.real()).collect::<Result<Vec<R>, _>>();
            progress.ensemble = (0..components).map(|_| row(&mut from)).collect::<Result<_, _>>()?;
        }
        for _ in 0..from.long()? {
            let last = progress.failures.keys().next_back().copied();
            let replicate = from.replicate(config, &progress, last)?;
            let step = from.long()?;
            let error = from.text()?.to_owned();
            if step > config.steps {
                return Err(IMPOSSIBLE.to_owned());
            }
            progress.failures.insert(replicate, Failure { replicate, step, error });
        }
        for _ in 0..from.long()? {
            let last = progress.begun.keys().next_back().copied();
            let replicate = from.replicate(config, &progress, last)?;
            let run = begun(config, problem, replicate, &mut from, size)?;
            progress.begun.insert(replicate, run);
        }
        if from.rest.is_empty() { Ok(progress) } else { Err(IMPOSSIBLE.to_owned()) }
    }
}

/// Of bytes that nobody has changed, and that this program has not written.
const IMPOSSIBLE: &str = "holds what no run can have, though its checksum is right";

/// The bytes between header and checksum, once these are in order.
fn content<'b>(config: &Config, bytes: &'b [u8]) -> Result<&'b [u8], String> {
    let mut from = Reader { rest: bytes };
    if bytes.get(..MAGIC.len()).is_some_and(|magic| magic != MAGIC) || bytes.is_empty() {
        return Err("is no checkpoint of birth-death run".to_owned());
    }
    from.slice(MAGIC.len() as u64)?;
    let version = from.word()?;
    if version != VERSION {
        return Err(format!("has version {version} of the format, not {VERSION}"));
    }
    let (whole, found) = (from.long()?, bytes.len() as u64);
    if whole < found {
        return Err(format!("has {found} bytes where it should have {whole}"));
    }
    let needed = whole.max((HEADER + CHECKSUM) as u64);
    if found < needed {
        return Err(format!("is cut short: {needed} bytes needed, {found} found"));
    }
    let (body, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
    if CRC.checksum(body).to_le_bytes() != checksum {
        return Err("is damaged: its checksum is wrong".to_owned());
    }
    let made_by = from.slice(16)?;
    if made_by != program() {
        let made_by = String::from_utf8_lossy(made_by);
        return Err(format!(
            "was written by birth-death {}",
            birth_death_terminal::refusal::quoted(made_by.trim_end_matches('\0'))
        ));
    }
    let is_same = from.slice(32)? == identity(config);
    let mut from = Reader { rest: &body[HEADER..] };
    let text = from.text()?;
    match (is_same, text == config.text) {
        (true, true) => Ok(from.rest),
        (true, false) => Err(IMPOSSIBLE.to_owned()),
        (false, true) => {
            let keys: Vec<&str> = config.inputs.iter().map(|input| input.key.as_str()).collect();
            Err(format!("is of other inputs: the bytes of {} differ", birth_death_terminal::refusal::listed(&keys)))
        }
        (false, false) => {
            let what = difference(text, &config.text);
            let what = what.unwrap_or_else(|| "no value differs, but a comment or a space does".to_owned());
            Err(format!("is of another configuration than {}: {what}", config.file.display()))
        }
    }
}

/// A replicate on its way, whose state is tried.
fn begun<R: Real>(
    config: &Config,
    problem: &Problem<'_, R>,
    replicate: u64,
    from: &mut Reader<'_>,
    size: usize,
) -> Result<Begun<R>, String> {
    let (births, deaths) = (from.long()?, from.long()?);
    let state = from.slice(size as u64)?.to_vec();
    let ancestors = (0..config.particles).map(|_| from.word()).collect::<Result<Vec<u32>, _>>()?;
    if (0u32..).zip(&ancestors).any(|(slot, &first)| first > slot) {
        return Err(IMPOSSIBLE.to_owned());
    }
    let saved = Saved { state, ancestors };
    let mut simulation = problem.simulation(config, replicate).map_err(|error| error.to_string())?;
    simulation
        .restore(tag(config, replicate), &saved)
        .map_err(|error| format!("holds a replicate that is refused: {error}"))?;
    let step = simulation.dynamics().steps();
    if step > config.steps {
        return Err(IMPOSSIBLE.to_owned());
    }
    // of the steps 0 to step - 1
    let rows = from.rows(config, step.div_ceil(config.record_every))?;
    Ok(Begun { step, rows, births, deaths, saved })
}

/// A short text: the core makes the messages, and configurations are below 4 GiB.
fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(text.as_bytes());
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend((count as u64).to_le_bytes());
}

fn put_rows<R: Real>(out: &mut Vec<u8>, rows: &[Row<R>]) {
    for row in rows {
        out.extend(row.energy.to_f64().to_le_bytes());
        out.extend(row.mean_potential.to_f64().to_le_bytes());
        out.extend(row.births.to_le_bytes());
        out.extend(row.deaths.to_le_bytes());
        out.extend(row.distinct.to_le_bytes());
    }
}

/// The bytes that are left.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn slice(&mut self, length: u64) -> Result<&'a [u8], String> {
        let split = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let (slice, rest) = split.ok_or("is cut short")?;
        self.rest = rest;
        Ok(slice)
    }

    fn word(&mut self) -> Result<u32, String> {
        let bytes = self.slice(4)?;
        Ok(u32::from_le_bytes(bytes.try_into().map_err(|_| IMPOSSIBLE)?))
    }

    fn long(&mut self) -> Result<u64, String> {
        let bytes = self.slice(8)?;
        Ok(u64::from_le_bytes(bytes.try_into().map_err(|_| IMPOSSIBLE)?))
    }

    fn text(&mut self) -> Result<&'a str, String> {
        let length = self.word()?;
        std::str::from_utf8(self.slice(u64::from(length))?).map_err(|_| IMPOSSIBLE.to_owned())
    }

    /// A number that a run can have: finite, and of its precision.
    fn real<R: Real>(&mut self) -> Result<R, String> {
        let bits = self.long()?;
        let value = R::from_f64(f64::from_bits(bits));
        if value.is_finite() && value.to_f64().to_bits() == bits { Ok(value) } else { Err(IMPOSSIBLE.to_owned()) }
    }

    /// The number of a replicate: above the last of its list, and in no other.
    fn replicate<R>(&mut self, config: &Config, before: &Progress<R>, last: Option<u64>) -> Result<u64, String> {
        let replicate = self.long()?;
        let known = before.complete.contains_key(&replicate) || before.failures.contains_key(&replicate);
        let is_next = last.is_none_or(|last| replicate > last);
        if replicate < config.replicates && is_next && !known { Ok(replicate) } else { Err(IMPOSSIBLE.to_owned()) }
    }

    /// So many rows, the first of a replicate.
    fn rows<R: Real>(&mut self, config: &Config, count: u64) -> Result<Vec<Row<R>>, String> {
        let mut rows = Vec::new();
        for place in 0..count {
            rows.push(Row {
                step: place.saturating_mul(config.record_every).min(config.steps),
                energy: self.real()?,
                mean_potential: self.real()?,
                births: self.long()?,
                deaths: self.long()?,
                distinct: self.word()?,
            });
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Numbers;
    use std::path::Path;

    const TEXT: &str = "seed = 1\nparticles = 3\nsteps = 12\ndt = 0.1\nalpha = 2.0\nscheme \
        = \"birth-death\"\nreplicates = 4\n\
                        record_every = 5\n[model]\nkind = \"quadratic\"\ncurvature = [1.0, 2.0]\n[start]\nx1 = 0.5\n\
                        x2 = { normal = { mean = 0.0, sd = 1.0 } }\n";

    fn config(text: &str) -> Config {
        Config::parse(Path::new("a.toml"), text).expect("a configuration")
    }

    /// Something of everything: replicate 3 has made seven steps, 1 has failed, 2 is complete, 0 is not there.
    fn example<R: Real>(config: &Config, problem: &Problem<'_, R>) -> Progress<R> {
        let rows = |count: u64| -> Vec<Row<R>> {
            let energy = R::from_f64(0.1);
            let row = |k: u64| Row {
                step: (5 * k).min(12),
                energy,
                mean_potential: -energy,
                births: k,
                deaths: 2,
                distinct: 3,
            };
            (0..count).map(row).collect()
        };
        let mut simulation = problem.simulation(config, 3).expect("a simulation");
        for _ in 0..7 {
            simulation.step().expect("a step");
        }
        let saved = simulation.save(tag(config, 3)).expect("finite");
        let failure = Failure { replicate: 1, step: 4, error: "the energy of the ensemble is not finite".to_owned() };
        Progress {
            complete: [(2, rows(4))].into(),
            ensemble: vec![vec![R::ONE; 3], vec![R::HALF; 3]],
            failures: [(1, failure)].into(),
            begun: [(3, Begun { step: 7, rows: rows(2), births: 1, deaths: 0, saved })].into(),
        }
    }

    fn seal(bytes: &mut [u8]) {
        let (body, checksum) = bytes.split_last_chunk_mut().expect("longer");
        *checksum = CRC.checksum(body).to_le_bytes();
    }

    fn comes_back<R: Real>(text: &str) {
        let config = config(text);
        let numbers = Numbers::<R>::of(&config.model);
        let problem = Problem::new(&config, &numbers).expect("a problem");
        let (progress, nothing) = (example(&config, &problem), Progress::default());
        assert_eq!((progress.steps(&config), nothing.steps(&config)), (12 + 4 + 7, 0));
        for progress in [progress, nothing] {
            let bytes = progress.encode(&config);
            assert_eq!(Progress::decode(&config, &problem, &bytes), Ok(progress));
        }
    }

    #[test]
    fn what_was_written_comes_back() {
        comes_back::<f64>(TEXT);
        comes_back::<f32>(&format!("precision = \"f32\"\n{TEXT}"));
    }

    #[test]
    fn every_cut_and_every_changed_bit_is_refused() {
        let config = config(TEXT);
        let numbers = Numbers::<f64>::of(&config.model);
        let problem = Problem::new(&config, &numbers).expect("a problem");
        let bytes = example(&config, &problem).encode(&config);
        let refusal = |bytes: &[u8]| Progress::decode(&config, &problem, bytes).expect_err("refused");
        for length in 0..bytes.len() {
            let message = refusal(&bytes[..length]);
            assert!(
                message.contains(if length == 0 { "is no checkpoint" } else { "is cut short" }),
                "{length}: {message}"
            );
        }
        assert!(refusal(&[&bytes[..], &[0]].concat()).contains("bytes where it should have"));
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let message = refusal(&changed);
            let expected = match bit / 8 {
                0..8 => "is no checkpoint",
                8..12 => "version",
                12..20 => "bytes",
                _ => "is damaged",
            };
            assert!(message.contains(expected), "bit {bit}: {message}");
        }
    }

    #[test]
    fn what_no_run_can_have_is_refused_though_the_checksum_is_right() {
        let config = config(TEXT);
        let numbers = Numbers::<f64>::of(&config.model);
        let problem = Problem::new(&config, &numbers).expect("a problem");
        let good = example(&config, &problem);
        let check = |part: &str, change: &dyn Fn(&mut Progress<f64>)| {
            let mut bad = good.clone();
            change(&mut bad);
            let message = Progress::decode(&config, &problem, &bad.encode(&config)).expect_err(part);
            assert!(message.contains(part), "{message}");
        };
        let of = |progress: &Progress<f64>| progress.begun[&3].clone();
        check("what no run", &|bad| drop(bad.begun.insert(2, of(bad))));
        check("what no run", &|bad| drop(bad.failures.insert(2, bad.failures[&1].clone())));
        check("what no run", &|bad| drop(bad.complete.insert(4, bad.complete[&2].clone())));
        check("what no run", &|bad| bad.failures.get_mut(&1).expect("there").step = 13);
        check("what no run", &|bad| bad.ensemble[1][2] = f64::NAN);
        check("what no run", &|bad| bad.begun.get_mut(&3).expect("there").rows[1].energy = f64::INFINITY);
        // ancestors are told by their first slot
        check("what no run", &|bad| bad.begun.get_mut(&3).expect("there").saved.ancestors = vec![1, 1, 2]);
        check("is refused: origin", &|bad| bad.begun.get_mut(&3).expect("there").saved.ancestors = vec![0, 0, 1]);
        check("is refused: checkpoint refused: the checksum", &|bad| {
            bad.begun.get_mut(&3).expect("there").saved.state[90] ^= 1
        });
        check("another run", &|bad| {
            let run = bad.begun.remove(&3).expect("there");
            bad.begun.insert(0, run);
        });
        check("what no run", &|bad| drop(bad.ensemble.pop()));
        check("what no run", &|bad| bad.ensemble.push(vec![0.0; 3]));
    }

    #[test]
    fn other_runs_and_other_programs_are_told_apart() {
        let first = config(TEXT);
        let numbers = Numbers::<f64>::of(&first.model);
        let problem = Problem::new(&first, &numbers).expect("a problem");
        let bytes = example(&first, &problem).encode(&first);
        let other = config(&TEXT.replace("seed = 1", "seed = 2"));
        let message = Progress::decode(&other, &problem, &bytes).expect_err("another configuration");
        assert_eq!(message, "is of another configuration than a.toml: seed was 1 and is 2");
        let other = config(&TEXT.replace("seed = 1", "# mine\nseed = 1"));
        let message = Progress::decode(&other, &problem, &bytes).expect_err("another text");
        assert_eq!(message, "is of another configuration than a.toml: no value differs, but a comment or a space does");
        let mut with_input = first.clone();
        let input = |sha256: &str| birth_death_output::input::Input {
            key: "start.file".to_owned(),
            name: "start.csv".to_owned(),
            path: "start.csv".into(),
            sha256: sha256.to_owned(),
        };
        with_input.inputs.push(input("aa"));
        let one = identity(&with_input);
        with_input.inputs[0] = input("ab");
        assert!(identity(&with_input) != one && one != identity(&first), "inputs count");
        let message = Progress::decode(&with_input, &problem, &bytes).expect_err("another input");
        assert_eq!(message, "is of other inputs: the bytes of start.file differ");
        let mut newer = bytes.clone();
        newer[20..25].copy_from_slice(b"9.9.9");
        seal(&mut newer);
        let message = Progress::decode(&first, &problem, &newer).expect_err("another program");
        assert_eq!(message, "was written by birth-death 9.9.9");
        let mut newer = bytes;
        newer[8] = 3;
        let message = Progress::decode(&first, &problem, &newer).expect_err("another format");
        assert_eq!(message, "has version 3 of the format, not 2");
    }
}
