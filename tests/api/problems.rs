//! Errors outside the body: paths, methods, media types, sizes, queries; and the pages behind them.

use std::collections::BTreeSet;

use coxa::api::problem::{Problem, ProblemKind};

use crate::{
    contract,
    support::{Answer, Api, longest_echo, raw},
};

const SNAPSHOT: (&str, &str) = ("x-request-id", "snapshot");

#[tokio::test]
async fn a_path_that_does_not_exist_is_a_problem_with_a_hint() {
    let api = Api::new();
    for (path, hint) in [
        ("/v1/condition", "did you mean /v1/conditions?"),
        ("/v1/assessment", "did you mean /v1/assessments?"),
        ("/v1/red_flags", "did you mean /v1/red-flags?"),
        ("/openapi.jsn", "did you mean /openapi.json?"),
        ("/v1/conditions/", "did you mean /v1/conditions?"),
        ("/livez/", "did you mean /livez?"),
        ("/v1/conditions/gluteal-tendinopathy/", "did you mean /v1/conditions/gluteal-tendinopathy?"),
        ("/v1/conditions/gluteal-tendinopathy/escalation/", "/escalation?"),
        ("/v1/conditions/a/b/c/d", "/docs"),
        ("/nothing-of-the-kind", "/docs"),
        ("//", "/docs"),
        ("/v1", "/docs"),
        ("/docs/nothing.js", "/docs/"),
    ] {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"] {
            if path.starts_with("/docs") && method != "GET" {
                continue;
            }
            let answer = api.send(method, path, &[], None).await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
            if method != "HEAD" {
                let problem = answer.json();
                assert_eq!(problem["code"], "unknown-route", "{path}");
                assert!(problem["detail"].as_str().unwrap().contains(hint), "{path}: {problem}");
            }
        }
    }
    let answer = api.get_with("/v1/condition", &[SNAPSHOT]).await;
    insta::assert_json_snapshot!("unknown_route", answer.json());
}

#[tokio::test]
async fn an_id_that_names_nothing_is_a_problem_with_the_nearest_one() {
    let api = Api::new();
    for (path, hint) in [
        ("/v1/conditions/gluteal-tendinopaty", "did you mean `gluteal-tendinopathy`?"),
        ("/v1/conditions/gluteal-tendinopaty/escalation", "did you mean `gluteal-tendinopathy`?"),
        ("/v1/conditions/Labral_Tear", "did you mean `labral-tear`?"),
        ("/v1/findings/loc-gorin", "did you mean `loc-groin`?"),
        ("/v1/treatments/shokwave", "did you mean `shockwave`?"),
        ("/v1/sources/reimann-2013", "did you mean `reiman-2013`?"),
        ("/problems/invalid-requests", "did you mean `invalid-request`?"),
        ("/v1/conditions/knee", "`knee` is not the id of a condition"),
        ("/v1/exercises/%3Cb%3E", "`<b>` is not the id of a"),
        ("/v1/findings/..%2Ffindings", "is not the id of a finding"),
    ] {
        let answer = api.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        let problem = answer.json();
        assert_eq!(problem["code"], "unknown-id", "{path}");
        assert!(problem["detail"].as_str().unwrap().contains(hint), "{path}: {problem}");
        assert_eq!(api.send("HEAD", path, &[], None).await.status, 404, "{path}");
    }
    let answer = api.get_with("/v1/conditions/gluteal-tendinopaty", &[SNAPSHOT]).await;
    insta::assert_json_snapshot!("unknown_id", answer.json());
}

fn allowed(answer: &Answer) -> BTreeSet<String> {
    let allow = answer.header("allow").unwrap_or_default();
    allow.split(", ").map(ToOwned::to_owned).collect()
}

/// Methods that the document gives a path, with those that come with them.
fn documented(template: &str) -> BTreeSet<String> {
    let methods = contract::operations().filter(|(path, ..)| *path == template).map(|(_, method, _)| method);
    let mut methods: BTreeSet<String> = methods.chain(["OPTIONS".to_owned()]).collect();
    if methods.contains("GET") {
        methods.insert("HEAD".into());
    }
    methods
}

#[tokio::test]
async fn every_documented_path_refuses_other_methods_and_says_which_it_takes() {
    let api = Api::new();
    for (template, path) in contract::paths() {
        let documented = documented(template);
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "Post"] {
            if documented.contains(method) {
                continue;
            }
            let answer = api.send(method, &path, &[], None).await;
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
            assert_eq!(allowed(&answer), documented, "{method} {path}");
            if method != "HEAD" {
                assert_eq!(answer.json()["code"], "method-not-allowed", "{method} {path}");
            }
        }
    }
    let answer = api.send("GET", "/v1/assessments", &[SNAPSHOT], None).await;
    insta::assert_json_snapshot!("method_not_allowed", answer.json());
}

#[tokio::test]
async fn a_method_in_small_letters_is_another_method() {
    for (path, method) in [("/v1/conditions", "get"), ("/v1/assessments", "post")] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = raw(request.as_bytes());
        contract::check(method, path, &answer);
        assert_eq!(answer.status, 405);
        assert_eq!(allowed(&answer), documented(path));
    }
}

#[tokio::test]
async fn options_tells_the_methods_of_every_documented_path() {
    let api = Api::new();
    for (template, path) in contract::paths() {
        let answer = api.send("OPTIONS", &path, &[], None).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(allowed(&answer), documented(template), "{path}");
    }
}

#[tokio::test]
async fn a_form_that_cannot_be_had_is_refused_where_the_document_says_so() {
    let api = Api::new();
    let mut refused = 0;
    for (template, method, operation) in contract::operations() {
        let (_, path) = contract::paths().into_iter().find(|(path, _)| *path == template).unwrap();
        let body = (method == "POST").then_some(&b"{}"[..]);
        let documented = operation["responses"].get("406").is_some();
        for accept in ["application/xml", "text/html", "image/*;q=0.9, text/csv", "application/json;q=0"] {
            let headers = [("accept", accept), ("content-type", "application/json")];
            let answer = api.send(&method, &path, &headers, body).await;
            assert_eq!(answer.status, if documented { 406 } else { 200 }, "{method} {path} {accept}");
            refused += usize::from(documented);
        }
    }
    assert!(refused > 20);
    let answer = api.get_with("/v1/conditions", &[("accept", "application/xml"), SNAPSHOT]).await;
    insta::assert_json_snapshot!("not_acceptable", answer.json());
}

#[tokio::test]
async fn an_accept_header_that_lets_json_pass_is_fine() {
    let api = Api::new();
    for accept in [
        "*/*",
        "application/*",
        "application/json",
        "application/json;q=0.1",
        "application/json; charset=utf-8",
        "text/html, */*;q=0.1",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/xml, application/json;q=0.001",
        "APPLICATION/JSON",
        "",
        ";;q=",
    ] {
        assert_eq!(api.get_with("/v1/conditions", &[("accept", accept)]).await.status, 200, "{accept}");
    }
    assert_eq!(api.get("/v1/conditions").await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_not_plain_json_is_refused_with_the_remedy() {
    let api = Api::new();
    for headers in [
        &[][..],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[("content-type", "text/plain")],
        &[("content-type", "text/json")],
        &[("content-type", "application/vnd.api+json")],
        &[("content-type", "application/json; charset=utf-16")],
        &[("content-type", "application/json; charset=latin1")],
        &[("content-type", "json")],
        &[("content-type", "*/*")],
        &[("content-type", "application/json"), ("content-encoding", "gzip")],
        &[("content-type", "application/json"), ("content-encoding", "br")],
        &[("content-type", "application/json"), ("content-encoding", "foo")],
    ] {
        let answer = api.send("POST", "/v1/assessments", headers, Some(b"{}")).await;
        assert_eq!(answer.status, 415, "{headers:?}");
        let problem = answer.json();
        assert_eq!(problem["code"], "unsupported-media-type", "{headers:?}");
        let remedy =
            if headers.len() > 1 { "Content-Encoding" } else { "-H 'Content-Type: application/json'" };
        assert!(problem["detail"].as_str().unwrap().contains(remedy), "{headers:?}: {problem}");
    }
    for headers in [
        &[("content-type", "application/json; charset=utf-8")][..],
        &[("content-type", "application/json;charset=\"UTF-8\"")],
        &[("content-type", "Application/JSON")],
        &[("content-type", "application/json"), ("content-encoding", "identity")],
    ] {
        let answer = api.send("POST", "/v1/assessments", headers, Some(b"{}")).await;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
    }
    let headers = [("content-type", "application/x-www-form-urlencoded"), SNAPSHOT];
    let answer = api.send("POST", "/v1/assessments", &headers, Some(b"{}")).await;
    insta::assert_json_snapshot!("unsupported_media_type", answer.json());
}

/// A request whose body is never sent to its end: the answer must not wait for it.
fn too_large(rest: &str) -> Answer {
    let head = "POST /v1/assessments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nX-Request-Id: snapshot\r\n";
    let answer = raw(format!("{head}{rest}").as_bytes());
    contract::check("POST", "/v1/assessments", &answer);
    answer
}

#[test]
fn a_body_over_the_limit_is_refused_by_its_declared_length() {
    let answer = too_large("Content-Length: 32769\r\n\r\n");
    assert_eq!(answer.status, 413);
    insta::assert_json_snapshot!("body_too_large", answer.json());
    assert_eq!(too_large("Content-Length: 18446744073709551615\r\n\r\n").status, 413);
}

#[test]
fn a_body_over_the_limit_is_refused_when_it_comes_in_chunks() {
    let body = " ".repeat(32769);
    let answer = too_large(&format!("Transfer-Encoding: chunked\r\n\r\n8001\r\n{body}"));
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["code"], "body-too-large");
}

#[tokio::test]
async fn a_body_of_the_very_limit_is_read() {
    let body = format!("{{}}{}", " ".repeat(32766));
    let answer = Api::new().try_assess(&body).await;
    assert_eq!(answer.status, 200);
    let chunked = "POST /v1/assessments HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
                   Transfer-Encoding: chunked\r\n\r\n";
    let request = format!("{chunked}8000\r\n{body}\r\n0\r\n\r\n");
    assert_eq!(raw(request.as_bytes()).body, answer.body);
}

#[tokio::test]
async fn parameters_that_make_no_sense_are_named_all_at_once() {
    let api = Api::new();
    let long = format!("/v1/findings?q={}", "x".repeat(101));
    for (path, faults) in [
        ("/v1/conditions?limit=0", &[("?limit", "out_of_range")][..]),
        ("/v1/conditions?limit=-1", &[("?limit", "out_of_range")]),
        ("/v1/conditions?limit=1001", &[("?limit", "out_of_range")]),
        ("/v1/conditions?limit=abc", &[("?limit", "out_of_range")]),
        ("/v1/conditions?limit=", &[("?limit", "out_of_range")]),
        ("/v1/conditions?limit=%2B5", &[("?limit", "out_of_range")]),
        ("/v1/conditions?limit=5.0", &[("?limit", "out_of_range")]),
        ("/v1/conditions?limit=99999999999999999999", &[("?limit", "out_of_range")]),
        ("/v1/conditions?offset=-1", &[("?offset", "out_of_range")]),
        ("/v1/conditions?offset=1000001", &[("?offset", "out_of_range")]),
        ("/v1/conditions?limit=5&limit=5", &[("?limit", "duplicate_parameter")]),
        ("/v1/conditions?limt=5", &[("?limt", "unknown_parameter")]),
        ("/v1/conditions?category=tendons", &[("?category", "unknown_value")]),
        ("/v1/conditions?urgency=", &[("?urgency", "unknown_value")]),
        ("/v1/conditions?location=fever", &[("?location", "unknown_value")]),
        ("/v1/findings?red_flag=yes", &[("?red_flag", "unknown_value")]),
        ("/v1/findings?asked_of=me", &[("?asked_of", "unknown_value")]),
        ("/v1/treatments?stage=drugs", &[("?stage", "unknown_value")]),
        ("/v1/exercises?condition=knee", &[("?condition", "unknown_value")]),
        ("/v1/conditions/labral-tear?lang=en", &[("?lang", "unknown_parameter")]),
        ("/v1/catalogue?a=1&b=2", &[("?a", "unknown_parameter"), ("?b", "unknown_parameter")]),
        (&long, &[("?q", "too_long")]),
        (
            "/v1/findings?limit=0&kind=x&foo=1&q=a&q=b",
            &[
                ("?foo", "unknown_parameter"),
                ("?kind", "unknown_value"),
                ("?limit", "out_of_range"),
                ("?q", "duplicate_parameter"),
            ],
        ),
    ] {
        let answer = api.get(path).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text());
        let faults: Vec<(String, String)> =
            faults.iter().map(|(pointer, code)| ((*pointer).into(), (*code).into())).collect();
        assert_eq!(answer.faults(), faults, "{path}");
    }
    let answer = api.post("/v1/assessments?limit=3", b"{}").await;
    assert_eq!(answer.faults(), [("?limit".into(), "unknown_parameter".into())]);
    let answer = api.get_with("/v1/findings?limt=5&kind=symptoms&offset=x", &[SNAPSHOT]).await;
    insta::assert_json_snapshot!("parameters", answer.json());
}

#[tokio::test]
async fn the_type_of_every_problem_leads_to_its_page() {
    let api = Api::new();
    for kind in ProblemKind::ALL {
        let path = Problem::new(*kind, "").body("id").r#type;
        let page = api.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.text().contains(kind.title()) && page.text().contains(kind.slug()), "{path}");
    }
}

#[tokio::test]
async fn no_answer_to_an_error_says_back_more_than_a_word_of_what_was_sent() {
    let api = Api::new();
    // No piece of it repeats, so that a hit is an echo and no chance.
    let text: String = (0..100).map(|number| format!("{number:02}q")).collect();
    let posts = [
        format!(r#"{{"{text}":1}}"#),
        format!(r#"{{"{text}":1,"{text}":2}}"#),
        format!(r#"{{"options":{{"{text}":{{}}}}}}"#),
        format!(r#"{{"options":{{"limit":1,"limit":1}},"{text}":[{{"{text}":1,"{text}":1}}]}}"#),
        format!(r#"{{"present":["{text}"],"absent":["{text}","{text}"],"unknown":["{text}"]}}"#),
        format!(r#"{{"age":"{text}","sex":"{text}","options":{{"examiner":"{text}","limit":"{text}"}}}}"#),
        format!(r#"{{"present":{{"{text}":"{text}"}}}}"#),
        format!(r#""{text}""#),
        format!("{{\"age\":{text}}}"),
        text.clone(),
        format!("{{\"{text}\""),
    ];
    for body in &posts {
        let answer = api.try_assess(body).await;
        assert!(answer.status == 400 || answer.status == 422, "{body}");
        assert!(longest_echo(&text, &answer) <= 64, "{body}: {}", answer.text());
    }
    let gets = [
        "/T",
        "/v1/conditions/T",
        "/v1/sources/T",
        "/v1/T/",
        "/problems/T",
        "/v1/findings?q=T",
        "/v1/findings?T=1",
        "/v1/conditions?location=T",
        "/v1/conditions?limit=T",
        "/docs/T",
    ];
    for path in gets {
        let answer = api.get(&path.replace('T', &text)).await;
        assert!(answer.status == 404 || answer.status == 422, "{path}: {}", answer.status);
        assert!(longest_echo(&text, &answer) <= 64, "{path}: {}", answer.text());
    }
    let request_id = format!("{text} ");
    let accept = format!("application/{text}");
    for (method, path, headers) in [
        ("GET", "/v1/conditions", [("accept", accept.as_str()), ("x-request-id", &text)]),
        ("POST", "/v1/assessments", [("content-type", &accept), ("x-request-id", &request_id)]),
        ("PUT", "/v1/assessments", [("x-canary", &text), ("user-agent", &text)]),
        (&text, "/v1/assessments", [("cookie", &text), ("origin", &text)]),
    ] {
        let answer = api.send(method, path, &headers, None).await;
        assert!((405..=415).contains(&answer.status), "{method} {path}: {}", answer.status);
        assert!(longest_echo(&text, &answer) <= 64, "{method} {path}: {}", answer.text());
    }
}

#[tokio::test]
async fn text_of_a_client_is_never_markup_in_a_page() {
    let answer = Api::new().get("/problems/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}
