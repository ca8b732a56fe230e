//! What keeps a crash from telling what clients sent: no core files.
//!
//! What is *not* here: what is logged of a panic (`telemetry`), and how it is answered (the envelope of the API).

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Turns core files off for this process: one is a copy of the memory, with the requests in it.
///
/// # Errors
/// When the system refuses to turn core files off.
pub fn harden() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // The limit does not hold where the system hands core files to a program, such as a crash reporter. This does, and
    // it keeps other processes of the same user from reading the memory.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
