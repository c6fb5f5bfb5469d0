//! Error codes: the core's errors and those of the boundary, as C sees them.

use birth_death::{Error, Fault, Quantity};
use core::ffi::{CStr, c_char};
use core::ptr;

/// What a function returns: BD_OK, or why nothing was done. After any error, run, energy and the memory for results are
/// as they were.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum bd_code {
    /// Done.
    BD_OK = 0,

    /// A pointer that must not be is null. `what`: the argument.
    BD_ERROR_NULL = 1,
    /// A pointer is not aligned for what it points to. `what`: the argument; `expected`: the alignment in bytes.
    BD_ERROR_ALIGNMENT = 2,
    /// Memory is too small, or so large that no object has that size. `what`; `expected`, `found`: bytes.
    BD_ERROR_MEMORY = 3,
    /// Two pieces of memory overlap, one of which is written. `what`: one of them; if that would be the details
    /// themselves, they are not written.
    BD_ERROR_OVERLAP = 4,
    /// No run or energy of this precision was made there. `what`: the argument.
    BD_ERROR_NOT_INITIALISED = 5,
    /// The run or energy is in use: a function of one's own has called back for the object that called it, or would
    /// make another in its memory. `what`: the argument.
    BD_ERROR_BUSY = 6,
    /// A number that names a choice names none. `what`: the choice; `found`: the number.
    BD_ERROR_CHOICE = 7,

    /// There is no particle, or no point of a sample.
    BD_ERROR_EMPTY = 16,
    /// A size that must be at least one is zero. `what`.
    BD_ERROR_ZERO = 17,
    /// Two sizes that must agree do not. `what`, `expected`, `found`.
    BD_ERROR_MISMATCH = 18,
    /// A capacity is exceeded. `what`; `expected`: what fits; `found`: what was asked for.
    BD_ERROR_CAPACITY = 19,
    /// A parameter is not finite or outside its range. `what`, `value`, `accepted`.
    BD_ERROR_PARAMETER = 20,
    /// A quantity came out as NaN or infinite. `what`: the quantity; `index`: its particle, or BD_NO_INDEX.
    BD_ERROR_NOT_FINITE = 21,
    /// An example of a data set has a NaN or an infinity. `index`: which one.
    BD_ERROR_EXAMPLE = 22,
    /// Every particle died in one step, and there is nobody to copy. `index`: the step. Lower alpha or dt.
    BD_ERROR_EXTINCT = 23,
    /// Reinjection takes raw rates only.
    BD_ERROR_CENTRED_REINJECTION = 24,
    /// Gradient flow has no events, and alpha is not 0. `value`: alpha.
    BD_ERROR_ALPHA_WITHOUT_EVENTS = 25,
    /// The caller's own energy failed. `user`: what it returned.
    BD_ERROR_ENERGY = 26,

    /// A checkpoint is cut short. `expected`, `found`: bytes.
    BD_ERROR_CHECKPOINT_TRUNCATED = 32,
    /// Bytes are no checkpoint.
    BD_ERROR_CHECKPOINT_MAGIC = 33,
    /// A checkpoint of a format that this version does not read. `found`: the format's version.
    BD_ERROR_CHECKPOINT_VERSION = 34,
    /// A byte of the checkpoint has changed.
    BD_ERROR_CHECKPOINT_CHECKSUM = 35,
    /// A checkpoint of the other precision. `found`: bytes of a number.
    BD_ERROR_CHECKPOINT_PRECISION = 36,
    /// A checkpoint of another scheme.
    BD_ERROR_CHECKPOINT_SCHEME = 37,
    /// A checkpoint of another generator.
    BD_ERROR_CHECKPOINT_GENERATOR = 38,
    /// A checkpoint of another run. `found`: its tag.
    BD_ERROR_CHECKPOINT_TAG = 39,
    /// A checkpoint with a value that no run can have, though its checksum is right.
    BD_ERROR_CHECKPOINT_VALUE = 40,

    /// An error that this version of the interface has no name for.
    BD_ERROR_OTHER = 255,
}

use bd_code::*;

/// `index` where there is none.
pub const BD_NO_INDEX: u64 = u64::MAX;

/// What is known of an error. Which members mean something stands at each code; the others are 0, NULL, or BD_NO_INDEX.
/// Texts are static and not terminated: print them by `printf("%.*s", (int)error.what_length, error.what)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bd_error {
    /// The code that the function returned.
    pub code: bd_code,
    /// What the caller's own energy returned.
    pub user: i32,
    /// Particle, example or step, counted from zero; BD_NO_INDEX if none is named.
    pub index: u64,
    /// Size, capacity or alignment that was needed, or is there.
    pub expected: u64,
    /// Size or number found.
    pub found: u64,
    /// The value refused.
    pub value: f64,
    /// Name of the argument, parameter or quantity.
    pub what: *const c_char,
    /// Its bytes.
    pub what_length: usize,
    /// What would be accepted.
    pub accepted: *const c_char,
    /// Its bytes.
    pub accepted_length: usize,
}

impl bd_error {
    /// The bare code.
    pub(crate) const fn new(code: bd_code) -> Self {
        Self {
            code,
            user: 0,
            index: BD_NO_INDEX,
            expected: 0,
            found: 0,
            value: 0.0,
            what: ptr::null(),
            what_length: 0,
            accepted: ptr::null(),
            accepted_length: 0,
        }
    }

    /// Of a named thing.
    pub(crate) const fn of(code: bd_code, what: &'static str) -> Self {
        Self { what: what.as_ptr().cast(), what_length: what.len(), ..Self::new(code) }
    }

    /// With sizes.
    pub(crate) fn sizes(code: bd_code, what: &'static str, expected: usize, found: usize) -> Self {
        Self { expected: long(expected), found: long(found), ..Self::of(code, what) }
    }
}

fn long(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

fn named(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Position => "position",
        Quantity::Energy => "energy",
        Quantity::Potential => "potential",
        Quantity::Gradient => "gradient",
        Quantity::Transport => "position after transport",
        Quantity::PriorDraw => "draw from the prior",
        _ => "quantity",
    }
}

impl From<Fault> for bd_error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Truncated { needed, found } => {
                Self::sizes(BD_ERROR_CHECKPOINT_TRUNCATED, "checkpoint", needed, found)
            }
            Fault::Magic => Self::new(BD_ERROR_CHECKPOINT_MAGIC),
            Fault::Version { found } => Self { found: found.into(), ..Self::new(BD_ERROR_CHECKPOINT_VERSION) },
            Fault::Checksum => Self::new(BD_ERROR_CHECKPOINT_CHECKSUM),
            Fault::Precision { bytes } => Self { found: bytes.into(), ..Self::new(BD_ERROR_CHECKPOINT_PRECISION) },
            Fault::Scheme => Self::new(BD_ERROR_CHECKPOINT_SCHEME),
            Fault::Generator => Self::new(BD_ERROR_CHECKPOINT_GENERATOR),
            Fault::Tag { found } => Self { found, ..Self::new(BD_ERROR_CHECKPOINT_TAG) },
            Fault::Value => Self::new(BD_ERROR_CHECKPOINT_VALUE),
            _ => Self::new(BD_ERROR_OTHER),
        }
    }
}

impl From<Error> for bd_error {
    fn from(error: Error) -> Self {
        match error {
            Error::Empty => Self::new(BD_ERROR_EMPTY),
            Error::Zero { what } => Self::of(BD_ERROR_ZERO, what),
            Error::Mismatch { what, expected, found } => Self::sizes(BD_ERROR_MISMATCH, what, expected, found),
            Error::Capacity { what, capacity, requested } => Self::sizes(BD_ERROR_CAPACITY, what, capacity, requested),
            Error::Parameter { name, value, accepted } => Self {
                value,
                accepted: accepted.as_ptr().cast(),
                accepted_length: accepted.len(),
                ..Self::of(BD_ERROR_PARAMETER, name)
            },
            Error::NotFinite { quantity, particle } => Self {
                index: particle.map_or(BD_NO_INDEX, u64::from),
                ..Self::of(BD_ERROR_NOT_FINITE, named(quantity))
            },
            Error::Example { index } => Self { index: long(index), ..Self::new(BD_ERROR_EXAMPLE) },
            Error::Extinct { step } => Self { index: step, ..Self::new(BD_ERROR_EXTINCT) },
            Error::CentredReinjection => Self::new(BD_ERROR_CENTRED_REINJECTION),
            Error::AlphaWithoutEvents { alpha } => Self { value: alpha, ..Self::new(BD_ERROR_ALPHA_WITHOUT_EVENTS) },
            Error::Checkpoint(fault) => fault.into(),
            Error::Energy { code } => Self { user: code, ..Self::new(BD_ERROR_ENERGY) },
            _ => Self::new(BD_ERROR_OTHER),
        }
    }
}

/// Every code and its text.
const TEXTS: [(bd_code, &CStr); 29] = [
    (BD_OK, c"done"),
    (BD_ERROR_NULL, c"a pointer is null"),
    (BD_ERROR_ALIGNMENT, c"a pointer is not aligned"),
    (BD_ERROR_MEMORY, c"memory is too small, or its size is impossible"),
    (BD_ERROR_OVERLAP, c"pieces of memory overlap"),
    (BD_ERROR_NOT_INITIALISED, c"nothing of this precision was initialised there"),
    (BD_ERROR_BUSY, c"in use: called from a function that it had called"),
    (BD_ERROR_CHOICE, c"no such choice"),
    (BD_ERROR_EMPTY, c"there is no particle, or no point"),
    (BD_ERROR_ZERO, c"a size is zero"),
    (BD_ERROR_MISMATCH, c"sizes do not agree"),
    (BD_ERROR_CAPACITY, c"a capacity is exceeded"),
    (BD_ERROR_PARAMETER, c"a parameter is not finite or outside its range"),
    (BD_ERROR_NOT_FINITE, c"a quantity is not finite"),
    (BD_ERROR_EXAMPLE, c"an example is not finite"),
    (BD_ERROR_EXTINCT, c"every particle died; lower alpha or dt"),
    (BD_ERROR_CENTRED_REINJECTION, c"reinjection takes raw rates only"),
    (BD_ERROR_ALPHA_WITHOUT_EVENTS, c"gradient flow has no events: alpha must be 0"),
    (BD_ERROR_ENERGY, c"the caller's energy failed"),
    (BD_ERROR_CHECKPOINT_TRUNCATED, c"checkpoint: cut short"),
    (BD_ERROR_CHECKPOINT_MAGIC, c"checkpoint: these bytes are none"),
    (BD_ERROR_CHECKPOINT_VERSION, c"checkpoint: format not known"),
    (BD_ERROR_CHECKPOINT_CHECKSUM, c"checkpoint: a byte has changed"),
    (BD_ERROR_CHECKPOINT_PRECISION, c"checkpoint: of the other precision"),
    (BD_ERROR_CHECKPOINT_SCHEME, c"checkpoint: of another scheme"),
    (BD_ERROR_CHECKPOINT_GENERATOR, c"checkpoint: of another generator"),
    (BD_ERROR_CHECKPOINT_TAG, c"checkpoint: of another run"),
    (BD_ERROR_CHECKPOINT_VALUE, c"checkpoint: a value that no run can have"),
    (BD_ERROR_OTHER, c"an error without a name in this version"),
];

/// The text of a code.
pub(crate) fn text(code: i32) -> &'static CStr {
    TEXTS.iter().find(|(known, _)| *known as i32 == code).map_or(c"no such code", |(_, text)| text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    extern crate std;
    use super::*;
    use std::collections::BTreeSet;
    use std::string::{String, ToString};
    use std::vec::Vec;

    /// The variants of an enum of the core, by its source: the compiler cannot say whether a match on a
    /// `non_exhaustive` type has them all.
    fn variants(source: &str, name: &str) -> Vec<String> {
        let body = source.split(&std::format!("pub enum {name} {{\n")).nth(1).unwrap().split("\n}\n").next().unwrap();
        let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
        lines
            .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
            .map(|line| line.split([' ', ',', '(', '{']).next().unwrap().to_string())
            .collect()
    }

    #[test]
    fn every_error_of_the_core_has_its_code() {
        let core = include_str!("../../../src/error.rs");
        let here = include_str!("code.rs").split("mod tests").next().unwrap();
        for (name, count) in [("Error", 12), ("Fault", 9), ("Quantity", 6)] {
            let found = variants(core, name);
            assert!(found.len() >= count, "{name}: {found:?}");
            for variant in found {
                let arm = std::format!(" {name}::{variant}");
                assert!(here.split(&arm).nth(1).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)), "{arm}");
            }
        }
    }

    #[test]
    fn every_code_has_a_text_of_its_own() {
        let here = include_str!("code.rs").split("use bd_code::*").next().unwrap();
        let declared: Vec<&str> = here.lines().filter(|line| line.starts_with("    BD_")).collect();
        assert_eq!(declared.len(), TEXTS.len());
        assert_eq!(TEXTS.iter().map(|(code, _)| *code as i32).collect::<BTreeSet<_>>().len(), TEXTS.len());
        assert_eq!(TEXTS.iter().map(|(_, text)| text).collect::<BTreeSet<_>>().len(), TEXTS.len());
        assert_eq!((text(0), text(-1), text(40)), (c"done", c"no such code", TEXTS[27].1));
    }

    #[test]
    fn details_are_handed_on() {
        let error = bd_error::from(Error::NotFinite { quantity: Quantity::Gradient, particle: Some(7) });
        assert_eq!((error.code, error.index, error.what_length), (BD_ERROR_NOT_FINITE, 7, "gradient".len()));
        let error = bd_error::from(Error::NotFinite { quantity: Quantity::Energy, particle: None });
        assert_eq!((error.code, error.index), (BD_ERROR_NOT_FINITE, BD_NO_INDEX));
        let error = bd_error::from(Error::Parameter { name: "dt", value: -1.0, accepted: "a finite number >= 0" });
        assert_eq!((error.code, error.value, error.accepted_length), (BD_ERROR_PARAMETER, -1.0, 20));
        let error = bd_error::from(Error::Checkpoint(Fault::Truncated { needed: 80, found: 3 }));
        assert_eq!((error.code, error.expected, error.found), (BD_ERROR_CHECKPOINT_TRUNCATED, 80, 3));
        let error = bd_error::from(Error::Capacity { what: "x", capacity: 4, requested: 5 });
        assert_eq!((error.code, error.expected, error.found), (BD_ERROR_CAPACITY, 4, 5));
        assert_eq!(bd_error::from(Error::Energy { code: -5 }).user, -5);
        assert_eq!(bd_error::from(Error::Extinct { step: 9 }).index, 9);
        assert_eq!(bd_error::from(Error::Checkpoint(Fault::Tag { found: 6 })).found, 6);
    }
}
