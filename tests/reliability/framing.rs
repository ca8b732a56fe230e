//! Requests that are framed in ways that servers have disagreed on: `tests/framing/`, one file each.
//!
//! A file says why, which statuses are answered, and the bytes: its line ends are not part of them, `\r`, `\n`, `\t`,
//! `\0` and `\xNN` are, and `{9*a}` is nine times `a`. What is smuggled asks for `/version`, which must never be
//! answered.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    binary::Served,
    client::{Client, get, header, is_up, shared},
};

/// Seconds that bodies without an end may take.
pub const QUICK: [(&str, &str); 3] = [
    ("COXA__SERVER__HEAD_TIMEOUT", "2"),
    ("COXA__SERVER__REQUEST_TIMEOUT", "2"),
    ("COXA__SERVER__IO_TIMEOUT", "3"),
];

/// One way to frame a request.
pub struct Case {
    pub name: String,
    pub statuses: Vec<String>,
    pub bytes: Vec<u8>,
}

/// All of them.
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = fs::read_dir("tests/framing")
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let (about, bytes) = text.split_once("\n---\n").unwrap();
            let (_, statuses) = about.split_once("expect: ").unwrap();
            Case {
                name: path.file_name().unwrap().to_string_lossy().into_owned(),
                statuses: statuses.split(' ').map(ToOwned::to_owned).collect(),
                bytes: unescape(bytes),
            }
        })
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let mut taken = 1;
        match (first, tail) {
            (b'\n', _) => {}
            (b'\\', [letter, digits @ ..]) => {
                taken = 2;
                bytes.push(match letter {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'0' => 0,
                    b'x' => {
                        taken = 4;
                        u8::from_str_radix(std::str::from_utf8(&digits[..2]).unwrap(), 16).unwrap()
                    }
                    other => panic!("no such escape: {other}"),
                });
            }
            (b'{', [digit, ..]) if digit.is_ascii_digit() => {
                let end = rest.iter().position(|byte| *byte == b'}').unwrap();
                let (count, letter) = std::str::from_utf8(&rest[1..end]).unwrap().split_once('*').unwrap();
                bytes.extend(letter.repeat(count.parse().unwrap()).bytes());
                taken = end + 1;
            }
            (byte, _) => bytes.push(*byte),
        }
        rest = &rest[taken..];
    }
    bytes
}

/// Sends bytes and reads until the connection is closed; none where it stays open.
pub fn exchange(address: SocketAddr, bytes: &[u8], shut: bool) -> Option<String> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // It may be refused before it is sent to its end.
    let _ = stream.write_all(bytes);
    if shut {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => read.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(_) => return None,
        }
    }
    Some(String::from_utf8_lossy(&read).into_owned())
}

/// The statuses of answers, in their order.
pub fn statuses(answers: &str) -> Vec<String> {
    let after = answers.split("HTTP/1.1 ").skip(1);
    after.map(|answer| answer.split([' ', '\r']).next().unwrap().to_owned()).collect()
}

/// Checks that what refuses a request says why, and that the connection ends with it.
fn is_told(answers: &str) -> Result<(), String> {
    let (_, last) = answers.rsplit_once("HTTP/1.1 ").unwrap();
    let status = last.split(' ').next().unwrap();
    if !matches!(status, "400" | "431") {
        return Ok(());
    }
    let (head, body) = last.split_once("\r\n\r\n").unwrap();
    let problem: Value = serde_json::from_str(body).map_err(|error| format!("{error}: {last}"))?;
    let told = problem["status"].as_u64() == status.parse().ok()
        && header(head, "content-type") == Some("application/problem+json")
        && header(head, "connection") == Some("close")
        && header(head, "x-content-type-options") == Some("nosniff")
        && header(head, "x-request-id") == problem["request_id"].as_str();
    if told { Ok(()) } else { Err(last.to_owned()) }
}

#[test]
fn a_refusal_behind_answers_says_why_and_that_the_connection_ends() {
    let _machine = shared();
    let more = [("COXA__SERVER__HSTS_SECONDS", "3600"), ("COXA__OPERATIONS__LISTEN", "127.0.0.1:0")];
    let served = Served::start(&[&QUICK[..], &more].concat());
    let bad = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n";
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(140_000));
    for (before, answers) in [
        (String::new(), vec![]),
        (get("/livez"), vec!["200"]),
        (get("/livez").replace("GET", "HEAD").repeat(2), vec!["200", "200"]),
        (get("/v1/conditions").repeat(3), vec!["200"; 3]),
    ] {
        for (refused, status) in [(bad, "400"), (long.as_str(), "431")] {
            let all = exchange(served.address, format!("{before}{refused}").as_bytes(), false).unwrap();
            assert_eq!(statuses(&all), [answers.as_slice(), &[status]].concat());
            is_told(&all).unwrap();
            let told = all.rsplit("HTTP/1.1 ").next().unwrap();
            assert_eq!(header(told, "strict-transport-security"), Some("max-age=3600"));
        }
    }
    let metrics = Client::once(served.operations(), &get("/metrics")).unwrap().body;
    for (fault, count) in [("malformed", 4), ("too_large", 4), ("late", 0)] {
        let line = format!("coxa_heads_refused_total{{fault=\"{fault}\"}} {count}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[test]
fn no_framing_yields_a_second_answer_and_what_is_refused_closes_the_connection() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let failures: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = cases
            .iter()
            .map(|case| {
                let address = served.address;
                (case, scope.spawn(move || exchange(address, &case.bytes, false)))
            })
            .collect();
        runs.into_iter()
            .filter_map(|(case, run)| match run.join().unwrap() {
                None => Some(format!("{}: the connection stays open", case.name)),
                Some(answers) if statuses(&answers) != case.statuses || answers.contains("\"coxa\"") => {
                    Some(format!("{}: {:?}, not {:?}", case.name, statuses(&answers), case.statuses))
                }
                Some(answers) => is_told(&answers).err().map(|fault| format!("{}: {fault}", case.name)),
            })
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    is_up(served.address);
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0));
    assert!(!log.contains("/version"), "something was smuggled: {log}");
}
