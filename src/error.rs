//! Everything that can go wrong, with the offending values and what to do next.

use core::fmt;

/// Why a constructor or a step refused.
///
/// One small `Copy` type for the whole crate. After any error the ensemble, the dynamics and the generator are as
/// they were before the call; only scratch memory may have been written. Each variant says what to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// There is no particle. *Next:* push particles before the step.
    Empty,
    /// A size that must be at least one was zero. *Next:* correct the constructor's argument.
    Zero {
        /// The argument's name.
        what: &'static str,
    },
    /// Two sizes that must agree do not. *Next:* build the views from the same dimension and length.
    Mismatch {
        /// The quantity whose size is wrong.
        what: &'static str,
        /// The size that the other arguments imply.
        expected: usize,
        /// The size found.
        found: usize,
    },
    /// A fixed capacity is exceeded. *Next:* raise the const parameter, or use fewer.
    Capacity {
        /// What was to be stored.
        what: &'static str,
        /// How many fit.
        capacity: usize,
        /// How many were asked for.
        requested: usize,
    },
    /// A parameter is not finite, or outside its range. *Next:* pass a value of the range that is named.
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// The value refused.
        value: f64,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// A quantity came out as NaN or infinite. The state is the last good one, and calling again repeats the error. The
    /// first particle that is to blame is named: the energy and the mean potential are looked at last.
    ///
    /// *Next,* for a potential, a gradient, a moved position, the mean or the energy, in this order:
    /// 1. `dt`. If `E` has been rising before, the step is too long for the energy's curvature and the run diverges:
    ///    begin anew with a smaller `dt` (or go back to a checkpoint and call [`set_dt`](crate::Dynamics::set_dt); the
    ///    particles are far out already).
    /// 2. The energy's code: whether it is finite at the position of this particle.
    /// 3. The particle itself: whether it belongs where it is, or is to be taken out. Without one: a sum that
    ///    overflows.
    ///
    /// For a position handed in: the data that it came from. For a draw: the prior.
    NotFinite {
        /// The quantity.
        quantity: Quantity,
        /// Its particle, the first in slot order; `None` for a mean or energy over all, when no particle is to blame.
        particle: Option<u32>,
    },
    /// An example of a data set has a NaN or an infinity. *Next:* clean the data.
    Example {
        /// Which one, counted from zero.
        index: usize,
    },
    /// Every particle died in one step and scheme 1 has nobody to copy. With raw rates only: under centred ones the
    /// particle of the smallest potential never dies. *Next:* lower `alpha` or `dt`; calling again repeats the same
    /// draw and the same error.
    Extinct {
        /// The step that failed, counted from zero.
        step: u64,
    },
    /// Reinjection follows PDE 2, whose rate is raw; centred was asked for. *Next:* use
    /// [`Rate::Raw`](crate::Rate::Raw).
    CentredReinjection,
    /// Gradient flow has no events, so its rate `alpha` can only be zero. *Next:* choose a scheme with events.
    AlphaWithoutEvents {
        /// The rate refused.
        alpha: f64,
    },
    /// Bytes are no checkpoint of this run. *Next:* take an older one, or begin anew.
    Checkpoint(Fault),
    /// An energy of the user's own failed. *Next:* the code is the energy's; the crate gives it no meaning.
    Energy {
        /// The energy's own code.
        code: i32,
    },
}

/// What is wrong with a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// Fewer bytes than it says that it has.
    Truncated {
        /// Bytes that it needs.
        needed: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// It does not begin as a checkpoint.
    Magic,
    /// A version of the format that this version of the crate does not read.
    Version {
        /// The version found.
        found: u16,
    },
    /// A byte has changed.
    Checksum,
    /// Of a run in the other precision.
    Precision {
        /// Bytes of a number.
        bytes: u8,
    },
    /// Of another scheme.
    Scheme,
    /// Of another generator, or no state of it.
    Generator,
    /// Of another run, by the caller's tag.
    Tag {
        /// The tag found.
        found: u64,
    },
    /// A value that no run can have, though the checksum is right.
    Value,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Fault::Truncated { needed, found } => write!(f, "cut short: {needed} bytes needed, {found} found"),
            Fault::Magic => f.write_str("these bytes are no checkpoint"),
            Fault::Version { found } => write!(f, "format version {found} is not known; accepted: 1"),
            Fault::Checksum => f.write_str("the checksum is wrong: a byte has changed"),
            Fault::Precision { bytes } => write!(f, "its numbers have {bytes} bytes, not those of this precision"),
            Fault::Scheme => f.write_str("it is of another scheme"),
            Fault::Generator => f.write_str("it is of another generator, or of none of its states"),
            Fault::Tag { found } => write!(f, "it is of another run: its tag is {found:#x}"),
            Fault::Value => f.write_str("it has a value that no run can have"),
        }
    }
}

/// What an [`Error::NotFinite`] was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Quantity {
    /// A component of a particle handed to a constructor or a step.
    Position,
    /// The energy `E`.
    Energy,
    /// A potential `V_i`, or their mean.
    Potential,
    /// A component of a gradient.
    Gradient,
    /// A position after the transport step, `theta_i - dt grad V_i`.
    Transport,
    /// A component of a particle drawn from the reinjection prior.
    PriorDraw,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Quantity::Position => "position",
            Quantity::Energy => "energy",
            Quantity::Potential => "potential",
            Quantity::Gradient => "gradient",
            Quantity::Transport => "position after transport",
            Quantity::PriorDraw => "draw from the prior",
        })
    }
}

impl Quantity {
    /// What to check, in which order: of a particle, or of all together.
    const fn advice(self, particle: Option<u32>) -> &'static str {
        match (self, particle) {
            (Quantity::Position, _) => "look at the data that it came from",
            (Quantity::PriorDraw, _) => "look at the prior's parameters",
            (_, Some(_)) => {
                "if E has been rising, lower dt; else look at the energy's code at this point, then at the particle \
                    itself"
            }
            (_, None) => "if E has been rising, lower dt; else look at the energy's code for a sum that overflows",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::Empty => f.write_str("there is no particle; at least one is needed"),
            Error::Zero { what } => write!(f, "{what} is zero; at least one is needed"),
            Error::Mismatch { what, expected, found } => {
                write!(f, "{what}: expected size {expected}, found {found}")
            }
            Error::Capacity { what, capacity, requested } => {
                write!(f, "{what}: at most {capacity} fit, {requested} asked for")
            }
            Error::Parameter { name, value, accepted } => {
                write!(f, "{name} = {value:?} refused; accepted: {accepted}")
            }
            Error::NotFinite { quantity, particle: Some(particle) } => {
                write!(f, "the {quantity} of particle {particle} is not finite; {}", quantity.advice(Some(particle)))
            }
            Error::NotFinite { quantity, particle: None } => {
                write!(f, "the {quantity} of the ensemble is not finite; {}", quantity.advice(None))
            }
            Error::Example { index } => write!(f, "example {index} has a value that is not finite"),
            Error::Extinct { step } => {
                write!(f, "every particle died in step {step}; lower alpha or dt")
            }
            Error::CentredReinjection => f.write_str("reinjection takes raw rates only, not centred ones"),
            Error::AlphaWithoutEvents { alpha } => {
                write!(f, "alpha = {alpha:?} refused: gradient flow has no events; accepted: 0")
            }
            Error::Checkpoint(fault) => write!(f, "checkpoint refused: {fault}"),
            Error::Energy { code } => write!(f, "the energy failed with its own code {code}"),
        }
    }
}

impl core::error::Error for Error {}

/// `value` if it is finite and `accept` says so; else the error that names it.
///
/// The guard asks for the good case, so that NaN fails it.
pub(crate) fn parameter<R: crate::Real>(
    name: &'static str,
    value: R,
    accepted: &'static str,
    accept: impl Fn(R) -> bool,
) -> Result<R, Error> {
    if value.is_finite() && accept(value) {
        Ok(value)
    } else {
        Err(Error::Parameter { name, value: value.to_f64(), accepted })
    }
}
