//! Which step of care comes next.
//!
//! What is *not* here: how probable a condition is and how urgent it is; those come in as facts.

mod ladder;

pub use ladder::{NextStep, next_step};
