//! What can be wrong with a catalogue, said so that a clinician can mend it: where, what, how.

use std::fmt;

/// One fault of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, relative to the catalogue's folder.
    pub file: String,
    /// The place inside it, for instance `evidence (loc-groin, line 47).finding`; empty for the whole file.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// How to mend it.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.file)?;
        if !self.place.is_empty() {
            write!(formatter, "{}: ", self.place)?;
        }
        write!(formatter, "{}\n  remedy: {}", self.problem, self.remedy)
    }
}

/// Every fault of a catalogue that was refused, ordered by file and place; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.0 {
            writeln!(formatter, "{fault}")?;
        }
        let count = self.0.len();
        write!(formatter, "{count} fault{} in the catalogue", if count == 1 { "" } else { "s" })
    }
}

impl std::error::Error for Faults {}
