//! Metrics and the listener for operations: what is counted, who can see it, and that clients cannot make it grow.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread,
};

use coxa::{
    settings::{Overrides, Settings},
    startup::Service,
};
use serde_json::{Value, json};

use crate::{
    binary::Served,
    support::{Api, outer_hip_case},
};

/// A service in this process with a listener for operations: the address for clients and the one for operations.
fn service() -> (SocketAddr, SocketAddr) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let listen = Overrides { listen: Some(([127, 0, 0, 1], 0).into()), ..Overrides::default() };
        let variables = [
            ("COXA__SERVER__WORKERS", "1"),
            ("COXA__OPERATIONS__LISTEN", "127.0.0.1:0"),
            ("COXA__TELEMETRY__ACCESS_LOG", "false"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::read(&listen, variables).unwrap();
        actix_web::rt::System::new().block_on(async move {
            let service = Service::start(&settings).unwrap();
            sender.send((service.address(), service.operations_address().unwrap())).unwrap();
            service.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

/// The listener for operations, by plain HTTP: it is not in the document.
struct Operations {
    http: reqwest::Client,
    address: SocketAddr,
}

impl Operations {
    fn at(address: SocketAddr) -> Self {
        Self { http: reqwest::Client::builder().no_proxy().build().unwrap(), address }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("http://{}{path}", self.address)).send().await.unwrap()
    }

    /// The lines of all metrics.
    async fn metrics(&self) -> Vec<String> {
        let answer = self.get("/metrics").await;
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        assert!(text.ends_with("# EOF\n"), "{text}");
        text.lines().map(ToOwned::to_owned).collect()
    }

    /// The value of the series that begins with these words.
    async fn value(&self, series: &str) -> String {
        let lines = self.metrics().await;
        let found: Vec<&String> = lines
            .iter()
            .filter(|line| line.rsplit_once(' ').is_some_and(|(name, _)| name == series))
            .collect();
        assert_eq!(found.len(), 1, "{series} in {lines:#?}");
        found[0].rsplit_once(' ').unwrap().1.to_owned()
    }

    async fn number(&self, series: &str) -> f64 {
        self.value(series).await.parse().unwrap()
    }

    /// Every series without its value.
    async fn series(&self) -> BTreeSet<String> {
        let lines = self.metrics().await;
        let samples = lines.iter().filter(|line| !line.starts_with('#'));
        samples.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    }
}

#[tokio::test]
async fn requests_and_assessments_are_counted_by_what_is_known_of_them_beforehand() {
    let (address, operations) = service();
    let (api, operations) = (Api::at(address), Operations::at(operations));
    api.assess(&outer_hip_case()).await;
    api.assess(&json!({ "age": 40 })).await;
    assert_eq!(api.try_assess("{").await.status, 400);
    assert_eq!(api.get("/v1/conditions/gluteal-tendinopathy").await.status, 200);
    assert_eq!(api.get("/v1/conditions/no-such-thing").await.status, 404);
    assert_eq!(api.get("/no-such-path").await.status, 404);
    for (series, value) in [
        (r#"coxa_requests_total{method="POST",route="/v1/assessments",status="200"}"#, "2"),
        (r#"coxa_requests_total{method="POST",route="/v1/assessments",status="400"}"#, "1"),
        (r#"coxa_requests_total{method="GET",route="/v1/conditions/{id}",status="200"}"#, "1"),
        (r#"coxa_requests_total{method="GET",route="/v1/conditions/{id}",status="404"}"#, "1"),
        (r#"coxa_requests_total{method="GET",route="none",status="404"}"#, "1"),
        (r#"coxa_request_duration_seconds_count{route="/v1/assessments"}"#, "3"),
        (r#"coxa_request_duration_seconds_bucket{le="+Inf",route="/v1/assessments"}"#, "3"),
        (r#"coxa_assessments_total{triage_level="routine"}"#, "2"),
        (r#"coxa_assessments_total{triage_level="emergency"}"#, "0"),
        (r#"coxa_catalogue_reloads_total{result="failed"}"#, "0"),
        (r#"coxa_certificate_reloads_total{result="ok"}"#, "0"),
        (r#"coxa_certificate_reloads_total{result="failed"}"#, "0"),
        ("coxa_requests_in_flight", "0"),
        ("coxa_requests_shed_total", "0"),
        ("coxa_panics_total", "0"),
    ] {
        assert_eq!(operations.value(series).await, value, "{series}");
    }
    let version = api.read("/version").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let catalogue = format!(
        r#"coxa_catalogue_info{{version="{}",sha256="{}"}}"#,
        text(&version["catalogue"]["version"]),
        text(&version["catalogue"]["sha256"])
    );
    let build = format!(
        r#"coxa_build_info{{version="{}",commit="{}"}}"#,
        text(&version["version"]),
        text(&version["commit"])
    );
    assert_eq!(operations.value(&catalogue).await, "1");
    assert_eq!(operations.value(&build).await, "1");
}

#[tokio::test]
async fn ten_thousand_random_paths_methods_and_ids_add_no_series() {
    let (address, operations) = service();
    let operations = Operations::at(operations);
    let mut random = fastrand::Rng::with_seed(7);
    let mut word = move || (0..random.usize(1..12)).map(|_| random.alphanumeric()).collect::<String>();
    // One of each kind first: what they add is all that there may ever be.
    let mut request = |kind: usize| {
        let word = &mut word;
        let (method, path) = match kind {
            0 => ("GET".to_owned(), format!("/{}", word())),
            1 => ("GET".to_owned(), format!("/v1/conditions/{}", word())),
            2 => ("GET".to_owned(), format!("/v1/findings/{}?{}={}", word(), word(), word())),
            3 => ("GET".to_owned(), format!("/v1/sources/{}%2F{}", word(), word())),
            4 => (format!("X{}", word()), "/v1/conditions".to_owned()),
            5 => (format!("X{}", word()), format!("/{}/{}", word(), word())),
            6 => ("GET".to_owned(), format!("/docs/{}", word())),
            _ => ("POST".to_owned(), format!("/v1/{}/{}", word(), word())),
        };
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nX-Request-Id: {}\r\n\r\n",
            word(),
            word(),
            word()
        )
    };
    let first: Vec<String> = (0..8).map(&mut request).collect();
    answered(address, &first);
    let before = operations.series().await;
    let others: Vec<String> = (0..10_000).map(|number| request(number % 8)).collect();
    answered(address, &others);
    let after = operations.series().await;
    assert_eq!(after, before);
    assert!(
        operations.number(r#"coxa_requests_total{method="GET",route="none",status="404"}"#).await > 1000.0
    );
}

/// Sends requests over one connection, eight at a time, until each has an answer.
fn answered(address: SocketAddr, requests: &[String]) {
    let mut stream = TcpStream::connect(address).unwrap();
    for some in requests.chunks(8) {
        stream.write_all(some.concat().as_bytes()).unwrap();
        for _ in some {
            let head = head(&mut stream);
            assert!(head.starts_with("HTTP/1.1 4"), "{head}");
        }
    }
}

/// Reads one answer; its head.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase().replace("http/", "HTTP/");
    let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    head
}

#[tokio::test]
async fn clients_find_no_metrics_and_operations_find_nothing_else() {
    let (address, operations) = service();
    let (api, operations) = (Api::at(address), Operations::at(operations));
    let answer = api.get("/metrics").await;
    assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("unknown-route")));
    for path in ["/livez", "/readyz", "/version"] {
        let answer = operations.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body, api.read(path).await, "{path}");
    }
    for path in ["/", "/v1/conditions", "/v1/assessments", "/docs", "/openapi.json", "/metrics/x"] {
        let answer = operations.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
    let metrics = operations.get("/metrics").await;
    assert_eq!(metrics.headers()["cache-control"], "no-store");
    assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text;"));
    let posted = operations.http.post(format!("http://{}/metrics", operations.address)).send().await.unwrap();
    assert_eq!((posted.status().as_u16(), &posted.headers()["allow"]), (405, &"GET, HEAD".parse().unwrap()));
}

#[tokio::test]
async fn scrapes_and_probes_of_operations_are_not_counted_as_requests() {
    let (_, operations) = service();
    let operations = Operations::at(operations);
    for path in ["/livez", "/metrics", "/no-such-path"] {
        operations.get(path).await;
    }
    let series = operations.series().await;
    assert!(!series.iter().any(|name| name.starts_with("coxa_requests_total")), "{series:#?}");
}

#[tokio::test]
async fn two_services_in_one_process_count_apart() {
    let ((one, one_operations), (_, other_operations)) = (service(), service());
    Api::at(one).assess(&json!({ "age": 40 })).await;
    let level = r#"coxa_assessments_total{triage_level="routine"}"#;
    assert_eq!(Operations::at(one_operations).value(level).await, "1");
    assert_eq!(Operations::at(other_operations).value(level).await, "0");
}

#[tokio::test]
async fn operations_say_that_the_service_drains_and_end_with_it() {
    let served =
        Served::start(&[("COXA__OPERATIONS__LISTEN", "127.0.0.1:0"), ("COXA__SERVER__DRAIN_DELAY", "60")]);
    let operations = Operations::at(served.operations());
    assert_eq!(operations.get("/readyz").await.status(), 200);
    // What the process itself knows is there too.
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"] {
        assert!(operations.number(name).await > 0.0, "{name}");
    }
    assert_eq!(operations.value("coxa_log_lines_dropped_total").await, "0");
    served.signal("TERM");
    let mut status = operations.get("/readyz").await.status();
    while status == 200 {
        status = operations.get("/readyz").await.status();
    }
    assert_eq!(status, 503);
    assert_eq!(operations.get("/livez").await.status(), 200);
    assert_eq!(operations.get("/metrics").await.status(), 200);
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(1), "{log}");
}

#[test]
fn an_end_in_order_closes_the_listener_for_operations() {
    let served = Served::start(&[("COXA__OPERATIONS__LISTEN", "127.0.0.1:0")]);
    let operations = served.operations();
    assert!(TcpStream::connect(operations).is_ok());
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(TcpStream::connect(operations).is_err());
}

#[test]
fn an_address_for_operations_that_is_taken_stops_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = crate::binary::command(&["serve", "--listen", "127.0.0.1:0"]);
    let output = command.env("COXA__OPERATIONS__LISTEN", &address).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = crate::binary::text(&output.stderr);
    assert!(said.contains(&address) && said.contains("operations.listen"), "{said}");
}
