//! Bodies that cannot be read, and bodies that make no sense.

use serde_json::{Value, json};

use crate::support::{Answer, Api};

/// Posts a body with an id of its own, so that the answer can be kept as it is.
async fn refused(body: impl AsRef<[u8]>) -> Answer {
    let headers = [("content-type", "application/json"), ("x-request-id", "snapshot")];
    Api::new().send("POST", "/v1/assessments", &headers, Some(body.as_ref())).await
}

#[tokio::test]
async fn all_faults_of_a_body_are_named_at_once() {
    let answer = refused(r#"{"age": -1, "sx": "female", "present": ["loc-gorin"]}"#).await;
    assert_eq!(answer.status, 422);
    insta::assert_json_snapshot!("three_faults", answer.json());
}

#[tokio::test]
async fn every_sort_of_fault_has_its_own_code_and_place() {
    let body = json!({
        "age": "30",
        "sex": "woman",
        "presnt": [],
        "present": ["loc-groin", "loc-lateral", 7, "no-such-thing-at-all", "fever"],
        "absent": ["fever", null],
        "unknown": "limp",
        "options": { "limit": 0, "explain": "yes", "examiner": "doctor", "lang": "en" }
    });
    let answer = refused(body.to_string()).await;
    assert_eq!(answer.status, 422);
    insta::assert_json_snapshot!("every_sort_of_fault", answer.json());
}

#[tokio::test]
async fn what_is_not_json_is_refused_with_the_place() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no body", b"".into(), "empty"),
        ("spaces alone", b"  \n ".into(), "line 2"),
        ("a body in single quotes", br#"'{"age":30}'"#.into(), "double quotes"),
        ("keys in single quotes", b"{'age':30}".into(), "double quotes"),
        ("keys without quotes", b"{age:30}".into(), "double quotes"),
        ("a form", b"age=30".into(), "line 1, column 1"),
        ("a trailing comma", br#"{"age":30,}"#.into(), "line 1, column 11"),
        ("bytes after the end", br#"{"age":30} {}"#.into(), "trailing"),
        ("an end that is missing", br#"{"present":["fever""#.into(), "line 1"),
        ("not a number", br#"{"age":NaN}"#.into(), "line 1, column 8"),
        ("infinity", br#"{"age":Infinity}"#.into(), "line 1"),
        ("a number out of range", br#"{"age":1e400}"#.into(), "range"),
        ("a leading zero", br#"{"age":030}"#.into(), "line 1"),
        ("a leading plus", br#"{"age":+30}"#.into(), "line 1"),
        ("a byte order mark", b"\xEF\xBB\xBF{}".into(), "byte order mark"),
        ("bytes that are not UTF-8", b"{\"sex\":\"\xFF\"}".into(), "unicode"),
        ("UTF-16", b"\xFF\xFE{\0}\0".into(), "line 1"),
        ("half a surrogate pair", br#"{"sex":"\ud800"}"#.into(), "line 1"),
        ("a raw control character", b"{\"sex\":\"a\0b\"}".into(), "control character"),
        ("a ninth level", deep(9).into(), "8 levels"),
        ("a deep value", format!(r#"{{"options":{}}}"#, deep(8)).into(), "8 levels"),
        ("a comment", b"{} // none".into(), "trailing"),
    ];
    for (what, body, hint) in cases {
        let answer = refused(&body).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        let problem = answer.json();
        assert_eq!(problem["code"], "malformed-json", "{what}");
        assert!(problem["detail"].as_str().unwrap().contains(hint), "{what}: {problem}");
    }
    assert_eq!(refused(deep(8)).await.status, 422, "eight levels are readable");
}

#[tokio::test]
async fn a_body_in_single_quotes_is_explained() {
    let answer = refused(r#"'{"age": 30}'"#).await;
    insta::assert_json_snapshot!("single_quotes", answer.json());
}

#[tokio::test]
async fn a_key_said_twice_is_refused_at_any_depth_and_in_any_spelling() {
    for (body, pointers) in [
        (r#"{"age":30,"age":30}"#, vec!["/age"]),
        (r#"{"age":30,"\u0061ge":31}"#, vec!["/age"]),
        (r#"{"ag\u0065":30,"a\u0067e":31}"#, vec!["/age"]),
        (r#"{"options":{"limit":1,"limit":2}}"#, vec!["/options/limit"]),
        (
            r#"{"present":[],"present":["fever"],"options":{"explain":true,"\u0065xplain":true}}"#,
            vec!["/present", "/options/explain"],
        ),
        (r#"{"present":[{"a/b":1,"a/b":2}]}"#, vec!["/present/0/a~1b"]),
        (r#"[{"a":1,"a":1}]"#, vec!["/0/a"]),
    ] {
        let answer = refused(body).await;
        assert_eq!(answer.status, 400, "{body}");
        let found: Vec<(String, String)> = answer.faults();
        let wanted: Vec<(String, String)> =
            pointers.into_iter().map(|pointer| (pointer.to_owned(), "duplicate_key".to_owned())).collect();
        assert_eq!(found, wanted, "{body}");
    }
    let answer = refused(r#"{"age":30,"\u0061ge":31,"options":{"limit":1,"limit":2}}"#).await;
    insta::assert_json_snapshot!("keys_said_twice", answer.json());
}

#[tokio::test]
async fn values_that_make_no_sense_are_named_with_place_and_code() {
    let cases = [
        ("[30]", "", "wrong_type"),
        ("[]", "", "wrong_type"),
        ("null", "", "wrong_type"),
        ("30", "", "wrong_type"),
        (r#""age""#, "", "wrong_type"),
        (r#"{"age":null}"#, "/age", "wrong_type"),
        (r#"{"age":"30"}"#, "/age", "wrong_type"),
        (r#"{"age":true}"#, "/age", "wrong_type"),
        (r#"{"age":[30]}"#, "/age", "wrong_type"),
        (r#"{"age":-1}"#, "/age", "out_of_range"),
        (r#"{"age":121}"#, "/age", "out_of_range"),
        (r#"{"age":30.5}"#, "/age", "out_of_range"),
        (r#"{"age":1e300}"#, "/age", "out_of_range"),
        (r#"{"age":4294967326}"#, "/age", "out_of_range"),
        (r#"{"age":99999999999999999999999}"#, "/age", "out_of_range"),
        (r#"{"sex":"F"}"#, "/sex", "unknown_value"),
        (r#"{"sex":null}"#, "/sex", "wrong_type"),
        (r#"{"sex":1}"#, "/sex", "wrong_type"),
        (r#"{"sex":"fe\u0000male"}"#, "/sex", "unknown_value"),
        (r#"{"present":"fever"}"#, "/present", "wrong_type"),
        (r#"{"present":{"fever":true}}"#, "/present", "wrong_type"),
        (r#"{"present":null}"#, "/present", "wrong_type"),
        (r#"{"present":[null]}"#, "/present/0", "wrong_type"),
        (r#"{"present":[["fever"]]}"#, "/present/0", "wrong_type"),
        (r#"{"present":["fever\u0000"]}"#, "/present/0", "unknown_finding"),
        (r#"{"present":[""]}"#, "/present/0", "unknown_finding"),
        (r#"{"present":["Fever"]}"#, "/present/0", "unknown_finding"),
        (r#"{"unknown":["fevre"]}"#, "/unknown/0", "unknown_finding"),
        (r#"{"present":["fever"],"absent":["limp","fever"]}"#, "/absent/1", "contradiction"),
        (r#"{"present":["fever"],"unknown":["fever"]}"#, "/unknown/0", "contradiction"),
        (r#"{"absent":["fever"],"unknown":["fever"]}"#, "/unknown/0", "contradiction"),
        (r#"{"present":["loc-groin","loc-lateral"]}"#, "/present/1", "conflicting_choice"),
        (r#"{"present":["onset-gradual","fever","onset-fall-or-blow"]}"#, "/present/2", "conflicting_choice"),
        (r#"{"options":null}"#, "/options", "wrong_type"),
        (r#"{"options":[]}"#, "/options", "wrong_type"),
        (r#"{"options":{"limit":0}}"#, "/options/limit", "out_of_range"),
        (r#"{"options":{"limit":101}}"#, "/options/limit", "out_of_range"),
        (r#"{"options":{"limit":"5"}}"#, "/options/limit", "wrong_type"),
        (r#"{"options":{"explain":1}}"#, "/options/explain", "wrong_type"),
        (r#"{"options":{"examiner":"me"}}"#, "/options/examiner", "unknown_value"),
        (r#"{"options":{"a/b~c":1}}"#, "/options/a~1b~0c", "unknown_field"),
        (r#"{"":1}"#, "/", "unknown_field"),
        (r#"{"Age":30}"#, "/Age", "unknown_field"),
    ];
    for (body, pointer, code) in cases {
        let answer = refused(body).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
        assert_eq!(answer.faults(), [(pointer.to_owned(), code.to_owned())], "{body}");
    }
    let long = json!({ "present": vec!["fever"; 501] });
    assert_eq!(refused(long.to_string()).await.faults(), [("/present".into(), "too_many_items".into())]);
}

#[tokio::test]
async fn whole_numbers_may_be_written_in_any_way_and_the_ends_of_the_range_count() {
    for body in [
        r#"{"age":0}"#,
        r#"{"age":-0}"#,
        r#"{"age":120}"#,
        r#"{"age":30.0}"#,
        r#"{"age":3e1}"#,
        r#"{"present":[],"absent":[],"unknown":[],"options":{}}"#,
        r#"{"options":{"limit":1.0}}"#,
        r#"{"options":{"limit":100}}"#,
    ] {
        assert_eq!(refused(body).await.status, 200, "{body}");
    }
    let body = json!({ "present": vec!["fever"; 500] });
    assert_eq!(refused(body.to_string()).await.status, 200);
}

#[tokio::test]
async fn a_slip_of_the_pen_gets_the_nearest_word() {
    for (body, meant) in [
        (r#"{"presnt":[]}"#, "present"),
        (r#"{"ages":30}"#, "age"),
        (r#"{"options":{"explian":true}}"#, "explain"),
        (r#"{"sex":"femal"}"#, "female"),
        (r#"{"present":["night_pain_side_lying"]}"#, "night-pain-side-lying"),
        (r#"{"absent":["CLICKING-HIP"]}"#, "clicking-hip"),
        (r#"{"unknown":["cannot-bear-wieght"]}"#, "cannot-bear-weight"),
    ] {
        let answer = refused(body).await;
        let problem = answer.json();
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(problem["errors"][0]["suggestions"], json!([meant]), "{body}");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("did you mean `{meant}`?")), "{detail}");
    }
    let stranger = refused(r#"{"present":["toothache-at-night"]}"#).await.json();
    assert_eq!(stranger["errors"][0].get("suggestions"), None);
    let words = refused(r#"{"sex":"it is complicated"}"#).await.json();
    assert!(words["errors"][0]["detail"].as_str().unwrap().contains("female, male"), "{words}");
}

#[tokio::test]
async fn advice_fits_the_fault() {
    for (body, advice) in [
        (r#"{"age":"30"}"#, "send a number without quotes"),
        (r#"{"age":null}"#, "leave the field out where it is not known"),
        (r#"{"age":30.5}"#, "expected a whole number from 0 to 120"),
        ("[30]", "expected an object, found a list"),
    ] {
        let problem: Value = refused(body).await.json();
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(advice), "{body}: {detail}");
    }
}

#[tokio::test]
async fn faults_stand_in_the_order_of_their_places() {
    let body =
        json!({ "sex": 1, "absent": vec![0; 12], "age": "x", "options": { "limit": 0, "explain": 0 } });
    let places: Vec<String> =
        refused(body.to_string()).await.faults().into_iter().map(|(place, _)| place).collect();
    let absent = (0..12).map(|place| format!("/absent/{place}"));
    let rest = ["/age", "/options/explain", "/options/limit", "/sex"].map(ToOwned::to_owned);
    assert_eq!(places, absent.chain(rest).collect::<Vec<String>>());
}

#[tokio::test]
async fn a_flood_of_faults_is_cut_off() {
    let strangers: Vec<String> = (0..500).map(|number| format!("no-such-finding-{number}")).collect();
    let findings = json!({ "present": strangers }).to_string();
    let keys: Vec<String> = (0..2000).map(|number| format!(r#""key-{number}":1"#)).collect();
    let repeated = format!("{{{}}}", vec![r#""a":1"#; 2000].join(","));
    for (body, status) in [(findings, 422), (format!("{{{}}}", keys.join(",")), 422), (repeated, 400)] {
        let answer = refused(&body).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.faults().len(), 100);
        assert!(answer.sent < body.len() * 2, "{} bytes for {}", answer.sent, body.len());
    }
}
