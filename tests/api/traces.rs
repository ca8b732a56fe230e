//! Spans as a collector gets them, in a build with the feature `otel`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use crate::binary::Served;

/// A collector on a free port: where it takes traces, and the bodies that come.
fn collector() -> (String, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (sender, bodies) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            loop {
                let (mut head, mut length) = (String::new(), 0);
                while !head.ends_with("\r\n\r\n") {
                    let begin = head.len();
                    if reader.read_line(&mut head).unwrap_or(0) == 0 {
                        break;
                    }
                    if let Some(value) = head[begin..].to_lowercase().strip_prefix("content-length: ") {
                        length = value.trim().parse().unwrap();
                    }
                }
                if head.is_empty() {
                    break;
                }
                assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                let _ = sender.send(body);
            }
        }
    });
    (endpoint, bodies)
}

fn holds(body: &[u8], piece: &[u8]) -> bool {
    body.windows(piece.len()).any(|window| window == piece)
}

#[test]
fn a_span_continues_the_trace_and_holds_nothing_that_a_client_sent() {
    let (endpoint, bodies) = collector();
    let served = Served::start(&[("COXA__TELEMETRY__OTLP_ENDPOINT", &endpoint)]);
    let mut stream = TcpStream::connect(served.address).unwrap();
    let request = "GET /v1/conditions/canaryfinch?canaryfinch=1 HTTP/1.1\r\nHost: canaryfinch\r\n\
                   User-Agent: canaryfinch\r\nX-Forwarded-For: canaryfinch\r\nX-Request-Id: seen-in-the-span\r\n\
                   traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\
                   tracestate: canaryfinch=1\r\nbaggage: canaryfinch=1\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    // What was not sent yet is sent at the end.
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("trace_id=4bf92f3577b34da6a3ce929d0e0e4736"), "{log}");
    let body = bodies.recv().unwrap();
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();
    let parent = 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes();
    for piece in [
        &trace[..],
        &parent[..],
        b"GET /v1/conditions/{id}",
        b"http.route",
        b"http.response.status_code",
        b"seen-in-the-span",
        b"service.name",
    ] {
        assert!(holds(&body, piece), "{} is missing", String::from_utf8_lossy(piece));
    }
    for piece in ["canaryfinch", "127.0.0.1", "user_agent", "client.address", "url."] {
        assert!(!holds(&body, piece.as_bytes()), "{piece} is in the span");
    }
}

#[test]
fn a_collector_that_is_away_stops_neither_requests_nor_the_end() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    // It takes connections and never answers.
    let endpoint = format!("http://{}/v1/traces", taken.local_addr().unwrap());
    let served = Served::start(&[("COXA__TELEMETRY__OTLP_ENDPOINT", &endpoint)]);
    for _ in 0..100 {
        let mut stream = TcpStream::connect(served.address).unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    served.signal("TERM");
    let status = served.end_unread(std::time::Duration::from_secs(15));
    assert_eq!(status.code(), Some(0));
}
