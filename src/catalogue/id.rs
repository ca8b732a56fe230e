//! The names things go by: kebab-case ids, one type a kind of thing, so that a finding cannot be
//! passed where a condition is due.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de};
use thiserror::Error;

/// The longest id that is accepted, in bytes.
pub const LONGEST_ID: usize = 64;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not an id: small letters and digits in groups joined by single hyphens, at most {LONGEST_ID} characters"
)]
pub struct MalformedId(pub String);

fn is_kebab_case(text: &str) -> bool {
    text.len() <= LONGEST_ID
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

macro_rules! identifier {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                if is_kebab_case(text) { Ok(Self(text.into())) } else { Err(MalformedId(text.into())) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

identifier! {
    /// A condition that may explain hip pain, an umbrella over several, or the remainder `other`.
    ConditionId,
    /// Something that can be reported present or absent: a symptom, a test, a scan result.
    FindingId,
    /// A question that asks for several warning signs at once.
    ScreenId,
    /// A rule about running meanwhile.
    TrainingRuleId,
    /// A plan for the return to running.
    ProgressionId,
    /// A number that apps know.
    MeasureId,
    /// A group of findings: a single choice, or findings that go together.
    GroupId,
    /// A treatment that steps of escalation refer to.
    TreatmentId,
    /// A stretch, strengthening exercise or warm-up.
    ExerciseId,
    /// A prevention step or rule.
    PreventionId,
    /// A red-flag rule.
    RedFlagId,
    /// A publication, page or estimate behind a figure.
    SourceId,
    /// A state of recovery or of the injury that a gate of escalation asks for.
    CircumstanceId,
    /// A reason why a treatment must not be given.
    ContraindicationId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_case_is_an_id_and_nothing_else_is() {
        for good in ["loc-groin", "inflammatory-back-pain-4of5", "a", "2x"] {
            assert_eq!(good.parse::<FindingId>().unwrap().as_str(), good);
        }
        let long = "a".repeat(LONGEST_ID + 1);
        for bad in ["", "-a", "a-", "a--b", "A", "a_b", "a b", "é", long.as_str()] {
            assert_eq!(bad.parse::<FindingId>(), Err(MalformedId(bad.into())));
        }
    }
}
