//! The end of the service, however clients behave meanwhile.

use std::time::Instant;

use crate::{
    binary::Served,
    client::{Client, POST, SOON, connections, get, header, post, shared, until},
};

/// Clients that ask for nothing to its end: half heads and stalled bodies, on new connections and on used ones.
fn stalled(served: &Served) -> Vec<Client> {
    let clients: Vec<Client> = (0..100)
        .map(|number| {
            let mut client = Client::connect(served.address).unwrap();
            if number % 4 < 2 {
                assert_eq!(client.ask(&get("/livez")).unwrap().status, 200);
            }
            let half =
                if number % 2 == 0 { POST.to_owned() } else { format!("{POST}Content-Length: 99\r\n\r\n{{") };
            client.send(&half).unwrap();
            client
        })
        .collect();
    until("all are connected", || connections(served.address) >= 100);
    clients
}

#[test]
fn clients_that_stall_do_not_hold_up_the_end() {
    let _machine = shared();
    for signal in ["TERM", "INT"] {
        // Without a limit on the end, they would be there for the minute that each may take.
        let served = Served::start(&[
            ("COXA__SERVER__HEAD_TIMEOUT", "60"),
            ("COXA__SERVER__REQUEST_TIMEOUT", "60"),
            ("COXA__SERVER__IO_TIMEOUT", "61"),
            ("COXA__SERVER__SHUTDOWN_TIMEOUT", "2"),
            ("COXA__TELEMETRY__ACCESS_LOG", "false"),
        ]);
        let clients = stalled(&served);
        let begin = Instant::now();
        served.signal(signal);
        let (status, _, log) = served.end();
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
        assert!(begin.elapsed() < SOON, "{signal}: {:?}", begin.elapsed());
        drop(clients);
    }
}

#[test]
fn idle_connections_do_not_hold_up_the_end_and_requests_in_flight_are_finished_by_either_signal() {
    let _machine = shared();
    for signal in ["TERM", "INT"] {
        let served = Served::start(&[("COXA__SERVER__SHUTDOWN_TIMEOUT", "60")]);
        let mut idle: Vec<Client> = (0..20).map(|_| Client::connect(served.address).unwrap()).collect();
        for client in &mut idle {
            assert_eq!(client.ask(&get("/livez")).unwrap().status, 200);
        }
        let mut busy = Client::connect(served.address).unwrap();
        busy.send(&format!("{POST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")).unwrap();
        // The interim answer shows that the request was taken up.
        busy.wait();
        let begin = Instant::now();
        served.signal(signal);
        for client in &mut idle {
            assert_eq!(client.rest(), "", "{signal}");
        }
        busy.send("{}").unwrap();
        let answers = busy.rest();
        let (_, answer) = answers.rsplit_once("HTTP/1.1 ").unwrap();
        assert!(answer.starts_with("200 OK\r\n"), "{signal}: {answers}");
        assert_eq!(header(answer, "connection"), Some("close"), "{signal}: {answers}");
        let (status, _, log) = served.end();
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
        assert!(begin.elapsed() < SOON, "{signal}: {:?}", begin.elapsed());
    }
}

#[test]
fn a_second_signal_ends_it_at_once_while_clients_stall() {
    let _machine = shared();
    for signals in [["TERM", "TERM"], ["TERM", "INT"], ["INT", "INT"]] {
        let served = Served::start(&[
            ("COXA__SERVER__HEAD_TIMEOUT", "60"),
            ("COXA__SERVER__REQUEST_TIMEOUT", "60"),
            ("COXA__SERVER__IO_TIMEOUT", "61"),
            ("COXA__SERVER__SHUTDOWN_TIMEOUT", "60"),
            ("COXA__TELEMETRY__ACCESS_LOG", "false"),
        ]);
        let clients = stalled(&served);
        let mut idle = Client::connect(served.address).unwrap();
        assert_eq!(idle.ask(&get("/livez")).unwrap().status, 200);
        let begin = Instant::now();
        served.signal(signals[0]);
        // An idle connection that is closed shows that the first signal was taken.
        assert_eq!(idle.rest(), "");
        served.signal(signals[1]);
        let (status, _, log) = served.end();
        assert_eq!(status.code(), Some(1), "{signals:?}: {log}");
        assert!(log.contains("second signal"), "{signals:?}: {log}");
        assert!(begin.elapsed() < SOON, "{signals:?}: {:?}", begin.elapsed());
        drop(clients);
    }
}

#[test]
fn while_it_is_drained_it_takes_requests_on_new_and_on_used_connections() {
    let _machine = shared();
    let served = Served::start(&[("COXA__SERVER__DRAIN_DELAY", "2")]);
    let mut used = Client::connect(served.address).unwrap();
    assert_eq!(used.ask(&get("/readyz")).unwrap().status, 200);
    served.signal("TERM");
    until("/readyz says so", || Client::once(served.address, &get("/readyz")).unwrap().status == 503);
    assert_eq!(used.ask(&post("{}")).unwrap().status, 200);
    assert_eq!(used.ask(&get("/livez")).unwrap().status, 200);
    assert_eq!(Client::once(served.address, &post("{}")).unwrap().status, 200);
    // Then the connection is closed between two requests and not in one.
    assert_eq!(used.rest(), "");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
}
