//! coxa: hip pain in runners — what it may be, how urgent it is, which step of care comes next.
//!
//! The rooms, each with its own module docs; dependencies point downwards only:
//!
//! - [`command_line`] what each command does
//! - [`startup`] from [`settings`] and [`telemetry`] to a running service; `reload` another catalogue or certificate while it runs
//! - `health` asking a running service whether it is ready
//! - [`keys`] how a key is made, and how the settings hold it
//! - [`hardening`] keeps a crash silent
//! - [`api`] the only room that knows HTTP and JSON
//! - [`evaluation`] how good that is on cases whose answer is known
//! - [`assessment`] what the findings point to; [`escalation`] which step of care comes next
//! - [`catalogue`] what is known
//!
//! The core (`catalogue`, `assessment`, `escalation`) is pure: no files, no clock, no randomness.

pub mod api;
pub mod assessment;
pub mod catalogue;
pub mod command_line;
pub mod escalation;
pub mod evaluation;
pub mod hardening;
mod health;
pub mod keys;
mod operations_listener;
mod reload;
pub mod server;
pub mod settings;
pub mod startup;
pub mod telemetry;
