//! How many connections there are, and what they cost.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    binary::{Served, command},
    client::{Client, POST, connections, get, header, is_up, open_files, post, resident, shared, until},
};

#[test]
fn connections_over_the_cap_wait_and_all_is_well_once_they_are_gone() {
    let _machine = shared();
    let served = Served::start(&[
        ("COXA__SERVER__WORKERS", "2"),
        ("COXA__SERVER__MAX_CONNECTIONS", "40"),
        ("COXA__SERVER__HEAD_TIMEOUT", "60"),
        ("COXA__TELEMETRY__ACCESS_LOG", "false"),
    ]);
    let files = open_files(served.process());
    let mut clients: Vec<Client> = (0..240).map(|_| Client::connect(served.address).unwrap()).collect();
    until("the cap is reached", || connections(served.address) >= 40);
    // One that is served is served on, and one that waits is not answered while the others stay.
    assert_eq!(clients[0].ask(&post("{}")).unwrap().status, 200);
    // A worker that has just taken its last is only known to be full after that, and workers open files of their own.
    let most = open_files(served.process()) - files;
    assert!(most <= 60, "{most}");
    drop(clients);
    for _ in 0..100 {
        let answer = Client::once(served.address, &post("{}")).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    until("all are gone", || connections(served.address) == 0);
}

#[test]
fn idle_connections_make_room_for_new_ones_and_no_request_that_has_come_is_cut() {
    const CAP: usize = 40;
    let _machine = shared();
    let served = Served::start(&[
        ("COXA__SERVER__WORKERS", "2"),
        ("COXA__SERVER__MAX_CONNECTIONS", &CAP.to_string()),
        ("COXA__SERVER__MAX_QUEUE_DELAY", "0"),
        ("COXA__SERVER__REQUEST_TIMEOUT", "60"),
        ("COXA__SERVER__IO_TIMEOUT", "61"),
        ("COXA__TELEMETRY__ACCESS_LOG", "false"),
    ]);
    let files = open_files(served.process());
    let connect = || Client::connect(served.address).unwrap();
    let mut begun: Vec<Client> = (0..8).map(|_| connect()).collect();
    for client in &mut begun {
        assert_eq!(client.ask(&post("{}")).unwrap().status, 200);
        client.send(&format!("{POST}Content-Length: 2\r\n\r\n{{")).unwrap();
    }
    // Each of them stays and asks no more. Without room for it, one would not be answered before the others have been
    // idle for as long as they may, which is more than a client waits here.
    let mut idle: Vec<Client> = (0..5 * CAP).map(|_| connect()).collect();
    for (number, client) in idle.iter_mut().enumerate() {
        let answer = client.ask(&post("{}")).unwrap();
        assert_eq!((answer.status, header(&answer.head, "connection")), (200, None), "{number}: {answer:?}");
        let most = open_files(served.process()) - files;
        assert!(most <= CAP + 20, "{most}");
    }
    assert_eq!(idle[0].rest(), "");
    let last = idle.last_mut().unwrap();
    assert_eq!(last.ask(&post("{}")).unwrap().status, 200);
    for client in &mut begun {
        assert_eq!(client.ask("}").unwrap().status, 200);
    }
    drop((begun, idle));
    until("all are gone", || connections(served.address) == 0);
}

#[test]
fn without_free_files_it_waits_says_little_and_goes_on_once_there_are_some() {
    let _machine = shared();
    let mut limited = command(&[]);
    let binary = limited.get_program().to_owned();
    limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 64 && exec \"$0\" serve --listen 127.0.0.1:0"]).arg(binary);
    limited.stdin(std::process::Stdio::null());
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    limited.env("COXA__TELEMETRY__ACCESS_LOG", "false").env("COXA__SERVER__HEAD_TIMEOUT", "60");
    let served = Served::start_by(limited);
    let clients: Vec<Client> = (0..300).map(|_| Client::connect(served.address).unwrap()).collect();
    until("there are no free files", || open_files(served.process()) >= 63);
    drop(clients);
    for _ in 0..100 {
        assert_eq!(Client::once(served.address, &get("/livez")).unwrap().status, 200);
    }
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.lines().count() < 100, "{log}");
}

/// What each connection may cost by the settings, in KiB: a body, its bytes as they came, the buffers of a connection and
/// what the allocator has not given back yet.
const EACH: u64 = 2 * 32 + 40;

#[test]
fn who_asks_for_much_in_advance_and_takes_none_of_it_costs_no_more_memory_than_others() {
    const CONNECTIONS: usize = 100;
    let _machine = shared();
    let served = Served::start(&[
        ("COXA__SERVER__WORKERS", "2"),
        ("COXA__SERVER__IO_TIMEOUT", "60"),
        ("COXA__SERVER__MAX_QUEUE_DELAY", "0"),
        ("COXA__TELEMETRY__ACCESS_LOG", "false"),
    ]);
    let document = get("/openapi.json");
    // What is larger than the buffers of both sockets.
    assert!(Client::once(served.address, &document).unwrap().body.len() > 400_000);
    let before = resident(served.process());
    // As many requests as fit into what actix reads at once.
    for requests in [document.repeat(2), format!("{document}{}", get("/livez").repeat(4000))] {
        let mut clients: Vec<Client> =
            (0..CONNECTIONS).map(|_| Client::connect(served.address).unwrap()).collect();
        thread::scope(|scope| {
            for client in &mut clients {
                // Sending ends once there is no room left: that is no fault of the service.
                scope.spawn(|| client.send_within(&requests, Duration::from_secs(2)));
            }
        });
        for client in &clients {
            client.wait();
        }
        is_up(served.address);
        let peak = resident(served.process());
        assert!(peak.saturating_sub(before) <= CONNECTIONS as u64 * EACH, "{before} KiB, then {peak} KiB");
        drop(clients);
        until("all are gone", || connections(served.address) == 0);
    }
}

#[test]
fn memory_is_bounded_by_the_number_of_connections_and_is_given_back() {
    const CONNECTIONS: usize = 800;
    let _machine = shared();
    let served = Served::start(&[
        ("COXA__SERVER__WORKERS", "2"),
        ("COXA__SERVER__REQUEST_TIMEOUT", "30"),
        ("COXA__SERVER__IO_TIMEOUT", "31"),
        ("COXA__TELEMETRY__ACCESS_LOG", "false"),
    ]);
    for _ in 0..50 {
        assert_eq!(Client::once(served.address, &post("{}")).unwrap().status, 200);
    }
    let before = resident(served.process());
    let mut peaks = Vec::new();
    for round in 0..3 {
        let mut clients = stalled(&served, CONNECTIONS);
        peaks.push(resident(served.process()));
        // The body ends here, in another way each time: by its end, by a close.
        if round == 1 {
            for client in &mut clients {
                let answer = client.ask(&" ".repeat(2000)).unwrap();
                assert_eq!(answer.status, 400, "{answer:?}");
                assert_eq!(header(&answer.head, "connection"), None);
            }
        }
        drop(clients);
        until("all are gone", || connections(served.address) == 0);
    }
    let after = resident(served.process());
    for peak in peaks.iter().chain([&after]) {
        assert!(peak.saturating_sub(before) <= CONNECTIONS as u64 * EACH, "{before} KiB, then {peak} KiB");
        // What was used for the first is used for those that follow.
        assert!(*peak <= peaks[0] + peaks[0] / 4, "{peaks:?} KiB, then {after} KiB");
    }
    // Elsewhere the allocator of the system may keep it.
    if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")) {
        // What a worker keeps for the requests to come lies between what is given back, so not all of it is.
        let limit = before * 13 / 10;
        given_back(&served, limit);
        drop(stalled(&served, CONNECTIONS));
        given_back(&served, limit);
        println!(
            "figure memory: {CONNECTIONS} stalled bodies of 30 kB take {:.1} times the memory of the idle service, less than 1.3 \
             times within a minute after, and so again after as many more",
            *peaks.iter().max().unwrap() as f64 / before as f64,
        );
    }
}

/// Connects so many clients that stall in the middle of a body.
fn stalled(served: &Served, connections_wanted: usize) -> Vec<Client> {
    let clients: Vec<Client> = (0..connections_wanted)
        .map(|_| {
            let mut client = Client::connect(served.address).unwrap();
            client.send(&format!("{POST}Content-Length: 32000\r\n\r\n{}", " ".repeat(30_000))).unwrap();
            client
        })
        .collect();
    until("all are connected", || connections(served.address) >= connections_wanted);
    // The last of them are read after they were accepted.
    is_up(served.address);
    clients
}

/// Waits until no more than this is in use, in KiB, for a minute at the most.
fn given_back(served: &Served, limit: u64) {
    let begin = Instant::now();
    loop {
        let now = resident(served.process());
        if now <= limit {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "still {now} KiB, not {limit} KiB");
        thread::sleep(Duration::from_millis(100));
    }
}
