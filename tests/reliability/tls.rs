//! TLS in the process: what it speaks, what it refuses, and a certificate that is replaced under load.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::ring,
    pki_types::CertificateDer,
    version::{TLS12, TLS13},
};
use tempfile::TempDir;

use crate::{
    binary::{Served, command, run, text},
    client::{CASE, Client, POST, SOON, connections, get, header, post, shared, until},
};

/// A certificate of this host that nobody else has, with its key.
struct Pair {
    certificate: String,
    key: String,
    der: CertificateDer<'static>,
}

impl Pair {
    fn new() -> Self {
        Self::until(2040)
    }

    /// One that runs out when a year begins.
    fn until(year: i32) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        let made = parameters.self_signed(&key).unwrap();
        Self { certificate: made.pem(), key: key.serialize_pem(), der: made.der().clone() }
    }
}

/// The files that the settings name.
struct Files(TempDir);

impl Files {
    fn of(pair: &Pair) -> Self {
        let files = Self(TempDir::new().unwrap());
        files.write(&pair.certificate, &pair.key);
        files
    }

    fn certificate(&self) -> PathBuf {
        self.0.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    fn write(&self, certificate: &str, key: &str) {
        fs::write(self.certificate(), certificate).unwrap();
        fs::write(self.key(), key).unwrap();
    }

    fn serve(&self, more: &[(&str, &str)]) -> Served {
        let (certificate, key) = (self.certificate(), self.key());
        let ours = [
            ("COXA__TLS__CERTIFICATE_FILE", certificate.to_str().unwrap()),
            ("COXA__TLS__PRIVATE_KEY_FILE", key.to_str().unwrap()),
        ];
        Served::start(&[&ours, more].concat())
    }
}

type Secure = StreamOwned<ClientConnection, TcpStream>;

/// A client that trusts some certificates and nothing else.
fn config(
    trusted: &[&Pair],
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&str],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for pair in trusted {
        roots.add(pair.der.clone()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// Agrees on TLS; an error where that fails.
fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Secure> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    let client = ClientConnection::new(Arc::clone(config), "localhost".try_into().unwrap()).unwrap();
    let mut secure = StreamOwned::new(client, stream);
    while secure.conn.is_handshaking() {
        secure.conn.complete_io(&mut secure.sock)?;
    }
    Ok(secure)
}

fn usual(pair: &Pair) -> Arc<ClientConfig> {
    config(&[pair], &[&TLS13, &TLS12], &["http/1.1"])
}

fn client(address: SocketAddr, pair: &Pair) -> Client<Secure> {
    Client::over(connect(address, &usual(pair)).unwrap())
}

#[track_caller]
fn is_up(address: SocketAddr, pair: &Pair) {
    assert_eq!(client(address, pair).ask(&get("/livez")).unwrap().status, 200);
}

#[test]
fn answers_come_over_tls_1_2_and_1_3_and_by_http_1_1_alone() {
    let _machine = shared();
    let pair = Pair::new();
    let files = Files::of(&pair);
    let served = files.serve(&[]);
    for version in [&TLS12, &TLS13] {
        for (offered, agreed) in [
            (&["h2", "http/1.1"][..], Some(&b"http/1.1"[..])),
            (&["http/1.1"], Some(b"http/1.1")),
            (&[], None),
        ] {
            let secure = connect(served.address, &config(&[&pair], &[version], offered)).unwrap();
            assert_eq!(secure.conn.protocol_version(), Some(version.version));
            assert_eq!(secure.conn.alpn_protocol(), agreed);
            let mut client = Client::over(secure);
            for _ in 0..2 {
                let answer = client.ask(&post(CASE)).unwrap();
                assert_eq!(answer.status, 200, "{answer:?}");
                assert!(answer.body.contains("\"triage\""), "{answer:?}");
                assert_eq!(header(&answer.head, "strict-transport-security"), None);
                assert_eq!(client.ask(&get("/v1/conditions")).unwrap().status, 200);
            }
        }
        assert!(connect(served.address, &config(&[&pair], &[version], &["h2"])).is_err(), "HTTP/2 is spoken");
        // The client of these tests does look at the certificate.
        assert!(connect(served.address, &config(&[&Pair::new()], &[version], &[])).is_err());
    }
    let address = served.address.to_string();
    assert_eq!(run(&["healthcheck", &format!("https://{address}")]).status.code(), Some(0));
    assert_eq!(run(&["healthcheck", &format!("http://{address}")]).status.code(), Some(1));
    let mut of_the_settings = command(&["healthcheck", "--listen", &address]);
    of_the_settings.env("COXA__TLS__CERTIFICATE_FILE", files.certificate());
    of_the_settings.env("COXA__TLS__PRIVATE_KEY_FILE", files.key());
    assert_eq!(of_the_settings.status().unwrap().code(), Some(0));
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains(&format!("listening on https://{address}")), "{log}");
}

/// Sends bytes as they are and reads until the connection is closed.
fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let _ = stream.write_all(bytes);
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return read,
            Ok(count) => read.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return read,
            Err(error) => panic!("not closed: {error}"),
        }
    }
}

/// The first bytes that a client says.
fn hello(pair: &Pair) -> Vec<u8> {
    let mut client = ClientConnection::new(usual(pair), "localhost".try_into().unwrap()).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

#[test]
fn what_is_no_tls_is_closed_and_harms_nobody() {
    let _machine = shared();
    let pair = Pair::new();
    let files = Files::of(&pair);
    let served = files.serve(&[("COXA__SERVER__HEAD_TIMEOUT", "2")]);
    let hello = hello(&pair);
    let mut garbled: Vec<Vec<u8>> = vec![
        get("/version").into_bytes(),
        post(CASE).into_bytes(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"SSH-2.0-x\r\n".to_vec(),
        vec![0; 4096],
        vec![0xff; 70_000],
        // A record that says that it is longer than records are.
        [&[0x16, 3, 1, 0xff, 0xff][..], &[0; 70_000]].concat(),
        // A message of a handshake that says that it is 16 MiB long.
        [&[0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff][..], &[0; 70_000]].concat(),
        // An alert, application data and a change of cipher before anything was agreed on.
        vec![0x15, 3, 3, 0, 2, 2, 40],
        [&[0x17, 3, 3, 0, 16][..], &[7; 16]].concat(),
        vec![0x14, 3, 3, 0, 1, 1],
        [&hello[..], get("/version").as_bytes()].concat(),
        [&hello[..], &hello[..]].concat(),
    ];
    for place in 0..hello.len() {
        let mut flipped = hello.clone();
        flipped[place] ^= 0xff;
        garbled.push(flipped);
    }
    let tried = garbled.len();
    thread::scope(|scope| {
        for bytes in &garbled {
            let served = &served;
            scope.spawn(move || {
                let said = raw(served.address, bytes);
                let said = String::from_utf8_lossy(&said);
                assert!(!said.contains("HTTP/1.1") && !said.contains("coxa"), "{bytes:?}: {said}");
            });
        }
    });
    until("all are gone", || connections(served.address) == 0);
    is_up(served.address, &pair);
    println!("figure tls-garbage: {tried} garbled beginnings of a connection, 0 answered, 0 left open");
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("panic") && !log.contains("/version"), "{log}");
}

/// Limits of one to three seconds.
const QUICK: [(&str, &str); 3] = [
    ("COXA__SERVER__HEAD_TIMEOUT", "1"),
    ("COXA__SERVER__REQUEST_TIMEOUT", "2"),
    ("COXA__SERVER__IO_TIMEOUT", "3"),
];

#[test]
fn a_client_that_stalls_while_agreeing_on_tls_is_let_go_within_the_limit() {
    let _machine = shared();
    let pair = Pair::new();
    let served = Files::of(&pair).serve(&QUICK);
    let hello = hello(&pair);
    thread::scope(|scope| {
        for begun in [&[][..], &hello[..1], &hello[..5], &hello[..hello.len() / 2], &hello] {
            for drips in [false, true] {
                let served = &served;
                scope.spawn(move || {
                    let begin = Instant::now();
                    if drips && begun.len() < hello_is_whole(begun) {
                        drip(served.address, begun);
                    } else {
                        raw(served.address, begun);
                    }
                    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
                });
            }
        }
    });
    until("all are gone", || connections(served.address) == 0);
    is_up(served.address, &pair);
}

/// A hello is followed by more only where it is not whole: what is no TLS is closed at once.
fn hello_is_whole(begun: &[u8]) -> usize {
    match begun {
        [_, _, _, high, low, ..] => 5 + (usize::from(*high) << 8) + usize::from(*low),
        _ => 5,
    }
}

/// Sends zeros one by one after a beginning, until the connection is closed.
fn drip(address: SocketAddr, begun: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(begun).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let begin = Instant::now();
    while begin.elapsed() < SOON {
        match stream.read(&mut [0; 64]) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if stream.write_all(&[0]).is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
    panic!("a client that drips is still connected");
}

#[test]
fn the_limits_of_a_connection_hold_under_tls_as_well() {
    let _machine = shared();
    let pair = Pair::new();
    let served = Files::of(&pair).serve(&QUICK);
    let late = |answers: &str| {
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
        assert!(answers.starts_with("HTTP/1.1 408 ") && answers.contains("\"request-timeout\""), "{answers}");
    };
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(client(served.address, &pair).rest(), ""));
        for asked_before in [false, true] {
            let (served, pair) = (&served, &pair);
            for half in [
                "GET /livez HTTP/1.1\r\nHost: a\r\nX-Half: ".to_owned(),
                format!("{POST}Content-Length: 999\r\n\r\n{{"),
                format!("{POST}Transfer-Encoding: chunked\r\n\r\n3e7\r\n{{"),
            ] {
                scope.spawn(move || {
                    let mut client = client(served.address, pair);
                    if asked_before {
                        assert_eq!(client.ask(&get("/livez")).unwrap().status, 200);
                    }
                    let begin = Instant::now();
                    client.send(&half).unwrap();
                    late(&client.rest());
                    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
                });
            }
        }
        scope.spawn(|| {
            // It asks and takes no answer; sending fails once the connection is closed.
            let mut client = client(served.address, &pair);
            while client.send(&get("/v1/conditions?limit=1000")).is_ok() {}
        });
    });
    until("all are gone", || connections(served.address) == 0);
    is_up(served.address, &pair);
}

#[test]
fn those_who_stall_while_agreeing_on_tls_count_as_connections_and_the_cap_recovers() {
    let _machine = shared();
    let pair = Pair::new();
    let cap = [("COXA__SERVER__WORKERS", "1"), ("COXA__SERVER__MAX_CONNECTIONS", "4")];
    let served = Files::of(&pair).serve(&[&QUICK[..], &cap].concat());
    let stalled: Vec<TcpStream> = (0..12).map(|_| TcpStream::connect(served.address).unwrap()).collect();
    until("the cap is met", || connections(served.address) >= 4);
    assert!(connections(served.address) <= 5, "{}", connections(served.address));
    // Those before it are let go one limit after another.
    is_up(served.address, &pair);
    drop(stalled);
}

/// The value of a metric of one service.
fn metric(served: &Served, name: &str) -> String {
    let text = Client::once(served.operations(), &get("/metrics")).unwrap().body;
    let line =
        text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {text}"));
    line.rsplit(' ').next().unwrap().to_owned()
}

const TAKEN: &str = "coxa_certificate_reloads_total{result=\"ok\"}";
const REFUSED: &str = "coxa_certificate_reloads_total{result=\"failed\"}";
const OPERATIONS: (&str, &str) = ("COXA__OPERATIONS__LISTEN", "127.0.0.1:0");

/// How often the certificate is replaced under load.
const RELOADS: usize = 50;

#[test]
fn a_new_certificate_is_taken_under_load_and_every_request_is_answered() {
    let _machine = shared();
    let pairs: Vec<Pair> = (0..=RELOADS).map(|_| Pair::new()).collect();
    let files = Files::of(&pairs[0]);
    let served = files.serve(&[OPERATIONS, ("COXA__TELEMETRY__ACCESS_LOG", "false")]);
    let mut established = client(served.address, &pairs[0]);
    assert_eq!(established.ask(&get("/livez")).unwrap().status, 200);
    let every: Vec<&Pair> = pairs.iter().collect();
    let trusting = config(&every, &[&TLS13, &TLS12], &["http/1.1"]);
    let shown = |secure: &Secure| secure.conn.peer_certificates().unwrap()[0].clone().into_owned();
    let (ended, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let mut client = Client::over(connect(served.address, &trusting).unwrap());
                    for _ in 0..3 {
                        assert_eq!(client.ask(&post(CASE)).unwrap().status, 200);
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        for (number, pair) in pairs[1..].iter().enumerate() {
            until("requests are answered meanwhile", || asked.load(Ordering::Relaxed) >= 20 * number);
            files.write(&pair.certificate, &pair.key);
            served.signal("HUP");
            until("the new certificate is shown", || {
                shown(&connect(served.address, &trusting).unwrap()) == pair.der
            });
        }
        ended.store(true, Ordering::Relaxed);
    });
    // A connection of before lives on.
    assert_eq!(established.ask(&get("/livez")).unwrap().status, 200);
    assert_eq!((metric(&served, TAKEN), metric(&served, REFUSED)), (RELOADS.to_string(), "0".to_owned()));
    let asked = asked.load(Ordering::Relaxed);
    println!("figure tls-reload: {RELOADS} certificates taken under load, {asked} requests, 0 failed");
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(log.matches("certificate reloaded").count(), RELOADS, "{log}");
    assert!(!log.contains("nothing to reload"), "{log}");
}

#[test]
fn it_is_told_when_the_first_certificate_of_the_chain_runs_out() {
    const EXPIRY: &str = "coxa_certificate_expiry_timestamp_seconds";
    let _machine = shared();
    // From 2050 on, the year is written with four digits instead of two.
    let (first, second) = (Pair::until(2031), Pair::until(2052));
    let files = Files::of(&first);
    let mut served = files.serve(&[OPERATIONS]);
    assert_eq!(metric(&served, EXPIRY), "1924992000");
    let mut reads = |certificate: &str| {
        files.write(certificate, &second.key);
        served.signal("HUP");
        served.logged("certificate reloaded");
        metric(&served, EXPIRY)
    };
    assert_eq!(reads(&second.certificate), "2587680000");
    assert_eq!(reads(&format!("{}{}", second.certificate, first.certificate)), "1924992000");
    let plain = Served::start(&[OPERATIONS]);
    let text = Client::once(plain.operations(), &get("/metrics")).unwrap().body;
    assert!(!text.contains(EXPIRY), "{text}");
}

/// No line of a key stands in a text.
#[track_caller]
fn holds_no_key(text: &str, pair: &Pair) {
    for line in pair.key.lines().filter(|line| !line.starts_with("-----")) {
        assert!(!text.contains(&line[..16.min(line.len())]), "a key is in {text}");
    }
}

/// Pairs of texts that cannot be used, and what is said of each.
fn faulty(good: &Pair, other: &Pair) -> Vec<(String, String, &'static str)> {
    let one_line = good.key.replace('\n', " ");
    let cut = good.key.lines().take(2).collect::<Vec<_>>().join("\n");
    let swapped = good.certificate.replace("MII", "MIJ");
    let (certificate, key) = (&good.certificate, &good.key);
    let case = |certificate: &str, key: &str, said| (certificate.to_owned(), key.to_owned(), said);
    vec![
        case(certificate, &other.key, "tls.private_key_file: the key in "),
        case("", key, "tls.certificate_file: there is no certificate in PEM in "),
        case(key, key, "tls.certificate_file: there is no certificate in PEM in "),
        case(
            certificate,
            "",
            "tls.private_key_file: there is no private key in PEM without a passphrase in ",
        ),
        case(certificate, certificate, "tls.private_key_file: there is no private key in PEM"),
        case(certificate, &one_line, "tls.private_key_file: "),
        case(certificate, &cut, "tls.private_key_file: "),
        case(&swapped, key, "tls.certificate_file"),
        case(
            certificate,
            &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
            "tls.private_key_file: there is no private key in PEM without a passphrase in ",
        ),
    ]
}

#[test]
fn a_broken_new_certificate_is_refused_and_the_old_one_goes_on() {
    let _machine = shared();
    let (good, other) = (Pair::new(), Pair::new());
    let files = Files::of(&good);
    let mut served = files.serve(&[OPERATIONS, ("COXA__TELEMETRY__LOG_LEVEL", "trace")]);
    let faulty = faulty(&good, &other);
    for (number, (certificate, key, said)) in faulty.iter().enumerate() {
        files.write(certificate, key);
        served.signal("HUP");
        let line = served.logged("certificate not reloaded, the old one goes on");
        assert!(line.contains(said), "{said}: {line}");
        is_up(served.address, &good);
        assert_eq!(metric(&served, REFUSED), (number + 1).to_string());
    }
    fs::remove_file(files.key()).unwrap();
    served.signal("HUP");
    let line = served.logged("certificate not reloaded, the old one goes on");
    assert!(line.contains("tls.private_key_file: ") && line.contains("cannot be read"), "{line}");
    assert_eq!(client(served.address, &good).ask(&get("/readyz")).unwrap().status, 200);
    files.write(&other.certificate, &other.key);
    served.signal("HUP");
    served.logged("certificate reloaded");
    is_up(served.address, &other);
    assert_eq!(metric(&served, TAKEN), "1");
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    holds_no_key(&log, &good);
    holds_no_key(&log, &other);
}

#[test]
fn a_certificate_that_is_watched_is_read_again_when_it_changes_and_a_fault_is_told_once() {
    let _machine = shared();
    let (first, second) = (Pair::new(), Pair::new());
    let files = Files::of(&first);
    let mut served = files.serve(&[OPERATIONS, ("COXA__TLS__WATCH_SECONDS", "1")]);
    files.write(&second.certificate, "");
    served.logged("certificate not reloaded");
    files.write(&second.certificate, &second.key);
    served.logged("certificate reloaded");
    is_up(served.address, &second);
    let refused: usize = metric(&served, REFUSED).parse().unwrap();
    assert!((1..=2).contains(&refused), "{refused}");
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start_and_is_named() {
    let _machine = shared();
    let (good, other) = (Pair::new(), Pair::new());
    let refused = |certificate: &str, key: &str| {
        let mut serve = command(&["serve", "--listen", "127.0.0.1:0"]);
        serve.env("COXA__TLS__CERTIFICATE_FILE", certificate).env("COXA__TLS__PRIVATE_KEY_FILE", key);
        let ended = serve.output().unwrap();
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(!said.contains("listening"), "{said}");
        holds_no_key(&said, &good);
        said
    };
    for (certificate, key, said) in faulty(&good, &other) {
        let files = Files::of(&good);
        files.write(&certificate, &key);
        let message = refused(files.certificate().to_str().unwrap(), files.key().to_str().unwrap());
        assert!(message.contains(said), "{said}: {message}");
    }
    let files = Files::of(&good);
    let (certificate, key) = (files.certificate(), files.key());
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    for (certificate, key, said) in [
        ("nowhere.pem", key, "tls.certificate_file: nowhere.pem cannot be read"),
        (certificate, "nowhere.pem", "tls.private_key_file: nowhere.pem cannot be read"),
        (certificate, "", "`tls.private_key_file` is not valid"),
        ("", key, "`tls.certificate_file` is not valid"),
    ] {
        let message = refused(certificate, key);
        assert!(message.contains(said), "{said}: {message}");
    }
}
