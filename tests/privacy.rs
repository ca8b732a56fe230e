//! What the service keeps to itself: nothing that a client sends leaves the process, other than in its answer.
//!
//! The real binary runs at the most talkative level and is sent requests with a canary in each place where a client can
//! put text. `.ci/privacy.py` watches the system calls of the same service: which files it opens, whom it calls.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::Duration,
};

use actix_web::{HttpServer, web};
use coxa::{
    api::{
        self, BodyLimit, Draining, EnvelopeSettings, Knowledge, LiveKnowledge, Metrics, Observers, Parts,
        RouteTable,
        access::{Access, AccessRules},
    },
    catalogue::{Catalogue, embedded},
    hardening::harden,
    settings::{Overrides, Settings},
    telemetry,
};
use serde_json::{Map, Value, json};

/// What every canary begins with; no text of the service holds it.
const CANARY: &str = "zqxjv";

/// Names this process as the service of a test, not as the test itself.
const SERVICE_ROLE: &str = "PANICKING_SERVICE";

/// The most talkative logs in a format.
fn talkative(format: &str) -> [(&'static str, String); 4] {
    [
        ("COXA__TELEMETRY__LOG_LEVEL", "trace".into()),
        ("COXA__TELEMETRY__LOG_FORMAT", format.into()),
        ("RUST_LOG", "trace".into()),
        ("RUST_BACKTRACE", "full".into()),
    ]
}

/// A service as a process of its own; it ends with the test.
struct Served {
    child: Child,
    address: SocketAddr,
    /// Reads the log to its end: a service whose log nobody reads stands still once the pipe is full.
    log: Option<thread::JoinHandle<String>>,
}

impl Served {
    /// Starts a command that serves, and reads its log as far as the start line.
    fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let address = loop {
            let begin = log.len();
            assert!(stderr.read_line(&mut log).unwrap() > 0, "the service ended before it listened: {log}");
            if let Some((_, rest)) = log[begin..].split_once("listening on http://") {
                break rest.split([',', '/', '"']).next().unwrap().parse().unwrap();
            }
        };
        let log = thread::spawn(move || {
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        Self { child, address, log: Some(log) }
    }

    /// Ends it by a signal; how it ended, and all that it wrote to standard error and standard output.
    fn end_by(mut self, signal: &str) -> (ExitStatus, String) {
        kill(self.child.id(), signal);
        let mut log = self.log.take().unwrap().join().unwrap();
        self.child.stdout.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap(), log)
    }
}

/// Sends a signal by its name.
fn kill(process: u32, signal: &str) {
    let kill = format!("kill -{signal} {process}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already, unless the test failed half-way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary on a free port, without the settings of the caller.
fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coxa"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COXA_") {
            command.env_remove(name);
        }
    }
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

/// A request as it goes over the wire.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn new(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !headers.iter().any(|(name, _)| *name == "Content-Length") {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        Self { head, body }
    }

    fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", path, &[("Content-Type", "application/json")], body)
    }

    /// Head and body of the answer.
    fn send(&self, address: SocketAddr) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(self.head.as_bytes()).unwrap();
        // A body that is refused by its head may meet a closed connection.
        let _ = stream.write_all(&self.body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let end =
            answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
        let body = answer.split_off(end);
        (String::from_utf8_lossy(&answer).into_owned(), body)
    }
}

/// The requests that the document's examples come from, each with its path.
fn examples() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/examples");
    let mut examples = Vec::new();
    for (kind, path) in [
        ("assessments", Some("/v1/assessments")),
        ("escalation", None),
        ("return-to-run", Some("/v1/return-to-run")),
    ] {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder.join(kind)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let example: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            let path = path.unwrap_or_else(|| example["path"].as_str().unwrap()).to_owned();
            examples.push((path, example["request"].clone()));
        }
    }
    assert!(examples.len() > 20, "{}", examples.len());
    examples
}

/// Copies of a tree, each with one slip in it: another text for a text, a text for anything else, one more member.
fn slips(tree: &Value, text: &str) -> Vec<Value> {
    match tree {
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert(text.to_owned(), json!(text));
            let inner = members.iter().flat_map(|(name, inner)| {
                slips(inner, text).into_iter().map(|slip| {
                    let mut changed: Map<String, Value> = members.clone();
                    changed.insert(name.clone(), slip);
                    Value::Object(changed)
                })
            });
            inner.chain([Value::Object(more), json!(text)]).collect()
        }
        Value::Array(items) => {
            let inner = items.iter().enumerate().flat_map(|(place, inner)| {
                slips(inner, text).into_iter().map(move |slip| {
                    let mut changed = items.clone();
                    changed[place] = slip;
                    Value::Array(changed)
                })
            });
            inner.chain([json!(text)]).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            vec![json!(text), json!([text]), json!({ text: text })]
        }
    }
}

/// Requests with a canary of its own in each place where a client can put text.
fn corpus() -> Vec<Request> {
    let mut corpus = Vec::new();
    let mut count = 0;
    let mut canary = || {
        count += 1;
        format!("{CANARY}{count}")
    };
    for (path, example) in examples() {
        // As it is: the ids of symptoms are secrets too.
        corpus.push(Request::post(&path, example.to_string()));
        for slip in slips(&example, &canary()) {
            corpus.push(Request::post(&path, slip.to_string()));
        }
        let mut broken = example.to_string();
        broken.truncate(broken.len() / 2);
        broken.push_str(&canary());
        corpus.push(Request::post(&path, broken));
    }
    for body in [
        canary().into_bytes(),
        format!("\"{}\u{0}\u{1b}[31m\\u2028\"", canary()).into_bytes(),
        [b"{\"present\":[\"\xff\xfe", canary().as_bytes(), b"\"]}"].concat(),
        format!("{{\"{0}\":1,\"{0}\":2}}", canary()).into_bytes(),
        format!("{}{}", "[".repeat(200), canary()).into_bytes(),
        canary().repeat(8000).into_bytes(),
    ] {
        corpus.push(Request::post("/v1/assessments", body));
    }
    for media_type in ["text/plain", "application/x-www-form-urlencoded", &canary()] {
        corpus.push(Request::new("POST", "/v1/assessments", &[("Content-Type", media_type)], canary()));
    }
    let long = [("Content-Type", "application/json"), ("Content-Length", "99999")];
    corpus.push(Request::new("POST", "/v1/assessments", &long, canary()));
    for path in [
        "/C",
        "/v1/conditions/C",
        "/v1/conditions/C/escalation",
        "/v1/findings/C%00%0a",
        "/v1/findings/C%0aFAKE%20line",
        "/v1/findings?q=C",
        "/v1/findings?C=C",
        "/v1/conditions?location=C&limit=C&urgency=C",
        "/v1/red-flags?condition=C",
        "/docs/C",
        "/problems/C",
        "/livez?C",
        "/v1/findings/fever",
        "/v1/conditions?location=loc-groin",
    ] {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "DELETE", &canary().to_uppercase()] {
            corpus.push(Request::new(method, &path.replace('C', &canary()), &[], ""));
        }
    }
    for name in [
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "If-None-Match",
        "User-Agent",
        "Authorization",
        "X-Api-Key",
        "Cookie",
        "Referer",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "Traceparent",
        "Idempotency-Key",
        "Expect",
        &canary(),
    ] {
        for value in ["C", "Bearer C", "\"C\"", "C/C;q=C", "\u{1b}[2JC", "C\u{2028}C"] {
            let value = value.replace('C', &canary());
            corpus.push(Request::new("GET", "/v1/conditions", &[(name, &value)], ""));
        }
    }
    // A plain request id is kept on purpose, so that a line can be found again; any other is replaced.
    for value in ["C C", "C%0d%0aFAKE", "C\u{1b}[2J", "C/C", "C\u{2028}"] {
        let value = value.replace('C', &canary());
        corpus.push(Request::new("GET", "/livez", &[("X-Request-Id", &value)], ""));
    }
    corpus
}

/// Ids of findings and conditions, apart from words of one syllable that a log line may hold by itself.
fn ids() -> BTreeSet<String> {
    let catalogue = Catalogue::compile(&embedded()).unwrap();
    let findings = catalogue.findings().iter().map(|finding| finding.id.to_string());
    let conditions = catalogue.conditions().iter().map(|condition| condition.id.to_string());
    findings.chain(conditions).filter(|id| id != "other").collect()
}

/// Fails where a log holds a canary, an id of the catalogue, or a character that steers a terminal.
fn check_silent(log: &str) {
    assert!(!log.to_lowercase().contains(CANARY), "a canary in the log: {log}");
    let words: BTreeSet<&str> =
        log.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').collect();
    for id in ids() {
        assert!(!words.contains(id.as_str()), "`{id}` in the log: {log}");
    }
    assert!(log.chars().all(|letter| letter == '\n' || !letter.is_control()), "{log:?}");
}

#[test]
fn no_log_line_at_the_most_talkative_level_holds_anything_that_a_client_sent() {
    let corpus = corpus();
    println!("figure canaries: {} requests, in 2 formats: 0 words of them in a log", corpus.len());
    for format in ["text", "json"] {
        let mut command = binary();
        command.envs(talkative(format));
        let served = Served::start(command);
        for request in &corpus {
            let (head, _) = request.send(served.address);
            assert!(head.starts_with("HTTP/1.1 "), "{}: {head}", request.head);
            assert!(!head.starts_with("HTTP/1.1 5"), "{}: {head}", request.head);
        }
        let (status, log) = served.end_by("TERM");
        assert_eq!(status.code(), Some(0), "{log}");
        check_silent(&log);
        // What is broken below HTTP is no request; everything else leaves one line.
        let requests = log.lines().filter(|line| line.contains("http.status")).count();
        assert!(requests > corpus.len() * 9 / 10, "{requests} lines of {} requests: {log}", corpus.len());
        if format == "json" {
            for line in log.lines() {
                assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
            }
        }
    }
}

#[test]
fn what_looks_like_an_address_or_a_template_is_never_followed_nor_said_back() {
    let served = Served::start(binary());
    for text in [
        "http://evil.example/zqxjv",
        "file:///etc/passwd",
        "gopher://evil.example:25/_zqxjv",
        "\\\\evil.example\\share",
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>&e;",
        "{{9377*9973}}${9377*9973}#{9377*9973}",
        "../../../../etc/passwd",
    ] {
        for (path, example) in examples() {
            let answers =
                slips(&example, text).into_iter().map(|slip| Request::post(&path, slip.to_string()));
            for request in answers {
                let (head, body) = request.send(served.address);
                let body = String::from_utf8_lossy(&body);
                assert!(head.starts_with("HTTP/1.1 422 "), "{text}: {head}{body}");
                assert!(!body.contains("root:") && !body.contains("93516821"), "{body}");
            }
        }
    }
    for header in ["X-Forwarded-Host", "Forwarded", "X-Original-Url", "X-Forwarded-Proto", "Origin"] {
        let value = if header == "Forwarded" { "host=evil.example" } else { "evil.example" };
        for path in ["/", "/v1/conditions", "/v1/conditions/gone", "/docs", "/readyz"] {
            let (head, body) = Request::new("GET", path, &[(header, value)], "").send(served.address);
            assert!(!format!("{head}{}", String::from_utf8_lossy(&body)).contains("evil"), "{path}: {head}");
        }
    }
}

/// A service whose handler panics with what a client sent in its words.
fn serve_panicking() {
    let settings = Settings::read(
        &Overrides::default(),
        talkative("text").map(|(name, value)| (name.to_owned(), value)),
    )
    .unwrap();
    let _outlets = telemetry::start(&settings.telemetry).ok().unwrap();
    harden().unwrap();
    let parts = Parts {
        knowledge: LiveKnowledge::new(Knowledge::compile(&embedded()).unwrap()),
        access: web::Data::new(Access::new(AccessRules::default())),
        body_limit: BodyLimit(32768),
        envelope: EnvelopeSettings { request_timeout: Duration::from_secs(10), hsts_seconds: 0 },
        observers: Observers { access_log: true, metrics: Metrics::new(Vec::new()), spans: None },
        table: web::Data::new(RouteTable::new()),
        draining: Draining(Arc::new(AtomicBool::new(false))),
    };
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(move || {
            api::app(parts.clone())
                .route("/words", web::post().to(words))
                .route("/piece", web::post().to(piece))
        });
        let server = server.workers(1).bind("127.0.0.1:0").unwrap();
        eprintln!("listening on http://{}/", server.addrs()[0]);
        server.run().await.unwrap();
    });
}

async fn words(body: String) -> String {
    panic!("cannot go on with {body}")
}

/// The standard library puts the text into the words of this panic by itself.
async fn piece(body: String) -> String {
    let half = body.len() / 2;
    body[..half].to_owned()
}

#[test]
fn a_panic_over_what_a_client_sent_leaves_its_place_in_the_log_and_none_of_its_words() {
    if std::env::var_os(SERVICE_ROLE).is_some() {
        serve_panicking();
        return;
    }
    let name = "a_panic_over_what_a_client_sent_leaves_its_place_in_the_log_and_none_of_its_words";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(SERVICE_ROLE, "yes").envs(talkative("text"));
    let served = Served::start(command);
    let text = format!("{CANARY}\u{e9}{CANARY}");
    for path in ["/words", "/piece"] {
        let (head, body) =
            Request::new("POST", path, &[("Content-Type", "text/plain")], text.clone()).send(served.address);
        assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], "internal-error", "{problem}");
        assert!(!problem.to_string().contains(CANARY), "{problem}");
    }
    let (head, _) = Request::new("GET", "/livez", &[], "").send(served.address);
    assert!(head.starts_with("HTTP/1.1 200 "), "the service does not outlive a panic: {head}");
    let (_, log) = served.end_by("TERM");
    assert_eq!(log.matches("tests/privacy.rs").count(), 2, "each panic says its place once: {log}");
    check_silent(&log.replace('\t', " "));
}

#[test]
fn a_process_that_is_aborted_leaves_no_core_file() {
    let folder = tempfile::tempdir().unwrap();
    // A caller who wants core files, as far as the system lets him.
    let serve = binary();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -S -c unlimited 2>/dev/null; exec \"$@\"", "sh"]).arg(serve.get_program());
    shell.args(serve.get_args()).current_dir(folder.path());
    let served = Served::start(shell);
    let limits = fs::read_to_string(format!("/proc/{}/limits", served.child.id())).ok();
    let (status, _) = served.end_by("ABRT");
    assert_eq!(status.signal(), Some(6), "{status}");
    assert!(!status.core_dumped(), "{status}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a file was left behind");
    // Also where the limit of the caller was 0 already, the process must have set its own.
    if let Some(limits) = limits {
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let values: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
        assert_eq!(values, ["0", "0"], "{core}");
    }
}

/// A tree with the members of every object, and the findings of every list, in the opposite order.
fn turned_round(tree: &Value) -> Value {
    match tree {
        Value::Object(members) => {
            let turned = members.iter().rev().map(|(name, inner)| {
                let mut inner = turned_round(inner);
                if let (Value::Array(items), "present" | "absent" | "unknown") = (&mut inner, name.as_str()) {
                    items.reverse();
                }
                (name.clone(), inner)
            });
            Value::Object(turned.collect())
        }
        Value::Array(items) => items.iter().map(turned_round).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => tree.clone(),
    }
}

#[test]
fn two_processes_in_unlike_surroundings_answer_a_request_in_any_order_with_the_same_bytes() {
    let mut plain = binary();
    plain.env_clear().env("COXA__SERVER__WORKERS", "1");
    let mut odd = binary();
    odd.envs([
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LANG", "tr_TR.UTF-8"),
        ("TZ", "Asia/Kathmandu"),
        ("HOME", "/nowhere"),
    ])
    .env("COXA__SERVER__WORKERS", "4")
    .current_dir("/");
    let (plain, odd) = (Served::start(plain), Served::start(odd));
    for (path, example) in examples() {
        let (head, expected) = Request::post(&path, example.to_string()).send(plain.address);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let turned = turned_round(&example);
        for body in [example.to_string(), turned.to_string(), serde_json::to_string_pretty(&turned).unwrap()]
        {
            let (_, answer) = Request::post(&path, body.clone()).send(odd.address);
            assert_eq!(
                String::from_utf8_lossy(&answer),
                String::from_utf8_lossy(&expected),
                "{path}: {body}"
            );
        }
    }
    let (head, _) = Request::new("GET", "/v1/conditions", &[], "").send(plain.address);
    let (other, _) = Request::new("GET", "/v1/conditions", &[], "").send(odd.address);
    let tag = |head: &str| head.lines().find(|line| line.starts_with("etag:")).unwrap().to_owned();
    assert_eq!(tag(&head), tag(&other));
    println!(
        "figure determinism: {} requests in 3 spellings over 2 processes: the same bytes",
        examples().len()
    );
}
