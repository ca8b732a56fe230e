//! What keeps a crash from telling what clients sent: no core files, and no words of a panic in the log.
//!
//! What is *not* here: how a panic is answered; the envelope of the API does that.

use std::{io, panic};

use rustix::process::{Resource, Rlimit, setrlimit};

/// Turns core files off for this process and takes the words out of the log line of a panic.
///
/// A core file is a copy of the memory, with the requests in it. The words of a panic may quote what a client
/// sent, such as the text in which an index is out of bounds; its place in the code is enough to look for it.
///
/// # Errors
/// When the system refuses to turn core files off.
pub fn harden() -> io::Result<()> {
    panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => tracing::error!(file = place.file(), line = place.line(), "panic"),
        None => tracing::error!("panic"),
    }));
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // The limit does not hold where the system hands core files to a program, such as a crash reporter. This does, and
    // it keeps other processes of the same user from reading the memory.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
