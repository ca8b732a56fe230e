//! A client over a bare socket, and what the kernel says of the service.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

/// How long a test waits for what has to happen soon.
pub const SOON: Duration = Duration::from_secs(20);

/// A case as JSON.
pub const CASE: &str = r#"{"age":52,"sex":"female","present":["loc-lateral","onset-gradual","night-pain-side-lying","pain-stairs"]}"#;

static MACHINE: RwLock<()> = RwLock::new(());

/// Runs beside others that share the machine.
pub fn shared() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Has the machine alone.
pub fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

pub fn post(body: &str) -> String {
    format!("{}Content-Length: {}\r\n\r\n{body}", POST, body.len())
}

/// The head of an assessment but for its last lines.
pub const POST: &str = "POST /v1/assessments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// One connection.
pub struct Client<S = TcpStream>(S);

impl<S: Read + Write> Client<S> {
    /// Over a connection that is there.
    pub fn over(stream: S) -> Self {
        Self(stream)
    }

    pub fn send(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())?;
        self.0.flush()
    }

    /// Reads one answer with a declared length.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let mut read = Vec::new();
        let mut piece = [0; 16 * 1024];
        loop {
            if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&read[..end]).into_owned();
                let length: usize =
                    header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
                if read.len() >= end + 4 + length {
                    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
                    let body = String::from_utf8_lossy(&read[end + 4..end + 4 + length]).into_owned();
                    return Ok(Answer { status, head, body });
                }
            }
            let count = self.0.read(&mut piece)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            read.extend_from_slice(&piece[..count]);
        }
    }

    pub fn ask(&mut self, text: &str) -> io::Result<Answer> {
        self.send(text)?;
        self.answer()
    }

    /// Reads all that comes until the connection is closed; a reset closes it as well, and so does an end that TLS was not
    /// told of.
    pub fn rest(&mut self) -> String {
        let mut read = Vec::new();
        let mut piece = [0; 16 * 1024];
        loop {
            match self.0.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => read.extend_from_slice(&piece[..count]),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
                    ) =>
                {
                    break;
                }
                Err(error) => panic!("not closed: {error}"),
            }
        }
        String::from_utf8_lossy(&read).into_owned()
    }
}

impl Client {
    /// Connects with a receive buffer as small as there is.
    pub fn connect_small(address: SocketAddr) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.set_recv_buffer_size(1024)?;
            socket.connect(address).await
        })?;
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self(stream))
    }

    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Sends as much as is taken within a time.
    pub fn send_within(&mut self, text: &str, time: Duration) {
        self.0.set_write_timeout(Some(time)).unwrap();
        let _ = self.send(text);
    }

    /// Takes an answer drop by drop until something holds, and long before all of it is taken.
    #[track_caller]
    pub fn sip_until(&mut self, holds: impl Fn() -> bool) {
        let begin = Instant::now();
        while !holds() {
            assert!(begin.elapsed() < SOON, "a client that sips is still connected");
            let _ = self.0.read(&mut [0; 64]);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Reads an answer with a pause after each kilobyte.
    pub fn answer_slowly(&mut self, pause: Duration) -> io::Result<Answer> {
        Client::over(Slow(&mut self.0, pause)).answer()
    }

    /// Says that nothing more will be asked.
    pub fn shut(&self) {
        self.0.shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// Sends a byte every now and then until the connection is closed, and returns what came.
    pub fn drip(&mut self, byte: &str) -> String {
        let begin = Instant::now();
        let mut read = Vec::new();
        let mut piece = [0; 16 * 1024];
        self.0.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        while begin.elapsed() < SOON {
            let closed = match self.0.read(&mut piece) {
                Ok(0) => true,
                Ok(count) => {
                    read.extend_from_slice(&piece[..count]);
                    false
                }
                Err(error) => {
                    !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
                        || self.send(byte).is_err()
                }
            };
            if closed {
                return String::from_utf8_lossy(&read).into_owned();
            }
        }
        panic!("a client that drips is still connected");
    }

    /// Reads so many answers, and sees that nothing more comes and the connection stays open for a time.
    #[track_caller]
    pub fn stays_open(&mut self, answers: usize, time: Duration) {
        let mut read = Vec::new();
        let mut piece = [0; 16 * 1024];
        self.0.set_read_timeout(Some(time)).unwrap();
        loop {
            match self.0.read(&mut piece) {
                Ok(0) => panic!("closed after {}", String::from_utf8_lossy(&read)),
                Ok(count) => read.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        let read = String::from_utf8_lossy(&read);
        assert_eq!(read.matches("HTTP/1.1 ").count(), answers, "{read}");
        self.0.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    }

    /// Waits until there is something to read, and leaves it there.
    pub fn wait(&self) {
        assert!(self.0.peek(&mut [0]).unwrap() > 0);
    }

    /// Asks with a connection of its own.
    pub fn once(address: SocketAddr, text: &str) -> io::Result<Answer> {
        Self::connect(address)?.ask(text)
    }
}

/// A header of an answer.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[track_caller]
pub fn is_up(address: SocketAddr) {
    assert_eq!(Client::once(address, &get("/livez")).unwrap().status, 200);
}

/// Files and sockets that a process has open.
pub fn open_files(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}

/// Connections that the service at an address has accepted and not closed.
pub fn connections(address: SocketAddr) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X}", address.port());
    let of_the_service = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // Not the socket that listens, and not those that wait to be accepted, which belong to nobody yet.
        fields[1].ends_with(&port) && fields[3] != "0A" && fields[9] != "0"
    };
    table.lines().filter(of_the_service).count()
}

/// Memory that a process holds, in KiB.
pub fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time that a process has used, in seconds.
pub fn processor_time(process: u32) -> f64 {
    let line = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = line.rsplit_once(") ").unwrap();
    let ticks: Vec<f64> = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse().unwrap()).collect();
    // A tick has been a hundredth of a second on Linux ever since programs can see it.
    ticks.iter().sum::<f64>() / 100.0
}

/// Waits until something holds.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < SOON, "{what}: not within {} s", SOON.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A stream that is read a kilobyte at a time, with pauses.
struct Slow<'a>(&'a mut TcpStream, Duration);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        std::thread::sleep(self.1);
        let most = buffer.len().min(1024);
        self.0.read(&mut buffer[..most])
    }
}

impl Write for Slow<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
