//! Behind nginx: a rolling restart, and the ways to frame a request; these behind HAProxy too. Where the proxy is not
//! installed, each says so.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use tempfile::TempDir;

use crate::{
    binary::{Served, command},
    client::{CASE, Client, get, header, post, shared, until},
    framing::{QUICK, cases, exchange, statuses},
};

/// A proxy in front of two replicas; it ends with the test.
struct Proxy {
    child: Child,
    address: SocketAddr,
    home: TempDir,
}

impl Proxy {
    /// None where nginx is not installed.
    fn nginx(one: SocketAddr, other: SocketAddr) -> Option<Self> {
        Self::start("nginx", include_str!("nginx.conf"), one, other, |command, home| {
            command.arg("-p").arg(home).arg("-e").arg(home.join("error.log"));
            command.arg("-c").arg(home.join("configuration")).args(["-g", "daemon off;"]);
        })
    }

    /// None where HAProxy is not installed.
    fn haproxy(one: SocketAddr, other: SocketAddr) -> Option<Self> {
        Self::start("haproxy", include_str!("haproxy.cfg"), one, other, |command, home| {
            command.arg("-db").arg("-f").arg(home.join("configuration"));
        })
    }

    fn start(
        program: &str,
        configuration: &str,
        one: SocketAddr,
        other: SocketAddr,
        arguments: impl FnOnce(&mut Command, &Path),
    ) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let address = free_address();
        let configuration = configuration
            .replace("HOME", home.path().to_str().unwrap())
            .replace("ONE", &one.to_string())
            .replace("OTHER", &other.to_string())
            .replace("LISTEN", &address.to_string());
        fs::write(home.path().join("configuration"), configuration).unwrap();
        let mut command = Command::new(program);
        arguments(&mut command, home.path());
        let Ok(child) = command.stdin(Stdio::null()).spawn() else {
            println!("SKIPPED: {program} is not installed (Debian packages nginx-light and haproxy)");
            return None;
        };
        let proxy = Self { child, address, home };
        until("the proxy answers", || {
            Client::once(address, &get("/readyz")).is_ok_and(|answer| answer.status == 200)
        });
        Some(proxy)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its worker ends with it, in order.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// An address that is free now. A replica that is restarted needs one that stays the same.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn replica(address: SocketAddr) -> Served {
    let mut command = command(&["serve", "--listen", &address.to_string()]);
    command
        .env("COXA__SERVER__DRAIN_DELAY", "1")
        .env("COXA__SERVER__MAX_QUEUE_DELAY", "0")
        .env("COXA__TELEMETRY__ACCESS_LOG", "false");
    Served::start_by(command)
}

#[test]
fn no_request_fails_while_two_replicas_behind_nginx_are_restarted_in_turn() {
    let _machine = shared();
    let addresses = [free_address(), free_address()];
    let mut replicas = addresses.map(|address| Some(replica(address)));
    let Some(proxy) = Proxy::nginx(addresses[0], addresses[1]) else { return };
    let (over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let load = |kept: bool| {
            let (over, sent, proxy) = (&over, &sent, &proxy);
            move || {
                let mut failures = Vec::new();
                let mut client = None;
                while !over.load(Ordering::Relaxed) {
                    for request in [post(CASE), get("/v1/conditions?limit=3"), get("/livez")] {
                        let mut asked = match client.take() {
                            Some(client) => client,
                            None => Client::connect(proxy.address).unwrap(),
                        };
                        match asked.ask(&request) {
                            Ok(answer) if answer.status == 200 => {
                                // nginx closes a connection after so many requests and says so.
                                if kept && header(&answer.head, "connection") != Some("close") {
                                    client = Some(asked);
                                }
                            }
                            Ok(answer) => failures.push(answer.status.to_string()),
                            Err(error) => failures.push(error.to_string()),
                        }
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                }
                failures
            }
        };
        let clients = [
            scope.spawn(load(true)),
            scope.spawn(load(true)),
            scope.spawn(load(false)),
            scope.spawn(load(false)),
        ];
        for (number, address) in addresses.into_iter().enumerate() {
            let before = sent.load(Ordering::Relaxed);
            until("there is load", || sent.load(Ordering::Relaxed) > before + 200);
            let stopped = replicas[number].take().unwrap();
            stopped.signal("TERM");
            let (status, _, log) = stopped.end();
            assert_eq!(status.code(), Some(0), "{log}");
            // Only one is left for a while.
            let before = sent.load(Ordering::Relaxed);
            until("there is load", || sent.load(Ordering::Relaxed) > before + 200);
            replicas[number] = Some(replica(address));
        }
        let before = sent.load(Ordering::Relaxed);
        until("there is load", || sent.load(Ordering::Relaxed) > before + 200);
        over.store(true, Ordering::Relaxed);
        let failures: Vec<String> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        let log = fs::read_to_string(proxy.home.path().join("error.log")).unwrap_or_default();
        println!(
            "{} requests through a rolling restart, {} failed",
            sent.load(Ordering::Relaxed),
            failures.len()
        );
        assert!(failures.is_empty(), "{} failed, first {:?}\n{log}", failures.len(), failures.first());
    });
}

#[test]
fn no_framing_yields_a_second_answer_through_nginx_either() {
    nothing_is_smuggled_through(Proxy::nginx, &[]);
}

#[test]
fn no_framing_hides_a_request_from_haproxy() {
    nothing_is_smuggled_through(
        Proxy::haproxy,
        &[
            // It takes these for sound, and sends the service what they mean to it in a form of its own.
            "chunk-bare-line-feed",
            "coding-folded",
            "length-list",
            "two-lengths-that-agree",
            "version-unknown",
            // It goes on with its client after the service has refused the first request and closed their connection.
            "length-too-great",
            "no-host",
            "request-after-refused-chunks",
            "value-with-nul",
        ],
    );
}

/// Sends every case through a proxy. Each request that comes to the service has to be one that the proxy made: it marks
/// them, and what is smuggled in another bears no mark. In `second` the proxy itself takes the rest of the bytes for a
/// second request; in all others there is no further answer either.
fn nothing_is_smuggled_through(start: impl FnOnce(SocketAddr, SocketAddr) -> Option<Proxy>, second: &[&str]) {
    let _machine = shared();
    let served = Served::start(&QUICK);
    let Some(proxy) = start(served.address, served.address) else { return };
    let failures: Vec<String> = thread::scope(|scope| {
        let cases = cases();
        let runs: Vec<_> = cases
            .into_iter()
            .map(|case| {
                let address = proxy.address;
                // A proxy waits longer than the service for what does not come, so it is told that nothing will.
                scope.spawn(move || {
                    let answers = exchange(address, &case.bytes, true);
                    (case, answers)
                })
            })
            .collect();
        runs.into_iter()
            .filter_map(|run| {
                let (case, answers) = run.join().unwrap();
                let found = answers.as_deref().map(statuses);
                let is_second = second.contains(&case.name.as_str());
                let most = case.statuses.len() + usize::from(is_second);
                let fine = found.as_ref().is_some_and(|found| found.len() <= most)
                    && (is_second || !answers.as_deref().unwrap_or_default().contains("\"coxa\""));
                (!fine).then(|| format!("{}: {found:?}", case.name))
            })
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(Client::once(proxy.address, &post("{}")).unwrap().status, 200);
    drop(proxy);
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0));
    let mut requests = log.lines().filter(|line| line.contains(" request http.method=")).peekable();
    assert!(requests.peek().is_some(), "{log}");
    for request in requests {
        assert!(request.contains("request_id=\"proxy-"), "something was smuggled: {request}");
    }
}
