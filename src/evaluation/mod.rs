//! How good the knowledge is on cases whose answer is known.
//!
//! [`Vignette::read_all`] reads cases as JSON lines, [`Report::of`] assesses them and counts, [`changes`] tells
//! what another catalogue would answer differently. What is *not* here: opening files, and printing.

mod changes;
mod metrics;
mod outcome;
mod print;
mod report;
mod simulation;
mod vignette;

pub use changes::{Change, changes};
pub use metrics::{CalibrationBin, Proportion};
pub use outcome::Outcome;
pub use report::{Calibration, Figures, Report, Thresholds};
pub use simulation::{SimulatedInterview, Simulation, simulate};
pub use vignette::{Vignette, VignetteError};
