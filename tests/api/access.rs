//! Who may ask: keys, rate limits, proxies that are trusted, web pages of other origins, and the refusal to start.

use std::net::SocketAddr;

use coxa::{
    keys::{KeyEntry, new_key},
    settings::{Overrides, Settings},
    startup::Service,
};

use crate::{
    binary::{Served, command, run, text},
    contract,
    support::{Answer, Api, raw_at, raw_to_end_at, serve_with},
};

/// A server that asks for keys, and the keys of two apps.
struct Guarded {
    api: Api,
    address: SocketAddr,
    phone: String,
    watch: String,
    entries: String,
}

impl Guarded {
    fn start(variables: &[(&str, &str)]) -> Self {
        let (phone, watch, entries) = keys();
        let address = serve_with(&[variables, &[("COXA__AUTH__KEYS", &entries)]].concat());
        Self { api: Api::at(address), address, phone, watch, entries }
    }
}

/// Two keys, and how the settings hold them.
fn keys() -> (String, String, String) {
    let (phone, watch) = (new_key().unwrap(), new_key().unwrap());
    let entry = |name: &str, key: &str| KeyEntry::of(name, key).unwrap().to_string();
    let entries = format!("{},{}", entry("phone-app", &phone), entry("watch-app", &watch));
    (phone, watch, entries)
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

fn check_unauthorized(answer: &Answer, place: &str) {
    assert_eq!(answer.status, 401, "{place}: {}", answer.text());
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"coxa\""), "{place}");
    if !answer.body.is_empty() {
        assert_eq!(answer.json()["code"], "unauthorized", "{place}");
    }
}

#[tokio::test]
async fn every_operation_under_v1_needs_a_key_and_the_others_need_none() {
    let guarded = Guarded::start(&[]);
    let (right, wrong) = (bearer(&guarded.phone), bearer(&new_key().unwrap()));
    let mut asked = 0;
    for (template, method, operation) in contract::operations() {
        let (_, path) = contract::paths().into_iter().find(|(path, _)| *path == template).unwrap();
        let body = (method == "POST").then_some(&b"{}"[..]);
        let json = ("content-type", "application/json");
        let without = guarded.api.send(&method, &path, &[json], body).await;
        let with_wrong = guarded.api.send(&method, &path, &[json, ("authorization", &wrong)], body).await;
        let with_right = guarded.api.send(&method, &path, &[json, ("authorization", &right)], body).await;
        let place = format!("{method} {path}");
        if path.starts_with("/v1/") {
            asked += 1;
            check_unauthorized(&without, &place);
            check_unauthorized(&with_wrong, &place);
            assert!([200, 422].contains(&with_right.status), "{place}: {}", with_right.text());
            assert!(operation["responses"].get("401").is_some(), "{place}");
            assert_eq!(operation["security"].as_array().unwrap().len(), 3, "{place}");
        } else {
            for answer in [without, with_wrong, with_right] {
                assert_eq!(answer.status, 200, "{place}: {}", answer.text());
            }
            assert_eq!(operation["security"].as_array().unwrap().len(), 0, "{place}");
        }
    }
    assert!(asked > 15);
    assert_eq!(guarded.api.get("/docs/").await.status, 200);
}

#[test]
fn a_path_that_is_written_in_another_way_or_does_not_exist_needs_a_key_as_well() {
    let guarded = Guarded::start(&[]);
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/nothing",
        "//",
        "//v1/conditions",
        "/v1//conditions",
        "/V1/conditions",
        "/%761/conditions",
        "/v%31/conditions",
        "/v1%2Fconditions",
        "/./v1/conditions",
        "/openapi.json/../v1/conditions",
        "/v1/conditions?",
        "/v1/conditions#/docs/",
        "/livez/../v1/conditions",
        "/livez/",
    ] {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "get", "TRACE"] {
            let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            let answer = raw_to_end_at(guarded.address, request.as_bytes());
            let refused = ["HTTP/1.1 401 ", "HTTP/1.1 400 "];
            assert!(refused.iter().any(|status| answer.starts_with(status)), "{method} {path}: {answer}");
        }
    }
    // What stands under an open folder is a page or nothing.
    for path in ["/docs/../v1/conditions", "/docs/%2e%2e/v1/conditions", "/problems/..%2Fv1%2Fconditions"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = raw_to_end_at(guarded.address, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_key_is_taken_from_either_header_and_nowhere_else() {
    let guarded = Guarded::start(&[]);
    let (phone, watch) = (guarded.phone.as_str(), guarded.watch.as_str());
    let sha256 = guarded.entries.split([':', ',']).nth(1).unwrap();
    let cut = &phone[..phone.len() - 1];
    for headers in [
        &[("authorization", bearer(phone))][..],
        &[("authorization", bearer(watch))],
        &[("authorization", format!("bearer {phone}"))],
        &[("authorization", format!("BEARER   {phone}"))],
        &[("x-api-key", phone.into())],
        &[("x-api-key", watch.into())],
        &[("authorization", bearer(phone)), ("x-api-key", phone.into())],
    ] {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = guarded.api.get_with("/v1/conditions", &headers).await;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
    }
    for headers in [
        &[][..],
        &[("authorization", phone.into())],
        &[("authorization", "Bearer".into())],
        &[("authorization", "Bearer ".into())],
        &[("authorization", format!("Basic {phone}"))],
        &[("authorization", format!("Bearer{phone}"))],
        &[("authorization", bearer(cut))],
        &[("authorization", bearer(&format!("{phone}0")))],
        &[("authorization", bearer(sha256))],
        &[("authorization", bearer(&"a".repeat(5000)))],
        &[("x-api-key", String::new())],
        &[("x-api-key", "caf\u{e9}".into())],
        &[("x-api-key", bearer(phone))],
        &[("x-api-key", phone.to_uppercase())],
        &[("authorization", bearer(phone)), ("x-api-key", watch.into())],
        &[("authorization", bearer(phone)), ("x-api-key", cut.into())],
        &[("authorization", format!("Basic {phone}")), ("x-api-key", phone.into())],
        &[("x-api-key", phone.into()), ("x-api-key", phone.into())],
        &[("x-api-key", phone.into()), ("x-api-key", cut.into())],
        &[("authorization", bearer(phone)), ("authorization", bearer(phone))],
        &[("cookie", format!("api_key={phone}"))],
    ] {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = guarded.api.get_with("/v1/conditions", &headers).await;
        check_unauthorized(&answer, &format!("{headers:?}"));
        assert!(!answer.text().contains(cut) && !answer.text().contains(sha256), "{}", answer.text());
    }
    let in_query = guarded.api.get(&format!("/v1/conditions?api_key={phone}")).await;
    check_unauthorized(&in_query, "in the query");
    let as_parameter = guarded.api.get_with("/v1/conditions?api_key=x", &[("x-api-key", phone)]).await;
    assert_eq!(as_parameter.faults(), [("?api_key".into(), "unknown_parameter".into())]);
}

#[tokio::test]
async fn what_needs_a_key_is_kept_by_no_shared_cache() {
    let guarded = Guarded::start(&[]);
    let held = guarded.api.get_with("/v1/conditions", &[("x-api-key", &guarded.phone)]).await;
    assert_eq!(held.header("cache-control"), Some("private, max-age=300"));
    let tag = held.header("etag").unwrap();
    let headers = [("x-api-key", guarded.phone.as_str()), ("if-none-match", tag)];
    let again = guarded.api.get_with("/v1/conditions", &headers).await;
    assert_eq!((again.status, again.header("cache-control")), (304, Some("private, max-age=300")));
    let without = guarded.api.get_with("/v1/conditions", &[("if-none-match", tag)]).await;
    check_unauthorized(&without, "a tag is no key");
    assert_eq!(guarded.api.get("/openapi.json").await.header("cache-control"), Some("public, max-age=300"));
}

#[test]
fn a_refused_request_keeps_its_connection_unless_it_has_a_body() {
    let guarded = Guarded::start(&[]);
    let requests = "GET /v1/conditions HTTP/1.1\r\nHost: a\r\n\r\nPOST /v1/assessments HTTP/1.1\r\nHost: a\r\n\r\n\
                    GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = raw_to_end_at(guarded.address, requests.as_bytes());
    let statuses: Vec<&str> =
        answers.split("HTTP/1.1 ").skip(1).map(|answer| answer.split(' ').next().unwrap()).collect();
    assert_eq!(statuses, ["401", "401", "200"], "{answers}");
    // Each is answered and ends by itself, although the client waits with the rest of its body.
    let post = "POST /v1/assessments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    for body in [
        "Content-Length: 2\r\n\r\n{}",
        "Content-Length: 30000\r\n\r\n{",
        "Content-Length: 99999999999\r\n\r\n{",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let answer = raw_to_end_at(guarded.address, format!("{post}{body}").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains("connection: close\r\n") && answer.ends_with('}'), "{answer}");
    }
}

#[tokio::test]
async fn without_keys_on_loopback_nobody_is_asked_and_nothing_is_limited() {
    let api = Api::new();
    let answer = api.get_with("/v1/conditions", &[("authorization", "Bearer x"), ("x-api-key", "y")]).await;
    assert_eq!(answer.status, 200);
    for name in [
        "www-authenticate",
        "ratelimit",
        "ratelimit-policy",
        "access-control-allow-origin",
        "strict-transport-security",
    ] {
        assert_eq!(answer.header(name), None);
    }
}

/// Starts the binary, which must refuse; what it says.
fn refusal(listen: &str, variables: &[(&str, &str)]) -> String {
    let mut command = command(&["serve", "--listen", listen]);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{variables:?}");
    assert_eq!(text(&output.stdout), "");
    let said = text(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn an_address_that_others_reach_is_not_listened_on_before_it_is_said_who_may_ask() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let said = refusal(listen, &[]);
        assert!(said.contains(listen), "{said}");
        assert!(said.contains("coxa key new NAME") && said.contains("COXA__AUTH__MODE=open"), "{said}");
    }
    let (_, _, entries) = keys();
    assert!(refusal("127.0.0.1:0", &[("COXA__AUTH__MODE", "keys")]).contains("auth.keys is empty"));
    let both = [("COXA__AUTH__MODE", "open"), ("COXA__AUTH__KEYS", entries.as_str())];
    assert!(refusal("127.0.0.1:0", &both).contains("take one of the two out"));
    assert!(refusal("127.0.0.1:0", &[("COXA__AUTH__KEYS", "phone:coxa_123")]).contains("name:sha256"));
}

#[test]
fn an_address_that_others_reach_is_listened_on_with_keys_or_when_it_is_said_to_be_open() {
    let (_, _, entries) = keys();
    for (name, value) in [("COXA__AUTH__MODE", "open"), ("COXA__AUTH__KEYS", entries.as_str())] {
        let listen = Overrides { listen: Some(([0, 0, 0, 0], 0).into()), ..Overrides::default() };
        let settings = Settings::read(&listen, [(name.to_owned(), value.to_owned())]).unwrap();
        let started = actix_web::rt::System::new()
            .block_on(async { Service::start(&settings).map(|service| service.address()) });
        assert!(started.is_ok_and(|address| address.ip().is_unspecified()), "{name}");
    }
}

#[test]
fn a_new_key_is_let_in_by_the_line_that_is_printed_with_it() {
    let made = run(&["key", "new", "phone-app"]);
    assert_eq!(made.status.code(), Some(0));
    let made = text(&made.stdout);
    let key = made.lines().find(|line| line.starts_with("coxa_")).unwrap();
    let entry = made.lines().find_map(|line| line.strip_prefix("COXA__AUTH__KEYS=")).unwrap();
    assert!(made.contains(&format!("keys = [\"{entry}\"]")), "{made}");
    let address = serve_with(&[("COXA__AUTH__KEYS", entry)]);
    let request =
        format!("GET /v1/conditions HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nConnection: close\r\n\r\n");
    assert_eq!(raw_at(address, request.as_bytes()).status, 200);
    let other = text(&run(&["key", "new", "phone-app"]).stdout);
    assert!(!other.contains(key), "two keys are the same");
    for name in ["", "two words", "a:b", "a,b"] {
        let refused = run(&["key", "new", name]);
        assert_eq!(refused.status.code(), Some(1), "{name}");
        assert!(text(&refused.stderr).contains("name of a key"), "{name}");
    }
}

#[tokio::test]
async fn no_key_shows_up_in_the_log_or_in_the_printed_settings() {
    let (phone, watch, entries) = keys();
    let variables = [
        ("COXA__AUTH__KEYS", entries.as_str()),
        ("COXA__TELEMETRY__LOG_LEVEL", "trace"),
        ("COXA__RATE_LIMIT__REQUESTS", "4"),
        ("RUST_LOG", "trace"),
    ];
    let served = Served::start(&variables);
    let api = Api::at(served.address);
    let unknown = new_key().unwrap();
    let mut statuses = Vec::new();
    for key in [&phone, &watch, &unknown] {
        for headers in [
            vec![("authorization", bearer(key))],
            vec![("x-api-key", key.clone())],
            vec![("authorization", format!("Basic {key}"))],
            vec![("authorization", bearer(key)), ("x-api-key", watch.clone())],
            vec![("x-request-id", format!("{key}/")), ("x-api-key", key.clone())],
            vec![("authorization", bearer(key))],
            vec![("authorization", bearer(key))],
        ] {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            statuses.push(api.get_with("/v1/conditions", &headers).await.status);
        }
        statuses.push(api.get(&format!("/v1/conditions?api_key={key}")).await.status);
        statuses.push(api.get(&format!("/v1/conditions/{key}")).await.status);
    }
    assert!([200, 401, 429].iter().all(|status| statuses.contains(status)), "{statuses:?}");
    served.signal("TERM");
    let (status, stdout, log) = served.end();
    assert_eq!((status.code(), stdout.as_str()), (Some(0), ""), "{log}");
    assert_eq!(log.matches("http.status").count(), statuses.len(), "{log}");
    let mut settings = command(&["settings"]);
    let settings = text(&settings.envs(variables).output().unwrap().stdout);
    assert!(settings.contains(entries.split(',').next().unwrap()), "{settings}");
    for secret in [&phone, &watch, &unknown] {
        let random = secret.strip_prefix("coxa_").unwrap();
        assert!(!log.contains(random) && !settings.contains(random));
    }
    assert!(!log.contains("phone-app"), "{log}");
}

/// Five requests in a day: none comes back while a test runs.
const FIVE: [(&str, &str); 2] =
    [("COXA__RATE_LIMIT__REQUESTS", "5"), ("COXA__RATE_LIMIT__WINDOW_SECONDS", "86400")];

#[tokio::test]
async fn the_sixth_request_of_five_is_refused_with_the_time_to_wait() {
    let api = Api::at(serve_with(&FIVE));
    // Answers of every sort count, and every one tells what is left.
    for (left, path) in
        (0..5).rev().zip(["/v1/conditions", "/v1/nothing", "/v1/conditions/x", "/v1/conditions?x=1", "/docs"])
    {
        let answer = api.get(path).await;
        assert!(answer.status < 429, "{path}: {}", answer.text());
        assert_eq!(answer.header("ratelimit-policy"), Some("\"default\";q=5;w=86400"), "{path}");
        // A fifth of the window for each request that was sent.
        let state = answer.header("ratelimit").unwrap();
        assert_eq!(state, format!("\"default\";r={left};t={}", (5 - left) * 17_280), "{path}");
        assert_eq!(answer.header("retry-after"), None);
    }
    let refused = api.get("/v1/conditions").await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert_eq!(refused.json()["code"], "too-many-requests");
    assert!(refused.json()["detail"].as_str().unwrap().contains("5 requests in 86400 seconds"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=17_280).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit"), Some("\"default\";r=0;t=86400"));
    assert_eq!(refused.header("connection"), None);
    assert_eq!(api.try_assess("{}").await.status, 429);
    for path in ["/livez", "/readyz"] {
        let probe = api.get(path).await;
        assert_eq!((probe.status, probe.header("ratelimit")), (200, None), "{path}");
    }
}

#[tokio::test]
async fn each_key_has_a_quota_of_its_own_and_a_refused_key_uses_none() {
    let guarded = Guarded::start(&FIVE);
    let left = |answer: &Answer| answer.header("ratelimit").map(|state| state[..13].to_owned());
    let get = async |headers: &[(&str, &str)]| guarded.api.get_with("/v1/conditions", headers).await;
    let first = get(&[("x-api-key", &guarded.phone)]).await;
    assert_eq!(left(&first).as_deref(), Some("\"default\";r=4"));
    let second = get(&[("authorization", &bearer(&guarded.phone))]).await;
    assert_eq!(left(&second).as_deref(), Some("\"default\";r=3"), "the same key in the other header");
    let other = get(&[("x-api-key", &guarded.watch)]).await;
    assert_eq!(left(&other).as_deref(), Some("\"default\";r=4"), "another key");
    for _ in 0..10 {
        let refused = get(&[("x-api-key", "x")]).await;
        check_unauthorized(&refused, "wrong");
        assert_eq!(left(&refused), None);
    }
    let open = guarded.api.get("/version").await;
    assert_eq!(left(&open).as_deref(), Some("\"default\";r=4"), "the address, where no key is needed");
}

#[tokio::test]
async fn the_client_behind_a_trusted_proxy_is_limited_and_nobody_else_says_who_he_is() {
    let untrusting = Api::at(serve_with(&FIVE));
    let trusting = [&FIVE[..], &[("COXA__PROXY__TRUSTED", "127.0.0.0/8,10.0.0.0/8")]].concat();
    let trusting = Api::at(serve_with(&trusting));
    let left = async |api: &Api, forwarded: &str| {
        let headers =
            [("x-forwarded-for", forwarded), ("forwarded", "for=192.0.2.60"), ("x-real-ip", forwarded)];
        let answer = api.get_with("/v1/conditions", &headers).await;
        answer.header("ratelimit").unwrap().split(['=', ';']).nth(2).unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(left(&untrusting, "198.51.100.1").await, 4);
    assert_eq!(left(&untrusting, "198.51.100.2").await, 3, "the peer counts, whatever it writes");
    assert_eq!(left(&trusting, "198.51.100.1").await, 4);
    assert_eq!(left(&trusting, "198.51.100.2").await, 4);
    assert_eq!(left(&trusting, "203.0.113.1, 198.51.100.2, 10.0.0.1").await, 3);
    assert_eq!(left(&trusting, "203.0.113.2, 198.51.100.2").await, 2, "what the client wrote itself");
    assert_eq!(left(&trusting, "2001:db8:1:1::1").await, 4);
    assert_eq!(left(&trusting, "[2001:db8:1:1:ffff::2]:4711").await, 3, "the same /64 network");
    assert_eq!(left(&trusting, "2001:db8:1:2::1").await, 4);
    assert_eq!(left(&trusting, "junk").await, 4, "the proxy itself");
    assert_eq!(left(&trusting, "").await, 3);
}

#[tokio::test]
async fn no_header_of_a_proxy_shows_up_in_an_answer() {
    let api = Api::at(serve_with(&[("COXA__PROXY__TRUSTED", "127.0.0.1")]));
    let evil = "evil.example";
    let headers = [
        ("forwarded", "host=evil.example;proto=https;for=evil.example"),
        ("x-forwarded-host", evil),
        ("x-forwarded-proto", evil),
        ("x-forwarded-prefix", evil),
        ("x-forwarded-for", evil),
        ("x-original-url", "/evil.example"),
    ];
    for path in
        ["/", "/v1/conditions", "/v1/nothing", "/docs", "/docs/", "/openapi.json", "/problems/unauthorized"]
    {
        let answer = api.get_with(path, &headers).await;
        let plain = api.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (plain.status, plain.header("location")));
        assert!(!answer.text().contains(evil) && !format!("{:?}", answer.headers).contains(evil), "{path}");
    }
}

const APP: &str = "https://app.example";

/// Names of the headers that tell a browser what a page may.
fn permissions(answer: &Answer) -> Vec<String> {
    let names = answer.headers.keys().map(ToString::to_string);
    names.filter(|name| name.starts_with("access-control-")).collect()
}

fn varies_by_origin(answer: &Answer) -> bool {
    answer.header("vary").is_some_and(|vary| vary.split(", ").any(|name| name == "origin"))
}

fn cors() -> SocketAddr {
    serve_with(&[("COXA__CORS__ALLOWED_ORIGINS", "https://app.example,http://localhost:3000")])
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_read_answers_of_every_sort() {
    let api = Api::at(cors());
    let json = ("content-type", "application/json");
    for (method, path, headers, body, status) in [
        ("GET", "/v1/conditions", &[][..], None, 200),
        ("HEAD", "/v1/conditions", &[], None, 200),
        ("POST", "/v1/assessments", &[json], Some(&b"{}"[..]), 200),
        ("POST", "/v1/assessments", &[json], Some(b"{"), 400),
        ("GET", "/v1/nothing", &[], None, 404),
        ("GET", "/v1/conditions", &[("accept", "text/csv")], None, 406),
        ("DELETE", "/v1/conditions", &[], None, 405),
        ("POST", "/v1/assessments", &[], Some(b"{}"), 415),
    ] {
        for origin in [APP, "http://localhost:3000"] {
            let answer = api.send(method, path, &[headers, &[("origin", origin)]].concat(), body).await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin), "{method} {path}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            let exposed = answer.header("access-control-expose-headers").unwrap();
            assert!(exposed.contains("x-request-id") && exposed.contains("retry-after"), "{exposed}");
            assert!(varies_by_origin(&answer), "{method} {path}: {:?}", answer.headers);
        }
    }
    let plain = api.get("/v1/conditions").await;
    assert_eq!(plain.header("vary"), Some("accept-encoding, origin"), "a cache must know");
    assert_eq!(permissions(&plain), [""; 0]);
}

#[tokio::test]
async fn a_page_of_any_other_origin_is_told_nothing() {
    let api = Api::at(cors());
    for origin in [
        "https://app.example.evil",
        "https://evilapp.example",
        "http://app.example",
        "https://app.example:8443",
        "https://APP.example",
        "https://app.example/",
        "https://app.example, https://evil.example",
        "http://localhost",
        "null",
        "*",
        "",
    ] {
        for (method, more) in [("GET", &[][..]), ("OPTIONS", &[("access-control-request-method", "POST")])] {
            let headers = [&[("origin", origin)], more].concat();
            let answer = api.send(method, "/v1/conditions", &headers, None).await;
            assert_eq!(permissions(&answer), [""; 0], "{method} {origin}");
            assert!(varies_by_origin(&answer), "{method} {origin}");
        }
    }
    let twice = [("origin", APP), ("origin", "https://evil.example")];
    assert_eq!(permissions(&api.get_with("/v1/conditions", &twice).await), [""; 0]);
    for (origin, name) in [(APP, "origin"), ("*", "origin"), ("null", "origin")] {
        let answer = Api::new().get_with("/v1/conditions", &[(name, origin)]).await;
        assert_eq!(permissions(&answer), [""; 0], "by default no page is allowed");
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
    }
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_key_and_without_using_the_quota() {
    let origins = ("COXA__CORS__ALLOWED_ORIGINS", APP);
    let guarded = Guarded::start(&[&FIVE[..], &[origins]].concat());
    let ask = [
        ("origin", APP),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    for _ in 0..10 {
        let answer = guarded.api.send("OPTIONS", "/v1/assessments", &ask, None).await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("access-control-allow-methods"), Some("GET, HEAD, POST"));
        let allowed = answer.header("access-control-allow-headers").unwrap();
        for name in ["authorization", "content-type", "x-api-key"] {
            assert!(allowed.split(", ").any(|allowed| allowed == name), "{allowed}");
        }
        assert!(varies_by_origin(&answer), "{:?}", answer.headers);
        assert_eq!(answer.header("ratelimit"), None);
    }
    // The request itself then needs its key, and the page may read the refusal.
    let refused = guarded.api.get_with("/v1/conditions", &[("origin", APP)]).await;
    check_unauthorized(&refused, "without a key");
    assert_eq!(refused.header("access-control-allow-origin"), Some(APP));
    // What is no preflight, or none of an allowed origin, needs the key as well.
    let evil = [("origin", "https://evil.example"), ask[1], ask[2]];
    for headers in [&ask[..1], &ask[1..], &evil[..]] {
        let answer = guarded.api.send("OPTIONS", "/v1/assessments", headers, None).await;
        check_unauthorized(&answer, &format!("{headers:?}"));
        assert_eq!(answer.header("access-control-allow-methods"), None);
    }
}

#[tokio::test]
async fn browsers_are_told_to_use_https_alone_where_that_is_set() {
    let api = Api::at(serve_with(&[("COXA__SERVER__HSTS_SECONDS", "31536000")]));
    for path in ["/livez", "/v1/conditions", "/v1/nothing", "/docs/"] {
        let answer = api.get(path).await;
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"), "{path}");
    }
}
