//! What those who run the service rely on: health, logs, a start and an end in order.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::{Value, json};

use crate::{binary::Served, support::Api};

/// In every place of a request where a client can put text; it must never show up in a log.
const CANARY: &str = "canaryfinch";

#[tokio::test]
async fn the_service_says_that_it_is_alive_ready_and_which_build_it_is() {
    let api = Api::new();
    for path in ["/livez", "/readyz"] {
        assert_eq!(api.read(path).await, json!({ "status": "ok" }), "{path}");
    }
    let version = api.read("/version").await;
    assert_eq!(version["name"], "coxa");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["catalogue"], api.read("/v1/catalogue").await["catalogue"]);
}

/// Method, path, headers and body.
type Request = (String, String, Vec<(&'static str, String)>, Option<String>);

/// Requests that carry the canary in each of their parts: method, path, headers, body.
fn with_canary() -> Vec<Request> {
    let json = || vec![("content-type", "application/json".to_owned())];
    let get = |path: &str| ("GET".to_owned(), path.replace('C', CANARY), Vec::new(), None);
    let post = |body: &str| {
        ("POST".to_owned(), "/v1/assessments".to_owned(), json(), Some(body.replace('C', CANARY)))
    };
    let header = |name, value: &str| {
        ("GET".to_owned(), "/v1/conditions".to_owned(), vec![(name, value.replace('C', CANARY))], None)
    };
    vec![
        get("/C"),
        get("/v1/conditions/C"),
        get("/v1/conditions/C/escalation"),
        get("/v1/findings/C%00"),
        get("/v1/findings?q=C"),
        get("/v1/findings?C=1"),
        get("/v1/conditions?location=C&limit=C"),
        get("/docs/C"),
        get("/problems/C"),
        get("/livez?C"),
        header("accept", "C/C"),
        header("accept-encoding", "C;q=C"),
        header("if-none-match", "\"C\""),
        header("user-agent", "C"),
        header("cookie", "C=C"),
        header("authorization", "Bearer C"),
        header("referer", "http://C.invalid/C"),
        header("x-forwarded-for", "C"),
        header("traceparent", "C"),
        header("x-request-id", "C C"),
        header("x-C", "C"),
        post(r#"{"present":["C"]}"#),
        post(r#"{"C":["fever"]}"#),
        post(r#"{"sex":"C"}"#),
        post(r#"{"C":1,"C":2}"#),
        post(r#"{"options":{"C":"C"}}"#),
        post("C"),
        post("{\"C"),
        ("POST".into(), "/v1/assessments".into(), vec![("content-type", CANARY.into())], Some(CANARY.into())),
        ("POST".into(), format!("/v1/assessments?{CANARY}={CANARY}"), json(), Some("{}".into())),
        // More is declared than may be sent; the answer does not wait for it.
        (
            "POST".into(),
            "/v1/assessments".into(),
            [json(), vec![("content-length", "99999".to_owned())]].concat(),
            Some(CANARY.into()),
        ),
        (CANARY.into(), "/v1/assessments".into(), Vec::new(), None),
        (CANARY.to_uppercase(), format!("/{CANARY}"), Vec::new(), None),
        ("OPTIONS".into(), format!("/v1/conditions/{CANARY}"), Vec::new(), None),
        ("HEAD".into(), format!("/v1/conditions/{CANARY}"), Vec::new(), None),
        // A symptom that is known must stay out of the log as well.
        post(r#"{"present":["bladder-bowel-change"],"sex":"female"}"#),
        get("/v1/findings/bladder-bowel-change"),
    ]
}

/// Sends a request over a socket of its own; the answer, or what there is of it.
fn send(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // A refused body may end in a reset after the answer.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_up(served: &Served) {
    let answer = send(served.address, b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

/// Sends everything that carries the canary; how many requests that were.
fn send_canaries(address: SocketAddr) -> usize {
    let requests = with_canary();
    for (method, path, headers, body) in &requests {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {CANARY}\r\nConnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{}: {value}\r\n", name.replace('C', CANARY)));
        }
        let body = body.as_deref().unwrap_or_default();
        if !headers.iter().any(|(name, _)| *name == "content-length") {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str(&format!("\r\n{body}"));
        let answer = send(address, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 "), "{method} {path}: {answer}");
    }
    requests.len()
}

/// Requests that are broken below HTTP: they are no requests and leave no request line, nor the canary.
fn send_broken(address: SocketAddr) {
    for broken in [
        format!("{CANARY}\r\n\r\n"),
        format!("GET /{CANARY} HTTP/9.9\r\n\r\n"),
        format!("GET /{CANARY} HTTP/1.1\r\nHost: a\r\nContent-Length: {CANARY}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{CANARY} : x\r\n\r\n"),
        format!("POST /v1/assessments HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {CANARY}\r\n\r\n{CANARY}"),
    ] {
        let answer = send(address, broken.as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{broken}: {answer}");
    }
    // The client hangs up in the middle of its body.
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "POST /v1/assessments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n";
    stream.write_all(format!("{head}{{\"present\":[\"{CANARY}").as_bytes()).unwrap();
}

fn check_silent(log: &str, stdout: &str) {
    assert!(!log.to_lowercase().contains(CANARY), "{log}");
    assert!(!log.contains("bladder"), "{log}");
    assert_eq!(stdout, "");
}

#[test]
fn json_logs_hold_one_line_a_request_and_nothing_that_a_client_sent() {
    let variables = [
        ("COXA__TELEMETRY__LOG_FORMAT", "json"),
        ("COXA__TELEMETRY__LOG_LEVEL", "trace"),
        ("RUST_LOG", "trace"),
    ];
    let served = Served::start(&variables);
    let sent = send_canaries(served.address);
    served.signal("TERM");
    let (status, stdout, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    check_silent(&log, &stdout);
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let requests: Vec<&Value> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert_eq!(requests.len(), sent, "{log}");
    for line in &requests {
        let mut keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        let known = [
            "duration_us",
            "http.method",
            "http.route",
            "http.status",
            "level",
            "message",
            "request_id",
            "timestamp",
        ];
        assert_eq!(keys, known, "{line}");
        assert!((200..600).contains(&line["http.status"].as_u64().unwrap()), "{line}");
    }
    let of = |route: &str| requests.iter().filter(|line| line["http.route"] == route).count();
    assert_eq!(of("/v1/conditions/{id}"), 3, "{log}");
    assert_eq!(of("/v1/findings/{id}"), 2, "{log}");
    assert_eq!(requests.iter().filter(|line| line["http.method"] == "other").count(), 2);
}

#[test]
fn text_logs_hold_one_line_a_request_and_nothing_that_a_client_sent() {
    let variables = [
        ("COXA__TELEMETRY__LOG_FORMAT", "text"),
        ("COXA__TELEMETRY__LOG_LEVEL", "trace"),
        ("RUST_LOG", "trace"),
    ];
    let served = Served::start(&variables);
    let sent = send_canaries(served.address);
    served.signal("TERM");
    let (status, stdout, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    check_silent(&log, &stdout);
    assert_eq!(log.lines().filter(|line| line.contains(" request http.method=")).count(), sent, "{log}");
    assert!(!log.contains('\u{1b}'), "colours in a file: {log}");
    assert!(log.contains("stopping") && log.contains("stopped"), "{log}");
}

#[test]
fn what_is_broken_below_http_leaves_no_trace_of_itself_in_the_log() {
    let served = Served::start(&[("COXA__TELEMETRY__LOG_LEVEL", "trace"), ("RUST_LOG", "trace")]);
    send_broken(served.address);
    served.signal("TERM");
    let (status, stdout, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    check_silent(&log, &stdout);
}

#[test]
fn requests_leave_no_line_where_the_access_log_is_off() {
    let served = Served::start(&[("COXA__TELEMETRY__ACCESS_LOG", "false")]);
    is_up(&served);
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("listening") && !log.contains("http.status"), "{log}");
}

#[test]
fn both_signals_end_the_service_in_order() {
    for signal in ["TERM", "INT"] {
        let served = Served::start(&[]);
        // Signals are taken from the first request on.
        is_up(&served);
        served.signal(signal);
        let (status, _, log) = served.end();
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
        assert!(log.contains("stopped"), "{signal}: {log}");
    }
}

#[tokio::test]
async fn a_service_about_to_stop_says_so_and_still_answers_until_a_second_signal() {
    let served = Served::start(&[("COXA__SERVER__DRAIN_DELAY", "60")]);
    let api = Api::at(served.address);
    assert_eq!(api.get("/readyz").await.status, 200);
    served.signal("TERM");
    let mut answer = api.get("/readyz").await;
    while answer.status == 200 {
        answer = api.get("/readyz").await;
    }
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["code"], "draining");
    assert_eq!(api.get("/livez").await.status, 200);
    assert_eq!(api.assess(&json!({ "age": 30 })).await["triage"]["level"], "routine");
    let health = crate::binary::run(&["healthcheck", &served.address.to_string()]);
    assert_eq!(health.status.code(), Some(1));
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("second signal"), "{log}");
}

#[test]
fn a_request_that_was_begun_is_finished_before_the_end() {
    let served = Served::start(&[]);
    let mut stream = TcpStream::connect(served.address).unwrap();
    let head = "POST /v1/assessments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
                Expect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // The interim answer shows that the service has taken the request up.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    served.signal("TERM");
    stream.write_all(b"{}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn a_body_that_does_not_arrive_in_time_is_answered_and_the_connection_closed() {
    let served = Served::start(&[("COXA__SERVER__REQUEST_TIMEOUT", "1")]);
    let head = "POST /v1/assessments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    let answer = send(served.address, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["code"], "request-timeout");
    assert!(answer.contains(&format!("x-request-id: {}\r\n", problem["request_id"].as_str().unwrap())));
    is_up(&served);
}
