//! Habits of HTTP: HEAD, ids of requests, headers, the documentation page.

use crate::{
    contract,
    support::{Answer, Api, raw, raw_to_end},
};

/// Headers of an answer without those that differ from request to request.
fn comparable(answer: &Answer) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, _)| name != "date" && name != "x-request-id")
        .collect();
    headers.sort();
    headers
}

#[tokio::test]
async fn head_says_what_get_says_without_the_body() {
    let api = Api::new();
    let paths = contract::paths_with("GET");
    assert!(paths.len() > 15);
    for path in paths.into_iter().chain(["/docs".into(), "/docs/".into(), "/docs/index.html".into()]) {
        for encoding in ["identity", "br"] {
            let headers = [("accept-encoding", encoding)];
            let get = api.get_with(&path, &headers).await;
            let head = api.send("HEAD", &path, &headers, None).await;
            assert_eq!(head.status, get.status, "{path}");
            assert_eq!(comparable(&head), comparable(&get), "{path}");
            assert_eq!(head.header("content-length"), Some(get.sent.to_string().as_str()), "{path}");
        }
    }
}

#[tokio::test]
async fn a_plain_request_id_comes_back_and_another_is_replaced() {
    let api = Api::new();
    let long = "a".repeat(64);
    for id in ["a", "0", "Abc-1.2_3", "01a2073d-b149-7580-8867-1c696499fbba", &long] {
        for path in ["/livez", "/v1/conditions", "/v1/conditions/nothing", "/nothing"] {
            let answer = api.get_with(path, &[("x-request-id", id)]).await;
            assert_eq!(answer.header("x-request-id"), Some(id), "{path}");
        }
    }
    let too_long = "a".repeat(65);
    for id in ["", "two words", "a,b", "a/b", "a\"b", "<script>", "a:b", &too_long] {
        let answer = api.get_with("/livez", &[("x-request-id", id)]).await;
        let given = answer.header("x-request-id").unwrap();
        assert_ne!(given, id);
        assert_eq!(given.len(), 36, "{given} is no UUID");
    }
    let answer =
        raw(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: caf\xC3\xA9\r\n\r\n");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-request-id").unwrap().len(), 36);
}

#[tokio::test]
async fn requests_without_an_id_get_different_ones() {
    let api = Api::new();
    let (one, other) = (api.get("/livez").await, api.get("/livez").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn answers_of_the_catalogue_may_be_kept_and_others_not() {
    let api = Api::new();
    for path in contract::paths_with("GET") {
        let kept = !["/livez", "/readyz", "/version"].contains(&path.as_str());
        let answer = api.get(&path).await;
        let wanted = if kept { "public, max-age=300" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), Some(wanted), "{path}");
        assert_eq!(answer.header("etag").is_some(), kept, "{path}");
        assert_eq!(answer.header("vary"), kept.then_some("accept-encoding"), "{path}");
    }
}

#[tokio::test]
async fn the_documentation_page_and_its_files_come_from_the_service_alone() {
    let api = Api::new();
    let answer = api.get("/docs").await;
    assert_eq!(answer.status, 307);
    assert_eq!(answer.header("location"), Some("/docs/"));
    let page = api.get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'self'") && !policy.contains("http"), "{policy}");
    let text = page.text();
    let files = text.split(['"', '\'']).filter(|word| word.ends_with(".js") || word.ends_with(".css"));
    let files: Vec<&str> = files.collect();
    assert!(files.len() >= 3, "{text}");
    for file in files {
        assert!(!file.contains("//"), "{file} is loaded from elsewhere");
        let answer = api.get(&format!("/docs/{}", file.trim_start_matches("./"))).await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(!answer.body.is_empty(), "{file}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        for path in ["/docs", "/docs/", "/docs/index.html"] {
            let answer = api.send(method, path, &[], None).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_root_leads_to_everything_else() {
    let api = Api::new();
    let root = api.read("/").await;
    for (name, link) in root["links"].as_object().unwrap() {
        let link = link.as_str().unwrap();
        let wanted = match name.as_str() {
            "assessments" => 405,
            "docs" => 307,
            _ => 200,
        };
        assert_eq!(api.get(link).await.status, wanted, "{name}");
    }
}

#[test]
fn a_connection_is_kept_after_an_error() {
    let request = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\nDELETE /livez HTTP/1.1\r\nHost: a\r\n\r\n\
                   GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = raw_to_end(request.as_bytes());
    let statuses: Vec<&str> = answers
        .split("HTTP/1.1 ")
        .filter_map(|answer| answer.split(' ').next())
        .filter(|word| !word.is_empty())
        .collect();
    assert_eq!(statuses, ["404", "405", "200"], "{answers}");
}
