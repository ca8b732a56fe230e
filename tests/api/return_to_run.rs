//! The return to running: plans, and where to go on one after a session.

use serde_json::{Value, json};

use crate::support::{Answer, Api, ids};

const PATH: &str = "/v1/return-to-run";

/// A session that went well.
fn well() -> Value {
    json!({
        "condition": "gluteal-tendinopathy",
        "step": 3,
        "sessions_at_step": 2,
        "pain_during": 1,
        "pain_after": 0.5,
        "worse_next_day": false,
        "limping": false,
        "new_warning_sign": false
    })
}

/// A report with some fields replaced.
fn with(changes: &Value) -> Value {
    let mut report = well();
    for (key, value) in changes.as_object().unwrap() {
        report[key] = value.clone();
    }
    report
}

async fn post(body: impl AsRef<[u8]>) -> Answer {
    let headers = [("content-type", "application/json"), ("x-request-id", "snapshot")];
    Api::new().send("POST", PATH, &headers, Some(body.as_ref())).await
}

async fn check(report: &Value) -> Value {
    let answer = post(report.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

fn codes(check: &Value) -> Vec<&str> {
    check["why"].as_array().unwrap().iter().map(|why| why["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_verdict_names_its_reasons_and_the_next_step() {
    let bone = json!({ "condition": "femoral-neck-stress-fracture", "step": 1, "sessions_at_step": 3,
        "pain_during": 0, "pain_after": 0, "bone_cleared": true });
    let cases = [
        (json!({}), "advance", vec!["went_well"], Some(4)),
        (json!({ "sessions_at_step": 1 }), "hold", vec!["more_sessions"], Some(3)),
        (json!({ "pain_during": 2.5 }), "hold", vec!["pain_during"], Some(3)),
        (json!({ "pain_after": 4, "limping": true }), "step_back", vec!["limp", "pain_after_high"], Some(2)),
        (json!({ "worse_next_day": true, "step": 1 }), "see_someone", vec!["first_step_too_much"], None),
        (json!({ "new_warning_sign": true }), "see_someone", vec!["warning_sign"], None),
        (json!({ "bone_cleared": false }), "see_someone", vec!["bone_not_cleared"], None),
        (bone.clone(), "advance", vec!["went_well"], Some(2)),
        (json!({ "condition": "septic-arthritis-hip" }), "see_someone", vec!["treated_first"], None),
    ];
    for (changes, verdict, why, next) in cases {
        let answer = check(&with(&changes)).await;
        assert_eq!((answer["verdict"].as_str().unwrap(), codes(&answer)), (verdict, why), "{changes}");
        assert_eq!(answer["next_step"]["number"].as_u64(), next, "{changes}");
        if let Some(next) = next {
            let steps = answer["plan"]["steps"].as_array().unwrap();
            let place = usize::try_from(next).unwrap() - 1;
            assert_eq!(answer["next_step"], steps[place]);
        }
    }
    let mut unknown = with(&bone);
    unknown.as_object_mut().unwrap().remove("bone_cleared");
    assert_eq!(codes(&check(&unknown).await), ["bone_not_cleared"]);
    unknown["bone_cleared"] = json!(true);
    unknown["pain_after"] = json!(0.5);
    assert_eq!(codes(&check(&unknown).await), ["pain_in_bone"]);
}

#[tokio::test]
async fn a_plan_ends_and_says_so() {
    let plan = check(&well()).await["plan"].clone();
    assert_eq!(plan["id"], "walk-run");
    let last = plan["steps"].as_array().unwrap().len();
    let answer = check(&with(&json!({ "step": last }))).await;
    assert_eq!((&answer["verdict"], &answer["finished"]), (&json!("advance"), &json!(true)));
    assert!(answer.get("next_step").is_none());
    assert_eq!(codes(&answer), ["finished"]);
}

#[tokio::test]
async fn all_faults_of_a_report_are_named_at_once() {
    let body = json!({
        "condition": "gluteal-tendinopaty",
        "step": 0,
        "sessions_at_step": 1.5,
        "pain_during": 11,
        "pain_after": "2",
        "limping": "no",
        "bone_cleared": null,
        "pain": 3
    });
    let answer = post(body.to_string()).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    let faults = answer.faults();
    let faults: Vec<(&str, &str)> =
        faults.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect();
    assert_eq!(
        faults,
        [
            ("/bone_cleared", "wrong_type"),
            ("/condition", "unknown_condition"),
            ("/limping", "wrong_type"),
            ("/new_warning_sign", "missing_field"),
            ("/pain", "unknown_field"),
            ("/pain_after", "wrong_type"),
            ("/pain_during", "out_of_range"),
            ("/sessions_at_step", "out_of_range"),
            ("/step", "out_of_range"),
            ("/worse_next_day", "missing_field"),
        ]
    );
    let suggestions = answer.json()["errors"][1]["suggestions"].clone();
    assert_eq!(suggestions, json!(["gluteal-tendinopathy"]));
}

#[tokio::test]
async fn a_step_that_the_plan_does_not_have_is_refused_with_the_number_of_steps() {
    let answer = post(with(&json!({ "step": 11 })).to_string()).await;
    assert_eq!(answer.faults(), [("/step".to_owned(), "out_of_range".to_owned())]);
    assert!(answer.text().contains("from 1 to 10"), "{}", answer.text());
    assert_eq!(
        check(&with(&json!({ "step": 11, "condition": "sacral-stress-fracture" }))).await["verdict"],
        "see_someone"
    );
}

#[tokio::test]
async fn what_is_missing_is_never_taken_for_no() {
    for key in well().as_object().unwrap().keys() {
        let mut report = well();
        report.as_object_mut().unwrap().remove(key);
        let answer = post(report.to_string()).await;
        assert_eq!(answer.faults(), [(format!("/{key}"), "missing_field".to_owned())]);
    }
    for (body, status) in [("[]", 422), ("", 400), ("{\"step\": 1, \"step\": 2}", 400)] {
        assert_eq!(post(body).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn plans_are_listed_found_and_cached() {
    let api = Api::new();
    let list = api.read(PATH).await;
    assert_eq!(
        ids(&list["items"]),
        ["walk-run", "walk-run-after-bone-injury", "walk-run-after-muscle-strain"]
    );
    for (query, plan) in [
        ("condition=hip-osteoarthritis", "walk-run"),
        ("condition=hamstring-strain", "walk-run-after-muscle-strain"),
        ("condition=pelvic-stress-fracture", "walk-run-after-bone-injury"),
        ("q=muscle%20strian", "walk-run-after-muscle-strain"),
    ] {
        let found = api.read(&format!("{PATH}?{query}")).await;
        assert_eq!(ids(&found["items"]).first(), Some(&plan), "{query}");
    }
    let answer = api.get(PATH).await;
    let tag = answer.header("etag").unwrap();
    assert_eq!(api.get_with(PATH, &[("if-none-match", tag)]).await.status, 304);
    let refused = api.get(&format!("{PATH}?condition=hamstring-strian")).await;
    assert_eq!(refused.faults(), [("?condition".to_owned(), "unknown_value".to_owned())]);
}

#[tokio::test]
async fn the_path_takes_reading_posting_and_nothing_else() {
    let api = Api::new();
    let allowed = "GET, HEAD, POST, OPTIONS";
    let options = api.send("OPTIONS", PATH, &[], None).await;
    assert_eq!((options.status, options.header("allow")), (204, Some(allowed)));
    let refused = api.send("PUT", PATH, &[], None).await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some(allowed)));
    assert_eq!(api.send("HEAD", PATH, &[], None).await.status, 200);
}

#[tokio::test]
async fn every_condition_has_a_plan_and_an_answer() {
    let api = Api::new();
    for condition in api.items("/v1/conditions").await {
        let answer = check(&with(&json!({ "condition": condition["id"], "step": 1 }))).await;
        assert_eq!(answer["condition"]["id"], condition["id"]);
        assert!(!codes(&answer).is_empty(), "{condition}");
    }
}
