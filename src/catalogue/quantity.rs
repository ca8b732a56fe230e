//! Numbers with a meaning: each type has one range and one way in.

use serde::{Deserialize, Deserializer, de};
use thiserror::Error;

/// A number outside the range of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("{value} is not {expected}")]
pub struct OutOfRange {
    /// The number.
    pub value: f64,
    /// What was due, in words.
    pub expected: &'static str,
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $accepts:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// The number, checked.
            ///
            /// # Errors
            /// [`OutOfRange`] when it lies outside the range of this kind.
            pub fn new(value: f64) -> Result<Self, OutOfRange> {
                let accepts: fn(f64) -> bool = $accepts;
                if accepts(value) { Ok(Self(value)) } else { Err(OutOfRange { value, expected: $expected }) }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(f64::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }
    };
}

quantity! {
    /// How often a finding is present: strictly between 0.0005 and 0.9995, so that no single answer can
    /// prove or exclude a condition and no logarithm is infinite.
    Probability, |value| value > 0.000_5 && value < 0.999_5,
    "a probability between 0.0005 and 0.9995 (both excluded)"
}

quantity! {
    /// A share of a whole, from 0 to 1: pre-test probabilities, shares of a population, thresholds.
    Share, |value| (0.0..=1.0).contains(&value), "a share from 0 to 1"
}

quantity! {
    /// By how much an age or a sex multiplies a pre-test probability: above 0, at most 1000.
    Multiplier, |value| value > 0.0 && value <= 1000.0, "a factor above 0 and at most 1000"
}

quantity! {
    /// A duration in weeks, from 0 to 520; halves are meaningful.
    Weeks, |value| (0.0..=520.0).contains(&value), "a number of weeks from 0 to 520"
}

quantity! {
    /// How much the findings of a correlated group repeat each other: 0 not at all, 1 entirely.
    Coefficient, |value| (0.0..=1.0).contains(&value), "a correlation coefficient from 0 to 1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_or_not_a_number_is_refused() {
        for bad in [0.000_5, 0.999_5, -1.0, 2.0, f64::NAN, f64::INFINITY] {
            assert!(Probability::new(bad).is_err());
        }
        assert!(Multiplier::new(0.0).is_err() && Multiplier::new(f64::NAN).is_err());
        assert!(Share::new(1.1).is_err() && Weeks::new(-0.5).is_err() && Coefficient::new(1.01).is_err());
        assert!((Probability::new(0.5).unwrap().get() - 0.5).abs() < f64::EPSILON);
    }
}
