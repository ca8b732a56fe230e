//! The binary as a process of its own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

/// The binary with nothing of this process's environment that it listens to.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coxa"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COXA_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
pub fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Runs a command to its end with bytes on its standard input.
pub fn run_with(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A service that runs as a process; it ends with the test.
pub struct Served {
    child: Child,
    stderr: BufReader<Box<dyn Read + Send + Sync>>,
    /// What it has logged so far.
    log: String,
    pub address: SocketAddr,
}

impl Served {
    /// Starts the service on a free port and reads its start line.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        let mut command = command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(variables.iter().copied());
        Self::start_by(command)
    }

    /// Starts the service by a command and reads its start line.
    pub fn start_by(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        Self::started(child, Box::new(stderr))
    }

    /// The same, with standard output and standard error in one pipe, of which nothing is read after the start line.
    pub fn start_in_one_pipe(variables: &[(&str, &str)]) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(variables.iter().copied()).stdout(writer.try_clone().unwrap()).stderr(writer);
        Self::started(command.spawn().unwrap(), Box::new(reader))
    }

    fn started(child: Child, stderr: Box<dyn Read + Send + Sync>) -> Self {
        let mut stderr = BufReader::new(stderr);
        let mut log = String::new();
        let address = loop {
            let begin = log.len();
            assert!(stderr.read_line(&mut log).unwrap() > 0, "the service ended before it listened: {log}");
            if let Some((_, rest)) = log[begin..].split_once("listening on http") {
                let (_, address) = rest.split_once("://").unwrap();
                break address.split([',', '/', '"']).next().unwrap().parse().unwrap();
            }
        };
        Self { child, stderr, log, address }
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens for operations.
    pub fn operations(&self) -> SocketAddr {
        let (_, rest) = self.log.split_once("operations at http://").unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    /// Waits for its end without reading anything that it writes.
    pub fn end_unread(mut self, limit: Duration) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begin.elapsed() < limit, "the service still runs after {limit:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// Reads its log up to the first line that holds some words; that line.
    pub fn logged(&mut self, words: &str) -> String {
        loop {
            let begin = self.log.len();
            assert!(self.stderr.read_line(&mut self.log).unwrap() > 0, "the service ended: {}", self.log);
            if self.log[begin..].contains(words) {
                return self.log[begin..].to_owned();
            }
        }
    }

    /// Waits for its end; status, standard output and log.
    pub fn end(mut self) -> (ExitStatus, String, String) {
        self.stderr.read_to_string(&mut self.log).unwrap();
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let status = self.child.wait().unwrap();
        (status, stdout, std::mem::take(&mut self.log))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already, unless the test failed half-way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
