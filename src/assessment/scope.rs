//! Whether a case is one that the catalogue is made for.
//!
//! Outside of it red flags are still checked; a ranking would pretend to know what nobody put into the figures.

use super::case::Case;
use crate::catalogue::{Catalogue, FindingIndex};

/// Why a case is outside of what the catalogue is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfScope {
    /// The age lies outside of the supported ones.
    Age,
    /// A finding says so.
    Finding(FindingIndex),
}

/// Every reason why a case is out of scope; none for most.
#[must_use]
pub fn out_of_scope(catalogue: &Catalogue, case: &Case) -> Vec<OutOfScope> {
    let ages = catalogue.about().supported_ages;
    let age = case.age().filter(|age| *age < ages.from || *age > ages.to).map(|_| OutOfScope::Age);
    let findings = case
        .present()
        .filter(|finding| catalogue.finding_at(*finding).out_of_scope.is_some())
        .map(OutOfScope::Finding);
    age.into_iter().chain(findings).collect()
}
