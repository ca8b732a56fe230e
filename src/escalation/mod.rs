//! Which step of care comes next.
//!
//! What is *not* here: how probable a condition is and how urgent it is; those come in as facts.

mod course;
mod gates;
mod ladder;
mod position;
pub mod return_to_run;
mod training;

pub use course::{Course, Danger, InjectionNumbers, Injections, Span, Tried};
pub use gates::{Fact, GateCheck, GatePart, GateStatus};
pub use ladder::{FirstStep, FirstStepFacts, first_step};
pub use position::{ActionKind, NextAction, Position, StepPosition, StepStatus, Why, position};
pub use training::{Training, TrainingFacts, allowed_by_triage, training};
