//! The binary; everything it does is in the library.

use std::process::ExitCode;

/// Gives memory back within seconds. glibc's keeps all that a flood of requests needed for as long as the process lives.
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    coxa::command_line::run()
}
