//! Entity tags and encodings of answers that may be kept.

use crate::{contract, support::Api};

/// Paths whose answers bear an entity tag.
fn tagged() -> Vec<String> {
    let paths = contract::paths_with("GET").into_iter();
    paths.filter(|path| !["/livez", "/readyz", "/version"].contains(&path.as_str())).collect()
}

#[tokio::test]
async fn an_answer_that_the_client_holds_is_not_sent_again() {
    let api = Api::new();
    for path in tagged().into_iter().chain(["/v1/conditions?q=tendon&limit=3".into()]) {
        let first = api.get(&path).await;
        let tag = first.header("etag").unwrap().to_owned();
        assert!(
            tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10,
            "{path}: {tag} is not a strong tag"
        );
        let weak = format!("W/{tag}");
        let list = format!("\"stale\", {weak}, \"other\"");
        for held in [tag.as_str(), &weak, &list, "*"] {
            for method in ["GET", "HEAD"] {
                let again = api.send(method, &path, &[("if-none-match", held)], None).await;
                assert_eq!(again.status, 304, "{method} {path} {held}");
                for name in ["etag", "cache-control", "vary"] {
                    assert_eq!(again.header(name), first.header(name), "{method} {path} {held}: {name}");
                }
            }
        }
        let cut = tag.replace("\"", "");
        let (prefix, other) = (format!("\"{}\"", &cut[..8]), format!("\"{cut}-other\""));
        for stale in ["\"stale\"", "W/\"stale\"", &prefix, &other, "\"\"", "nonsense", ""] {
            let again = api.get_with(&path, &[("if-none-match", stale)]).await;
            assert_eq!(again.status, 200, "{path} {stale}");
            assert_eq!(again.body, first.body, "{path} {stale}");
        }
    }
}

#[tokio::test]
async fn every_encoding_holds_the_same_bytes_under_a_tag_of_its_own() {
    let api = Api::new();
    let mut encoded = 0;
    for path in tagged() {
        let plain = api.get(&path).await;
        let mut tags = vec![plain.header("etag").unwrap().to_owned()];
        assert_eq!(plain.header("content-encoding"), None);
        for encoding in ["gzip", "br", "zstd"] {
            let answer = api.get_with(&path, &[("accept-encoding", encoding)]).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.body, plain.body, "{path} {encoding}");
            assert_eq!(answer.header("vary"), Some("accept-encoding"), "{path} {encoding}");
            let tag = answer.header("etag").unwrap();
            if answer.header("content-encoding").is_some() {
                assert_eq!(answer.header("content-encoding"), Some(encoding), "{path}");
                assert!(answer.sent < plain.sent, "{path} {encoding}");
                assert!(
                    !tags.contains(&tag.to_owned()),
                    "{path} {encoding}: {tag} is the tag of other bytes"
                );
                tags.push(tag.to_owned());
                encoded += 1;
            } else {
                assert!(plain.sent < 1024, "{path} {encoding}: {} bytes go plain", plain.sent);
                assert_eq!(tag, tags[0], "{path} {encoding}");
            }
            let headers = [("accept-encoding", encoding), ("if-none-match", tag)];
            let again = api.get_with(&path, &headers).await;
            assert_eq!(again.status, 304, "{path} {encoding}");
            assert_eq!(again.header("etag"), Some(tag), "{path} {encoding}");
            assert_eq!(again.header("content-encoding"), None, "{path} {encoding}");
        }
    }
    assert!(encoded > 30);
}

#[tokio::test]
async fn the_encoding_that_the_client_likes_best_is_taken_and_none_is_ever_an_error() {
    let api = Api::new();
    for (accepted, encoding) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip, deflate", Some("gzip")),
        ("gzip;q=1.0, br;q=0.5", Some("gzip")),
        ("br;q=0, gzip", Some("gzip")),
        ("gzip;q=0, br;q=0, zstd;q=0", None),
        ("identity", None),
        ("identity;q=0", None),
        ("*;q=0", None),
        ("deflate", None),
        ("foo, bar", None),
        ("", None),
        (";;q=", None),
    ] {
        let answer = api.get_with("/v1/conditions", &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.status, 200, "{accepted}");
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
    }
    let any = api.get_with("/v1/conditions", &[("accept-encoding", "*")]).await;
    assert_eq!(any.status, 200);
}

#[tokio::test]
async fn a_tag_changes_with_the_answer() {
    let api = Api::new();
    let mut tags = Vec::new();
    for path in tagged().into_iter().chain(["/v1/conditions?limit=1".into(), "/v1/conditions?limit=2".into()])
    {
        let tag = api.get(&path).await.header("etag").unwrap().to_owned();
        assert!(!tags.contains(&tag), "{path} has the tag of another answer");
        tags.push(tag);
    }
}
