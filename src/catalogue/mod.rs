//! What is known: conditions, findings, their probabilities, rules, ladders of care, sources.
//!
//! [`Catalogue::compile`] takes the texts of the files, collects every fault there is, and gives either all
//! of them or a sound catalogue. Nothing here opens a file, knows HTTP or weighs an answer.

mod check;
mod compile;
mod embedded;
pub mod entry;
mod fault;
mod fingerprint;
mod form;
pub mod id;
mod nearest;
pub mod quantity;
mod read;
mod search;
pub mod vocabulary;

pub use compile::{Catalogue, ConditionIndex, FindingIndex};
pub use embedded::embedded;
pub use fault::{Fault, Faults};
pub use nearest::nearest;
pub use read::CatalogueFile;
pub use search::relevance;
