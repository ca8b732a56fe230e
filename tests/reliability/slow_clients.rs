//! Clients that are slow, go quiet or go away: each is let go within its limit.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    binary::Served,
    client::{Client, POST, SOON, connections, get, header, is_up, post, shared, until},
};

/// Limits of one to three seconds.
const QUICK: [(&str, &str); 4] = [
    ("COXA__SERVER__HEAD_TIMEOUT", "1"),
    ("COXA__SERVER__REQUEST_TIMEOUT", "2"),
    ("COXA__SERVER__IO_TIMEOUT", "3"),
    ("COXA__TELEMETRY__ACCESS_LOG", "false"),
];

/// Runs one client and sees that it is let go; what it was sent.
fn let_go(served: &Served, client: impl FnOnce(&mut Client) -> String) -> String {
    let mut connection = Client::connect(served.address).unwrap();
    let begin = Instant::now();
    let answer = client(&mut connection);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    answer
}

/// Checks the last of the answers, which has to be a 408 problem that closes the connection.
#[track_caller]
fn is_late(answers: &str, count: usize) {
    assert_eq!(answers.matches("HTTP/1.1 ").count(), count, "{answers}");
    let (_, last) = answers.rsplit_once("HTTP/1.1 ").unwrap();
    assert!(last.starts_with("408 Request Timeout\r\n"), "{answers}");
    let (head, body) = last.split_once("\r\n\r\n").unwrap();
    assert_eq!(header(head, "connection"), Some("close"), "{head}");
    assert_eq!(header(head, "content-type"), Some("application/problem+json"), "{head}");
    assert_eq!(header(head, "content-length"), Some(body.len().to_string().as_str()), "{head}");
    assert_eq!(header(head, "x-content-type-options"), Some("nosniff"), "{head}");
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["code"], "request-timeout");
    assert_eq!(header(head, "x-request-id"), problem["request_id"].as_str());
}

#[test]
fn a_client_that_is_slow_is_let_go_within_the_limit() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    let half = "GET /livez HTTP/1.1\r\nHost: a\r\nX-Half: ";
    thread::scope(|scope| {
        // Nothing was asked, so nothing is answered.
        scope.spawn(|| assert_eq!(let_go(&served, Client::rest), ""));
        scope.spawn(|| {
            is_late(
                &let_go(&served, |client| {
                    client.send(half).unwrap();
                    client.rest()
                }),
                1,
            );
        });
        scope.spawn(|| {
            is_late(
                &let_go(&served, |client| {
                    client.send(half).unwrap();
                    client.drip("a")
                }),
                1,
            );
        });
        // The second request on a connection is held to the same limits as the first.
        scope.spawn(|| {
            is_late(
                &let_go(&served, |client| {
                    assert_eq!(client.ask(&get("/livez")).unwrap().status, 200);
                    client.send(half).unwrap();
                    client.rest()
                }),
                1,
            );
        });
        scope.spawn(|| {
            is_late(
                &let_go(&served, |client| {
                    assert_eq!(client.ask(&post("{}")).unwrap().status, 200);
                    client.send(half).unwrap();
                    client.drip("a")
                }),
                1,
            );
        });
        // Half a head that came together with whole requests is held to the limit as well.
        for before in [
            get("/livez"),
            post("{}"),
            format!("{POST}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
            get("/livez").repeat(3),
        ] {
            for drips in [false, true] {
                let (served, before) = (&served, before.clone());
                scope.spawn(move || {
                    let count = before.matches("HTTP/1.1").count() + 1;
                    is_late(
                        &let_go(served, |client| {
                            client.send(&format!("{before}{half}")).unwrap();
                            if drips { client.drip("a") } else { client.rest() }
                        }),
                        count,
                    );
                });
            }
        }
        for second in [false, true] {
            for head in ["Content-Length: 999\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n3e7\r\n{"] {
                for drips in [false, true] {
                    let served = &served;
                    scope.spawn(move || {
                        is_late(
                            &let_go(served, |client| {
                                if second {
                                    assert_eq!(client.ask(&get("/livez")).unwrap().status, 200);
                                }
                                client.send(&format!("{POST}{head}")).unwrap();
                                if drips { client.drip(" ") } else { client.rest() }
                            }),
                            1,
                        );
                    });
                }
            }
        }
    });
    is_up(served.address);
}

#[test]
fn a_body_that_is_refused_early_does_not_hold_its_connection() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    let chunked = "Transfer-Encoding: chunked\r\n\r\n5\r\n{";
    let length = "Content-Length: 999\r\n\r\n{";
    let heads = [
        ("POST /v1/assessments HTTP/1.1\r\nHost: a\r\n", "415"),
        ("POST /nothing HTTP/1.1\r\nHost: a\r\n", "404"),
        ("DELETE /v1/assessments HTTP/1.1\r\nHost: a\r\n", "405"),
        ("POST /v1/assessments HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n", "406"),
        ("GET /livez HTTP/1.1\r\nHost: a\r\n", "200"),
    ];
    thread::scope(|scope| {
        for (head, status) in heads {
            for rest in [chunked, length] {
                let served = &served;
                scope.spawn(move || {
                    let answer = let_go(served, |client| {
                        client.send(&format!("{head}{rest}")).unwrap();
                        client.drip(" ")
                    });
                    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
                    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
                    assert!(answer.contains("connection: close\r\n"), "{answer}");
                });
            }
        }
    });
}

#[test]
fn a_connection_is_kept_after_a_body_in_chunks_that_was_read() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    let mut client = Client::connect(served.address).unwrap();
    for body in ["2\r\n{}\r\n0\r\n\r\n", "3\r\n[1]\r\n0\r\n\r\n", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"] {
        let answer = client.ask(&format!("{POST}Transfer-Encoding: chunked\r\n\r\n{body}")).unwrap();
        assert!(answer.status == 200 || answer.status == 422, "{answer:?}");
        assert_eq!(header(&answer.head, "connection"), None, "{answer:?}");
    }
}

#[test]
fn a_connection_is_kept_beyond_the_limit_for_heads_where_no_head_has_begun() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    thread::scope(|scope| {
        for before in [
            get("/livez"),
            get("/livez").repeat(3),
            post("{}"),
            // An empty line after a body is no begin of a request.
            format!("{}\r\n", post("{}")),
            format!("{POST}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        ] {
            let served = &served;
            scope.spawn(move || {
                let mut client = Client::connect(served.address).unwrap();
                client.send(&before).unwrap();
                client.stays_open(before.matches("HTTP/1.1").count(), Duration::from_secs(3));
                assert_eq!(client.ask(&get("/livez")).unwrap().status, 200, "{before}");
            });
        }
    });
}

#[test]
fn a_client_that_takes_no_answers_is_let_go() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    let mut client = Client::connect(served.address).unwrap();
    // More than the buffers of both sockets hold: 16 answers are made in advance, so asking goes on until it stalls.
    // A send that fails is the end of the connection; one that stalls is ended by it.
    while client.send(&get("/v1/conditions?limit=1000")).is_ok() {}
    until("it is let go", || connections(served.address) == 0);
    is_up(served.address);
}

#[test]
fn a_client_that_takes_an_answer_drop_by_drop_is_let_go() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    let mut client = Client::connect_small(served.address).unwrap();
    client.send(&get("/openapi.json")).unwrap();
    client.wait();
    client.sip_until(|| connections(served.address) == 0);
    is_up(served.address);
}

#[test]
fn a_client_that_takes_a_large_answer_slowly_gets_all_of_it() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    let whole = Client::once(served.address, &get("/openapi.json")).unwrap();
    let mut client = Client::connect_small(served.address).unwrap();
    let begin = Instant::now();
    client.send(&get("/openapi.json")).unwrap();
    let slow = client.answer_slowly(Duration::from_millis(10)).unwrap();
    assert!(begin.elapsed() > Duration::from_secs(3), "{:?}", begin.elapsed());
    assert_eq!((slow.status, slow.body), (200, whole.body));
}

#[test]
fn a_client_that_has_said_its_last_does_not_hold_its_connection() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    let last = get("/livez").replace("Host", "Connection: close\r\nHost");
    for asked in [
        // What comes behind the last request is not answered.
        format!("{last}{}", get("/livez")),
        format!("{last}{}", get("/livez").repeat(20)),
        format!("{}{last}", get("/livez")),
        get("/livez").repeat(3),
        format!("{}{POST}Content-Length: 9\r\n\r\n{{", get("/livez")),
        format!("{POST}Transfer-Encoding: chunked\r\n\r\n5\r\n{{"),
        "GET /livez HTTP/1.1\r\nHost: a\r\nX-Half: ".to_owned(),
        String::new(),
    ] {
        let mut client = Client::connect(served.address).unwrap();
        client.send(&asked).unwrap();
        client.shut();
        until(&asked, || connections(served.address) == 0);
    }
    is_up(served.address);
}

#[test]
fn the_listener_for_operations_has_limits_as_well() {
    let _machine = shared();
    let served = Served::start(&[&QUICK[..], &[("COXA__OPERATIONS__LISTEN", "127.0.0.1:0")]].concat());
    let address = served.operations();
    for before in [0, 1] {
        let mut client = Client::connect(address).unwrap();
        for _ in 0..before {
            assert_eq!(client.ask(&get("/metrics")).unwrap().status, 200);
        }
        let begin = Instant::now();
        client.send("GET /metrics HTTP/1.1\r\nHost: a\r\nX-Half: ").unwrap();
        is_late(&client.drip("a"), 1);
        assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    }
    assert_eq!(Client::once(address, &get("/metrics")).unwrap().status, 200);
}

#[test]
fn clients_that_break_off_leave_nothing_behind() {
    let _machine = shared();
    let served = Served::start(&QUICK);
    for round in 0..100 {
        let mut client = Client::connect(served.address).unwrap();
        client.send(&get("/livez")).unwrap();
        client.wait();
        // The answer is never read, so closing resets the connection in the middle of the next request.
        let rest = match round % 3 {
            0 => "GET /livez HT".to_owned(),
            1 => format!("{POST}Content-Length: 99\r\n\r\n{{"),
            _ => format!("{POST}Transfer-Encoding: chunked\r\n\r\n5\r\n{{"),
        };
        let _ = client.send(&rest);
    }
    until("all are gone", || connections(served.address) == 0);
    is_up(served.address);
}
