//! Floating-point numbers in JSON, which has no NaN and no infinities: those are the strings "NaN", "inf" and "-inf".

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A number, or the name of a value that JSON does not have.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a number, \"NaN\", \"inf\" or \"-inf\" is wanted")]
enum Number {
    Finite(f64),
    Named(String),
}

/// For `#[serde(with = "number")]`.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(x: &f64, to: S) -> Result<S::Ok, S::Error> {
    if x.is_finite() { x.serialize(to) } else { x.to_string().serialize(to) }
}

/// For `#[serde(with = "number")]`.
///
/// # Errors
/// For anything but a number or one of the three names.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    match Number::deserialize(from)? {
        Number::Finite(x) => Ok(x),
        Number::Named(name) => match name.as_str() {
            "NaN" => Ok(f64::NAN),
            "inf" => Ok(f64::INFINITY),
            "-inf" => Ok(f64::NEG_INFINITY),
            _ => Err(D::Error::custom(format!(
                "{name:?} is no number; accepted: a number, \"NaN\", \"inf\" or \"-inf\""
            ))),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "super")] f64);

    #[test]
    fn every_number_comes_back() {
        for x in [0.1, -0.0, 1e-310, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let text = serde_json::to_string(&One(x)).expect("text");
            let One(back) = serde_json::from_str(&text).expect("a number");
            assert_eq!(x.to_bits(), back.to_bits(), "{text}");
        }
        assert!(serde_json::from_str::<One>("\"many\"").is_err());
        assert!(serde_json::from_str::<One>("null").is_err());
    }
}
