//! The ladder of care of a condition.

use serde_json::Value;

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
