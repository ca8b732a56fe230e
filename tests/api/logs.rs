//! The access log under bad conditions: nobody reads it, or a client wants to write into it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

use crate::binary::Served;

/// More lines than a pipe and the queue before it hold together: most of these are dropped.
const FLOOD: usize = 20_000;

/// More than all limits of an end in order together: 8 s for requests in flight, 3 s for what is still waiting.
const END: Duration = Duration::from_secs(15);

/// Sends requests over one connection and reads each answer; how many said 200.
fn flood(stream: &TcpStream, requests: usize) -> usize {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut lines = BufReader::new(stream);
    let mut good = 0;
    for _ in 0..requests / 10 {
        let some = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n".repeat(10);
        (&mut &*stream).write_all(&some).unwrap();
        for _ in 0..10 {
            let (mut status, mut length) = (String::new(), 0);
            lines.read_line(&mut status).unwrap();
            loop {
                let mut line = String::new();
                lines.read_line(&mut line).unwrap();
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            lines.read_exact(&mut vec![0; length]).unwrap();
            good += usize::from(status.starts_with("HTTP/1.1 200"));
        }
    }
    good
}

#[test]
fn a_log_that_nobody_reads_stops_neither_requests_nor_the_end() {
    // With a second signal the end is cut short, and that has to be said in a pipe that is full.
    for (drain_delay, signals, code) in [("0", 1, 0), ("60", 2, 1)] {
        let served = Served::start_in_one_pipe(&[
            ("COXA__OPERATIONS__LISTEN", "127.0.0.1:0"),
            ("COXA__SERVER__DRAIN_DELAY", drain_delay),
        ]);
        let operations = served.operations();
        let stream = TcpStream::connect(served.address).unwrap();
        assert_eq!(flood(&stream, FLOOD), FLOOD);
        drop(stream);
        assert!(dropped(operations) > 0.0, "the flood does not fill pipe and queue");
        served.signal("TERM");
        if signals == 2 {
            while of_operations(operations, "/readyz").starts_with("HTTP/1.1 200") {}
            served.signal("TERM");
        }
        assert_eq!(served.end_unread(END).code(), Some(code));
    }
}

fn of_operations(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn dropped(operations: SocketAddr) -> f64 {
    let metrics = of_operations(operations, "/metrics");
    let line = metrics.lines().find(|line| line.starts_with("coxa_log_lines_dropped_total ")).unwrap();
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn the_last_lines_are_written_before_the_end() {
    let served = Served::start(&[]);
    // More than the pipe holds, less than the queue before it: none may be missing.
    let sent = 2000;
    assert_eq!(flood(&TcpStream::connect(served.address).unwrap(), sent), sent);
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0));
    assert_eq!(log.lines().filter(|line| line.contains("http.status=200")).count(), sent);
    assert!(log.trim_end().ends_with("stopped"), "{}", log.lines().last().unwrap_or_default());
}

#[test]
fn a_client_cannot_write_lines_into_the_log() {
    for format in ["json", "text"] {
        let served = Served::start(&[("COXA__TELEMETRY__LOG_FORMAT", format)]);
        let requests = [
            "GET /v1/conditions HTTP/1.1\r\nX-Request-Id: a%0d%0aFAKE\r\n",
            "GET /v1/conditions HTTP/1.1\r\nX-Request-Id: a\tFAKE\r\n",
            "GET /v1/conditions HTTP/1.1\r\nX-Request-Id: a\u{2028}FAKE\r\n",
            "GET /v1/conditions HTTP/1.1\r\nUser-Agent: FAKE\u{9b}2J\tFAKE\r\n",
            "GET /v1/conditions HTTP/1.1\r\ntraceparent: 00-FAKE\tFAKE\r\n",
            "GET /v1/conditions/%0aFAKE%1b%5b2J HTTP/1.1\r\n",
            "GET /%0d%0aFAKE%E2%80%A8FAKE?FAKE=%0aFAKE HTTP/1.1\r\n",
        ];
        for request in requests {
            let mut stream = TcpStream::connect(served.address).unwrap();
            stream.write_all(format!("{request}Host: a\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 "), "{request}");
        }
        served.signal("TERM");
        let (status, _, log) = served.end();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(!log.contains("FAKE"), "{log}");
        assert!(log.chars().all(|letter| letter == '\n' || !letter.is_control()), "{log:?}");
        assert!(!log.contains(['\u{2028}', '\u{2029}']), "{log:?}");
        let lines = log.lines().filter(|line| line.contains("http.status")).count();
        assert_eq!(lines, requests.len(), "{log}");
        if format == "json" {
            assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
        }
    }
}

#[test]
fn the_log_names_the_trace_of_a_valid_traceparent_and_ignores_any_other() {
    let served = Served::start(&[("COXA__TELEMETRY__LOG_FORMAT", "json")]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let valid = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n");
    let other = format!("traceparent: 00-{}-00f067aa0ba902b7-01\r\n", "0".repeat(32));
    for (id, header) in [
        ("one", valid.clone()),
        ("none", String::new()),
        ("wrong", other),
        ("two", format!("{valid}{valid}")),
    ] {
        let mut stream = TcpStream::connect(served.address).unwrap();
        let request = format!(
            "GET /livez HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n{header}Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    served.signal("TERM");
    let (_, _, log) = served.end();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named =
        |id: &str| lines.iter().find(|line| line["request_id"] == id).unwrap().get("trace_id").cloned();
    assert_eq!(named("one"), Some(Value::from(trace)));
    for id in ["none", "wrong", "two"] {
        assert_eq!(named(id), None, "{id}");
    }
}
