//! All questions at once, for asking without a connection.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::Api;

async fn questions() -> Vec<Value> {
    Api::new().read("/v1/questionnaire").await["questions"].as_array().unwrap().clone()
}

fn options(question: &Value) -> &[Value] {
    question["options"].as_array().unwrap()
}

#[tokio::test]
async fn every_finding_is_asked_in_exactly_one_question() {
    let findings = Api::new().items("/v1/findings?limit=1000").await;
    let known: BTreeSet<String> =
        findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect();
    let mut asked = BTreeSet::new();
    for option in questions().await.iter().flat_map(options) {
        let id = option["finding"].as_str().unwrap().to_owned();
        assert!(asked.insert(id.clone()), "{id} is asked twice");
    }
    assert_eq!(asked, known);
}

#[tokio::test]
async fn ids_are_unique_and_warning_signs_come_before_what_tells_causes_apart() {
    let questions = questions().await;
    let ids: BTreeSet<&str> = questions.iter().map(|question| question["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), questions.len());
    assert_eq!(questions[0]["why"], "safety");
    let last_of_safety = questions.iter().rposition(|question| question["why"] == "safety").unwrap();
    let first_other = questions.iter().position(|question| question["why"] == "discriminates").unwrap();
    assert!(last_of_safety < first_other);
}

#[tokio::test]
async fn a_level_that_an_option_asks_for_alone_is_the_least_that_an_assessment_gives() {
    const LEVELS: [&str; 5] = ["self_care", "routine", "soon", "urgent", "emergency"];
    let place = |level: &Value| LEVELS.iter().position(|known| level == *known).unwrap();
    let api = Api::new();
    let mut emergencies = 0;
    for option in questions().await.iter().flat_map(options) {
        if option["level_alone"].is_null() {
            continue;
        }
        let sex = option["only_for"]["sex"].as_str().unwrap_or("female");
        let answer = api.assess(&json!({ "age": 50, "sex": sex, "present": [option["finding"]] })).await;
        assert!(place(&answer["triage"]["level"]) >= place(&option["level_alone"]), "{option}");
        emergencies += usize::from(option["level_alone"] == "emergency");
    }
    assert!(emergencies >= 3, "only {emergencies} options are an emergency in themselves");
}

#[tokio::test]
async fn answers_to_all_questions_make_one_assessment_without_open_warning_signs() {
    let mut case = json!({ "present": [], "absent": [], "measures": {} });
    for question in questions().await {
        match question["answer"].as_str().unwrap() {
            "sex" => case["sex"] = json!("female"),
            "number" => match question["field"].as_str().unwrap().strip_prefix("measures.") {
                None => case["age"] = json!(40),
                // A week of mild pain, and a weekly distance that stayed the same.
                Some("weeks_since_onset") => case["measures"]["weeks_since_onset"] = json!(1),
                Some(measure) => {
                    case["measures"][measure] = json!(question["range"]["most"].as_f64().unwrap() / 10.0);
                }
            },
            _ => {
                for option in options(&question) {
                    let skipped = option["only_for"]["sex"] == "male"
                        || option["settled_by"].as_array().is_some_and(|measures| !measures.is_empty())
                        || question["asked_of"] == "clinician";
                    if !skipped {
                        case["absent"].as_array_mut().unwrap().push(option["finding"].clone());
                    }
                }
            }
        }
    }
    let answer = Api::new().assess(&case).await;
    assert_eq!(answer["triage"]["unscreened"], json!([]));
    assert_eq!(answer["triage"]["level"], "self_care", "{}", answer["triage"]);
    assert_eq!(answer["interview"]["complete"], true, "{}", answer["interview"]);
}

#[tokio::test]
async fn the_list_can_be_kept_by_its_entity_tag() {
    let api = Api::new();
    let first = api.get("/v1/questionnaire").await;
    let tag = first.header("etag").unwrap();
    assert!(first.header("cache-control").unwrap().contains("max-age"));
    let again = api.get_with("/v1/questionnaire", &[("if-none-match", tag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}
