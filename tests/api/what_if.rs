//! What other answers would change, and what follows from what was tried.

use serde_json::{Value, json};

use crate::support::{Api, ids, outer_hip_case};

fn with(mut case: Value, field: &str, value: Value) -> Value {
    case[field] = value;
    case
}

fn first_and_level(answer: &Value) -> (String, String) {
    let first = ids(&answer["conditions"])[0].to_owned();
    (first, answer["triage"]["level"].as_str().unwrap().to_owned())
}

/// The case with one finding answered in a given way and in no other.
fn answered(case: &Value, change: &Value) -> Value {
    let mut case = case.clone();
    let finding = &change["finding"];
    for list in ["present", "absent"] {
        let mut ids: Vec<Value> = case[list].as_array().cloned().unwrap_or_default();
        ids.retain(|id| id != finding);
        if change["state"] == list {
            ids.push(finding.clone());
        }
        case[list] = Value::Array(ids);
    }
    case
}

#[tokio::test]
async fn what_it_says_of_another_answer_is_what_that_answer_gives() {
    let api = Api::new();
    let plain = outer_hip_case();
    let case = with(plain.clone(), "options", json!({ "what_if": true }));
    let answer = api.assess(&case).await;
    let (first, level) = first_and_level(&answer);
    let what_if = &answer["what_if"];
    assert_eq!(what_if["open"]["changes"], true, "{what_if}");
    let changes = what_if["answered"].as_array().unwrap().iter().chain([&what_if["open"]]);
    let mut seen = 0;
    for change in changes {
        let other = api.assess(&answered(&plain, change)).await;
        let (other_first, other_level) = first_and_level(&other);
        let told_first = change["first"]["id"].as_str().unwrap_or(&first);
        let told_level = change["level"].as_str().unwrap_or(&level);
        assert_eq!((told_first, told_level), (other_first.as_str(), other_level.as_str()), "{change}");
        assert_eq!(change["changes"], json!(first != other_first || level != other_level), "{change}");
        seen += 1;
    }
    assert_eq!(seen, 7, "six answers and one open finding: {what_if}");
}

#[tokio::test]
async fn it_is_left_out_unless_it_is_asked_for() {
    let answer = Api::new().assess(&outer_hip_case()).await;
    assert!(answer.get("what_if").is_none());
}

#[tokio::test]
async fn the_next_step_follows_from_the_history() {
    let api = Api::new();
    let cleared = json!({ "absent": ["suspected-infection", "suspected-fracture"] });
    let told = |treatments: Value| {
        let history = json!({
            "weeks_since_onset": 20, "treatments": treatments, "contraindications": cleared.clone()
        });
        with(outer_hip_case(), "history", history)
    };
    let nothing = api.assess(&told(json!([]))).await;
    assert_eq!(nothing["conditions"][0]["next_step"]["action"]["kind"], "start");
    let under_way = json!([{ "id": "physio-loading", "weeks": 2, "response": "partial", "ongoing": true }]);
    let going_on = api.assess(&told(under_way)).await;
    let step = &going_on["conditions"][0]["next_step"];
    let treatments = step["treatments"].as_array().unwrap();
    let current = treatments.iter().find(|treatment| treatment["id"] == "physio-loading").unwrap();
    assert_eq!(current["status"], "current", "{step}");
    // The position on the ladder, asked for itself, says the same.
    let request = json!({
        "age": 52, "sex": "female", "triage_level": going_on["triage"]["level"],
        "history": {
            "weeks_since_onset": 20,
            "treatments": [{ "id": "physio-loading", "weeks": 2, "response": "partial", "ongoing": true }],
            "contraindications": cleared
        }
    });
    let path = "/v1/conditions/gluteal-tendinopathy/escalation";
    let position = api.post(path, request.to_string().as_bytes()).await.json();
    assert_eq!(position["next_action"], step["action"]);
}

#[tokio::test]
async fn nothing_that_loads_the_hip_is_next_while_an_injured_bone_is_suspected() {
    let api = Api::new();
    let case = json!({
        "age": 24, "sex": "female",
        "present": ["loc-groin", "worse-as-run-goes-on", "missed-periods", "recent-training-increase"],
        "history": { "weeks_since_onset": 4, "treatments": [] },
        "options": { "limit": 10 }
    });
    let answer = api.assess(&case).await;
    let mut seen = 0;
    for condition in answer["conditions"].as_array().unwrap() {
        let step = &condition["next_step"];
        assert_eq!(step["action"]["kind"], "see_someone", "{condition}");
        for treatment in step["treatments"].as_array().unwrap() {
            let entry = api.read(&format!("/v1/treatments/{}", treatment["id"].as_str().unwrap())).await;
            assert_eq!(entry["loading"], false, "{treatment}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

/// Whether tablets against inflammation are a first step of any condition for a woman of 30 who reports this.
async fn tablets_are_a_first_step(present: Value) -> bool {
    let case = json!({ "age": 30, "sex": "female", "present": present, "options": { "limit": 100 } });
    Api::new().assess(&case).await["conditions"].to_string().contains("\"oral-nsaids\"")
}

#[tokio::test]
async fn pregnancy_keeps_tablets_out_of_the_first_step() {
    assert!(!tablets_are_a_first_step(json!(["loc-lateral", "pregnant-postpartum"])).await);
    let other = tablets_are_a_first_step(json!(["loc-lateral"])).await;
    assert!(other, "the tablets must be a first step of some condition for this to show anything");
}

#[tokio::test]
async fn blood_thinners_keep_tablets_out_of_the_first_step() {
    assert!(!tablets_are_a_first_step(json!(["loc-lateral", "blood-thinners"])).await);
    assert!(tablets_are_a_first_step(json!(["loc-lateral"])).await);
}

#[tokio::test]
async fn weeks_that_differ_between_measures_and_history_are_refused() {
    let case = json!({ "measures": { "weeks_since_onset": 3 }, "history": { "weeks_since_onset": 5 } });
    let answer = Api::new().try_assess(case.to_string()).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.faults(), [("/history/weeks_since_onset".to_owned(), "contradiction".to_owned())]);
}
