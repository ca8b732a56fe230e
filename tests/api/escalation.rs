//! The ladder of care of a condition.

use serde_json::{Value, json};

use crate::support::{Api, ids};

async fn ladders(api: &Api) -> Vec<(Value, Value)> {
    let mut ladders = Vec::new();
    for condition in api.items("/v1/conditions").await {
        let ladder = api.read(&format!("{}/escalation", condition["href"].as_str().unwrap())).await;
        ladders.push((condition, ladder));
    }
    ladders
}

fn steps(ladder: &Value) -> Vec<(&str, &Value)> {
    let stages = ladder["stages"].as_array().unwrap().iter();
    stages
        .flat_map(|stage| {
            let name = stage["stage"].as_str().unwrap();
            stage["steps"].as_array().unwrap().iter().map(move |step| (name, step))
        })
        .collect()
}

#[tokio::test]
async fn care_goes_from_conservative_to_injection_to_surgery() {
    const STAGES: [&str; 3] = ["conservative", "injection", "surgery"];
    let api = Api::new();
    let mut climbed = 0;
    for (condition, ladder) in ladders(&api).await {
        let stages: Vec<usize> = ladder["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stage| STAGES.iter().position(|name| stage["stage"] == *name).unwrap())
            .collect();
        assert!(stages.windows(2).all(|pair| pair[0] < pair[1]), "{}: {stages:?}", condition["id"]);
        climbed += usize::from(stages.len() == 3);
        for (stage, step) in steps(&ladder) {
            let treatment =
                api.read(&format!("/v1/treatments/{}", step["treatment"]["id"].as_str().unwrap())).await;
            assert_eq!(treatment["stage"], stage, "{}: {step}", condition["id"]);
            assert_eq!(treatment["name"], step["treatment"]["name"]);
        }
    }
    assert!(climbed >= 3, "only {climbed} ladders have all three stages");
}

#[tokio::test]
async fn every_step_has_its_place_its_grade_and_its_sources() {
    for (condition, ladder) in ladders(&Api::new()).await {
        let references = ids(&ladder["references"]);
        let mut orders: Vec<u64> = Vec::new();
        for (_, step) in steps(&ladder) {
            orders.push(step["order"].as_u64().unwrap());
            let sources = step["sources"].as_array().unwrap();
            assert!(!sources.is_empty(), "{}: {step}", condition["id"]);
            assert!(
                sources.iter().all(|source| references.contains(&source.as_str().unwrap())),
                "{}",
                condition["id"]
            );
            let advised_against = step["recommendation"] == "not_recommended";
            assert!(
                !advised_against || step["why_not"].is_string(),
                "{}: {step} does not say why",
                condition["id"]
            );
        }
        orders.sort_unstable();
        assert!(
            orders.iter().zip(1..).all(|(order, place)| *order == place),
            "{}: {orders:?}",
            condition["id"]
        );
    }
}

#[tokio::test]
async fn ranked_conditions_have_a_ladder_and_umbrellas_lead_to_their_members() {
    for (condition, ladder) in ladders(&Api::new()).await {
        let id = &condition["id"];
        assert_eq!(ladder["condition"]["id"], *id);
        let empty = ladder["stages"].as_array().unwrap().is_empty();
        match condition["role"].as_str().unwrap() {
            "ranked" => assert!(!empty, "{id}"),
            "umbrella" => {
                let members: Vec<&str> = condition["members"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|member| member.as_str().unwrap())
                    .collect();
                assert!(empty && !members.is_empty(), "{id}");
                assert_eq!(ids(&ladder["members"]), members, "{id}");
            }
            _ => assert!(empty, "{id}"),
        }
    }
}

#[tokio::test]
async fn a_bone_under_stress_is_never_injected() {
    let api = Api::new();
    for id in ["femoral-neck-stress-fracture", "femoral-shaft-stress-fracture", "sacral-stress-fracture"] {
        let ladder = api.read(&format!("/v1/conditions/{id}/escalation")).await;
        for (stage, step) in steps(&ladder) {
            assert!(stage != "injection" || step["recommendation"] == "not_recommended", "{id}: {step}");
        }
    }
}

#[tokio::test]
async fn injections_are_capped_and_come_after_other_care() {
    for (condition, ladder) in ladders(&Api::new()).await {
        for (stage, step) in steps(&ladder) {
            let name = step["treatment"]["id"].as_str().unwrap();
            if stage == "injection"
                && name.contains("corticosteroid")
                && step["recommendation"] != "not_recommended"
            {
                let caps = &step["gate"]["injections"];
                let capped = caps["per_area"].as_u64().is_some_and(|count| (1..=3).contains(&count));
                assert!(capped, "{}: {step}", condition["id"]);
            }
            if stage == "injection" && step["recommendation"] == "recommended" {
                assert_eq!(step["gate"]["immediate"], false, "{}: {step}", condition["id"]);
            }
        }
    }
}

#[tokio::test]
async fn the_step_that_an_assessment_names_stands_on_the_ladder() {
    let api = Api::new();
    let mut case = crate::support::outer_hip_case();
    case["options"] = serde_json::json!({ "limit": 100 });
    let answer = api.assess(&case).await;
    let mut named = 0;
    for condition in answer["conditions"].as_array().unwrap() {
        let ladder = api.read(&format!("{}/escalation", condition["href"].as_str().unwrap())).await;
        let steps = steps(&ladder);
        for treatment in condition["next_step"]["treatments"].as_array().into_iter().flatten() {
            let (stage, step) =
                steps.iter().find(|(_, step)| step["treatment"]["id"] == treatment["id"]).unwrap();
            assert_eq!(condition["next_step"]["stage"], *stage, "{}", condition["id"]);
            assert_eq!(treatment["recommendation"], step["recommendation"]);
            assert_ne!(treatment["recommendation"], "not_recommended");
            assert_eq!(treatment["detail"], step["detail"]);
            named += 1;
        }
    }
    assert!(named > 20);
}

const OSTEOARTHRITIS: &str = "/v1/conditions/hip-osteoarthritis/escalation";

/// Posts what was done so far, which must be accepted.
async fn stand(path: &str, body: &Value) -> Value {
    let answer = Api::new().post(path, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

fn standing<'a>(position: &'a Value, treatment: &str) -> &'a Value {
    let steps = position["steps"].as_array().unwrap();
    steps.iter().find(|step| step["treatment"]["id"] == treatment).unwrap()
}

/// A gate's status by its name.
fn gate<'a>(step: &'a Value, name: &str) -> &'a Value {
    let gates = step["gates"].as_array().unwrap();
    &gates.iter().find(|gate| gate["gate"] == name).unwrap_or_else(|| panic!("no {name} in {step}"))["status"]
}

fn after_twelve_weeks_of_exercise() -> Value {
    json!({
        "age": 64,
        "sex": "male",
        "history": {
            "weeks_since_onset": 40,
            "treatments": [
                { "id": "education", "weeks": 12, "response": "none" },
                { "id": "physio-loading", "weeks": 12, "response": "partial" },
                { "id": "oral-nsaids", "weeks": 3, "response": "none", "ongoing": false }
            ],
            "imaging_done": ["xray"],
            "contraindications": {
                "absent": [
                    "suspected-infection", "suspected-fracture", "uncontrolled-diabetes", "joint-replacement-planned"
                ]
            }
        }
    })
}

#[tokio::test]
async fn one_who_tried_nothing_begins_with_conservative_care() {
    let position = stand(OSTEOARTHRITIS, &json!({})).await;
    assert_eq!(position["current_stage"], "conservative");
    assert_eq!(position["next_action"]["kind"], "start");
    assert_eq!(position["next_action"]["treatment"]["id"], "education");
    assert_eq!(standing(&position, "education")["status"], "available");
    let exercise = standing(&position, "physio-loading");
    assert_eq!((&exercise["status"], gate(exercise, "danger")), (&json!("blocked"), &json!("unknown")));
    let injection = standing(&position, "corticosteroid-intra-articular");
    assert_eq!((&injection["status"], gate(injection, "stage_tried")), (&json!("blocked"), &json!("unmet")));
    assert_eq!(standing(&position, "hyaluronic-acid")["status"], "not_recommended");
    assert_eq!(position["review_after_weeks"], 2.0);
    assert!(!position["seek_help_sooner"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn care_that_failed_opens_the_injection_and_the_answer_says_on_what_facts() {
    let position = stand(OSTEOARTHRITIS, &after_twelve_weeks_of_exercise()).await;
    assert_eq!(standing(&position, "education")["status"], "done");
    assert_eq!(standing(&position, "physio-loading")["status"], "current");
    let injection = standing(&position, "corticosteroid-intra-articular");
    assert_eq!(injection["status"], "available");
    for gate in injection["gates"].as_array().unwrap() {
        assert_eq!(gate["status"], "met", "{gate}");
    }
    assert!(injection.to_string().contains("At least 12 weeks of care; 6 are due."), "{injection}");
    assert_eq!(ids(&injection["to_check"]), ["osteonecrosis"]);
    assert_eq!(position["next_action"]["kind"], "discuss");
    assert_eq!(position["next_action"]["treatment"]["id"], "corticosteroid-intra-articular");
}

#[tokio::test]
async fn three_injections_within_the_year_close_the_way_to_a_fourth() {
    let mut body = after_twelve_weeks_of_exercise();
    let given = json!({
        "id": "corticosteroid-intra-articular", "response": "partial", "count": 3, "weeks_since_last": 6
    });
    body["history"]["treatments"].as_array_mut().unwrap().push(given);
    let position = stand(OSTEOARTHRITIS, &body).await;
    assert_eq!(position["current_stage"], "injection");
    let injection = standing(&position, "corticosteroid-intra-articular");
    assert_eq!(injection["status"], "blocked");
    for name in ["injections_in_area", "injections_in_year", "injection_spacing"] {
        assert_eq!(gate(injection, name), "unmet", "{name}");
    }
    assert_eq!(position["next_action"]["kind"], "see_someone");
    assert!(position["next_action"]["text"].as_str().unwrap().contains("cap on injections"), "{position}");
}

#[tokio::test]
async fn a_suspected_fracture_closes_all_that_loads_or_injects_and_leads_to_someone() {
    let api = Api::new();
    let mut body = after_twelve_weeks_of_exercise();
    body["suspected"] = json!(["femoral-neck-stress-fracture"]);
    for condition in api.items("/v1/conditions").await {
        let path = format!("{}/escalation", condition["href"].as_str().unwrap());
        let position = stand(&path, &body).await;
        assert_eq!(position["next_action"]["kind"], "see_someone", "{path}");
        assert!(position.get("review_after_weeks").is_none(), "{path}");
        for step in position["steps"].as_array().unwrap() {
            let treatment =
                api.read(&format!("/v1/treatments/{}", step["treatment"]["id"].as_str().unwrap())).await;
            let held_back = treatment["loading"] == true || step["stage"] == "injection";
            let open = step["status"] == "available" || step["status"] == "current";
            assert!(!(held_back && open), "{path}: {step}");
        }
    }
}

#[tokio::test]
async fn an_umbrella_names_its_members_and_still_says_what_to_do() {
    let position = stand("/v1/conditions/runners-hip/escalation", &json!({})).await;
    assert_eq!(position["steps"], json!([]));
    assert!(ids(&position["members"]).len() > 5);
    assert_eq!(position["next_action"]["kind"], "review");
    assert_eq!(position["review_after_weeks"], 2.0);
}

#[tokio::test]
async fn the_same_history_gets_the_same_bytes() {
    let body = after_twelve_weeks_of_exercise().to_string();
    let api = Api::new();
    let one = api.post(OSTEOARTHRITIS, body.as_bytes()).await;
    assert_eq!(one.body, api.post(OSTEOARTHRITIS, body.as_bytes()).await.body);
    let headers = [("content-type", "application/json"), ("accept-encoding", "br")];
    let encoded = api.send("POST", OSTEOARTHRITIS, &headers, Some(body.as_bytes())).await;
    assert_eq!(encoded.header("content-encoding"), Some("br"));
    assert_eq!(one.body, encoded.body);
}

#[tokio::test]
async fn every_fault_of_a_history_is_named_at_once_with_what_was_meant() {
    let body = json!({
        "age": 200,
        "sex": "femle",
        "histroy": {},
        "triage_level": "panic",
        "suspected": ["femoral-neck-stress-fractur", 3],
        "history": {
            "weeks_since_onset": 4,
            "treatments": [
                { "id": "physio-loadin", "weeks": -1, "response": "bad" },
                { "weeks": 2 },
                { "id": "ice", "count": 2, "weeks": 5 },
                { "id": "education", "wekes": 2 },
                "ice"
            ],
            "weeks_of_conservative_care": 3,
            "imaging_done": ["x-ray"],
            "injections": { "same_area": 1.5 },
            "contraindications": { "present": ["pregnancy"], "absent": ["pregnancy", "suspected-infectoin"] },
            "circumstances": { "present": ["pain-free-walkin"] }
        }
    });
    let answer = Api::new().post(OSTEOARTHRITIS, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 422);
    let faults = answer.faults();
    let faults: Vec<(&str, &str)> =
        faults.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect();
    assert_eq!(
        faults,
        [
            ("/age", "out_of_range"),
            ("/history/circumstances/present/0", "unknown_circumstance"),
            ("/history/contraindications/absent/0", "contradiction"),
            ("/history/contraindications/absent/1", "unknown_contraindication"),
            ("/history/imaging_done/0", "unknown_value"),
            ("/history/injections/same_area", "out_of_range"),
            ("/history/treatments/0/id", "unknown_treatment"),
            ("/history/treatments/0/response", "unknown_value"),
            ("/history/treatments/0/weeks", "out_of_range"),
            ("/history/treatments/1", "missing_field"),
            ("/history/treatments/2/count", "not_applicable"),
            ("/history/treatments/2/weeks", "contradiction"),
            ("/history/treatments/3/wekes", "unknown_field"),
            ("/history/treatments/4", "wrong_type"),
            ("/history/weeks_of_conservative_care", "contradiction"),
            ("/histroy", "unknown_field"),
            ("/sex", "unknown_value"),
            ("/suspected/0", "unknown_condition"),
            ("/suspected/1", "wrong_type"),
            ("/triage_level", "unknown_value"),
        ]
    );
    let problem = answer.json();
    for meant in ["physio-loading", "femoral-neck-stress-fracture", "suspected-infection", "history", "xray"]
    {
        let told =
            problem["errors"].as_array().unwrap().iter().any(|error| error["suggestions"] == json!([meant]));
        assert!(told, "{meant}: {problem}");
    }
}

#[tokio::test]
async fn an_unknown_condition_has_no_position_and_the_nearest_is_named() {
    let answer = Api::new().post("/v1/conditions/hip-osteoarthritus/escalation", b"{}").await;
    assert_eq!(answer.status, 404);
    assert!(answer.json()["detail"].as_str().unwrap().contains("`hip-osteoarthritis`"), "{}", answer.text());
}

#[tokio::test]
async fn the_path_of_a_ladder_takes_get_and_post() {
    let api = Api::new();
    for method in ["OPTIONS", "DELETE"] {
        let answer = api.send(method, OSTEOARTHRITIS, &[], None).await;
        assert_eq!(answer.header("allow"), Some("GET, HEAD, POST, OPTIONS"), "{method}");
    }
    assert_eq!(api.send("HEAD", OSTEOARTHRITIS, &[], None).await.status, 200);
}
