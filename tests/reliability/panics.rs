//! A handler that panics. None of the service's does, so one is added to it here.

use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool, mpsc},
    thread,
    time::Duration,
};

use actix_web::web;
use coxa::{
    api::{
        self, BodyLimit, Draining, EnvelopeSettings, Knowledge, LiveKnowledge, Metrics, Observers, Parts,
        RouteTable,
        access::{Access, AccessRules},
    },
    catalogue,
    server::{self, Capacity, Limits},
    settings::{Overrides, Settings},
    telemetry,
};
use serde_json::Value;

use crate::client::{Client, get, header, post, shared};

const CANARY: &str = "canaryfinch";
const CHILD: &str = "PANICKING_SERVICE";

async fn panicking(body: String) -> String {
    panic!("cannot make sense of {body}")
}

/// The service with one more handler, in a process of its own: what it says of a panic is part of what is tested.
#[test]
fn a_service_for_the_test_below() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let _outlets =
        telemetry::start(&Settings::read(&Overrides::default(), []).unwrap().telemetry).ok().unwrap();
    let parts = Parts {
        knowledge: LiveKnowledge::new(Knowledge::compile(&catalogue::embedded()).unwrap()),
        body_limit: BodyLimit(32768),
        access: web::Data::new(Access::new(AccessRules::default())),
        envelope: EnvelopeSettings { request_timeout: Duration::from_secs(10), hsts_seconds: 0 },
        observers: Observers { access_log: true, metrics: Metrics::new(Vec::new()), spans: None },
        table: web::Data::new(RouteTable::new()),
        draining: Draining(Arc::new(AtomicBool::new(false))),
    };
    let second = Duration::from_secs(1);
    let capacity = Capacity {
        workers: 2,
        max_connections: 1000,
        limits: Limits { head: 5 * second, answer: 12 * second, idle: 60 * second },
        max_queue_delay: None,
        shutdown_timeout: 1,
    };
    actix_web::rt::System::new().block_on(async {
        let refusals = parts.head_refusals();
        let app = move || api::app(parts.clone()).route("/panics/{id}", web::post().to(panicking));
        let (server, address) =
            server::listen(([127, 0, 0, 1], 0).into(), capacity, None, refusals, app).unwrap();
        eprintln!("address {address}");
        server.await.unwrap();
    });
}

#[test]
fn a_panic_is_answered_as_a_problem_closes_no_other_connection_and_says_nothing_of_the_request() {
    let _machine = shared();
    let mut service = Command::new(env::current_exe().unwrap())
        .args(["panics::a_service_for_the_test_below", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(service.stderr.take().unwrap());
    let mut line = String::new();
    let address: SocketAddr = loop {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "no service");
        if let Some(address) = line.strip_prefix("address ") {
            break address.trim().parse().unwrap();
        }
    };
    let panics = 50;
    let (told, all_told) = mpsc::channel();
    let log = thread::spawn(move || {
        let (mut log, mut answered) = (String::new(), 0);
        loop {
            let begin = log.len();
            if stderr.read_line(&mut log).unwrap() == 0 {
                return log;
            }
            answered += usize::from(log[begin..].contains("http.status=500"));
            if answered == panics {
                // Lines are written beside the requests: the service is ended once the last one is there.
                let _ = told.send(());
            }
        }
    });
    thread::scope(|scope| {
        // Opened before the first panic, and used throughout.
        for _ in 0..4 {
            let mut client = Client::connect(address).unwrap();
            assert_eq!(client.ask(&get("/livez")).unwrap().status, 200);
            scope.spawn(move || {
                for _ in 0..25 {
                    assert_eq!(client.ask(&post("{}")).unwrap().status, 200);
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..panics {
                let request = format!(
                    "POST /panics/{CANARY} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{CANARY}",
                    CANARY.len()
                );
                let answer = Client::once(address, &request).unwrap();
                assert_eq!(answer.status, 500, "{answer:?}");
                assert_eq!(header(&answer.head, "content-type"), Some("application/problem+json"));
                let problem: Value = serde_json::from_str(&answer.body).unwrap();
                assert_eq!(problem["code"], "internal-error");
                assert_eq!(header(&answer.head, "x-request-id"), problem["request_id"].as_str());
                assert!(!answer.body.contains(CANARY) && !answer.head.contains(CANARY), "{answer:?}");
            }
        });
    });
    let _ = all_told.recv_timeout(Duration::from_secs(20));
    service.kill().unwrap();
    service.wait().unwrap();
    let log = log.join().unwrap();
    assert!(!log.contains(CANARY), "{log}");
    assert_eq!(log.lines().filter(|line| line.contains("panics.rs:")).count(), panics, "{log}");
    assert_eq!(log.lines().filter(|line| line.contains("http.status=500")).count(), panics, "{log}");
}
