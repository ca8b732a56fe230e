//! The main job: answers in, ranking and triage out.

use serde_json::{Value, json};

use crate::support::{Api, ids, outer_hip_case};

const LEVELS: [&str; 5] = ["self_care", "routine", "soon", "urgent", "emergency"];

fn level(answer: &Value) -> usize {
    let level = answer["triage"]["level"].as_str().unwrap();
    LEVELS.iter().position(|known| *known == level).unwrap()
}

/// An answer without the open questions, which an answer of "do not know" rightly closes.
fn without_open_questions(mut answer: Value) -> Value {
    for condition in answer["conditions"].as_array_mut().unwrap() {
        condition["evidence"].as_object_mut().unwrap().remove("would_help").unwrap();
    }
    // What to ask next leaves out what was asked and is not known.
    answer.as_object_mut().unwrap().remove("interview");
    for danger in answer["must_not_miss"].as_array_mut().unwrap() {
        danger.as_object_mut().unwrap().remove("settled_by");
    }
    answer
}

#[tokio::test]
async fn pain_at_the_outer_hip_points_to_the_gluteal_tendons() {
    let answer = Api::new().assess(&outer_hip_case()).await;
    assert_eq!(ids(&answer["conditions"])[0], "gluteal-tendinopathy");
    assert_eq!(answer["conditions"].as_array().unwrap().len(), 5);
    assert_eq!(answer["triage"]["level"], "routine");
    let first = &answer["conditions"][0];
    assert!(first["probability"].as_f64() > first["pre_test_probability"].as_f64());
    assert_eq!(first["next_step"]["stage"], "conservative");
    let supports = first["evidence"]["supports"].as_array().unwrap();
    assert!(supports.iter().any(|answer| answer["finding"] == "night-pain-side-lying"));
    for condition in answer["conditions"].as_array().unwrap() {
        for open in condition["evidence"]["would_help"].as_array().unwrap() {
            assert!(!outer_hip_case().to_string().contains(&open["finding"].to_string()), "{open}");
        }
    }
}

#[tokio::test]
async fn the_triage_comes_first_in_the_answer() {
    let answer = Api::new().try_assess(outer_hip_case().to_string()).await;
    assert!(answer.text().starts_with("{\"triage\":{\"level\":"), "{}", answer.text());
}

#[tokio::test]
async fn fever_with_a_leg_that_bears_no_weight_is_an_emergency() {
    let answer = Api::new().assess(&json!({ "present": ["fever", "cannot-bear-weight"] })).await;
    assert_eq!(answer["triage"]["level"], "emergency");
    assert_eq!(answer["triage"]["stop_running"], true);
    let reason = &answer["triage"]["reasons"][0];
    assert_eq!(reason["basis"], "red_flag");
    assert_eq!(reason["because"], json!(["cannot-bear-weight", "fever"]));
}

#[tokio::test]
async fn a_bone_stress_picture_stops_the_running() {
    let case = json!({
        "age": 24,
        "sex": "female",
        "present": ["loc-groin", "worse-as-run-goes-on", "missed-periods", "recent-training-increase"]
    });
    let answer = Api::new().assess(&case).await;
    assert!(ids(&answer["conditions"]).contains(&"femoral-neck-stress-fracture"), "{answer}");
    assert!(level(&answer) >= 2, "{}", answer["triage"]);
    assert_eq!(answer["triage"]["stop_running"], true);
    let reasons = answer["triage"]["reasons"].as_array().unwrap();
    let told = reasons.iter().any(|reason| reason.to_string().contains("stress"));
    assert!(told, "{}", answer["triage"]);
    for condition in answer["conditions"].as_array().unwrap() {
        for treatment in condition["next_step"]["treatments"].as_array().into_iter().flatten() {
            let path = format!("/v1/treatments/{}", treatment["id"].as_str().unwrap());
            assert_eq!(
                Api::new().read(&path).await["loading"],
                false,
                "{path} loads the hip of one who must stop"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_case_gets_the_priors_and_no_promise() {
    let answer = Api::new().assess(&json!({})).await;
    assert_eq!(answer["triage"]["level"], "routine");
    assert_eq!(answer["triage"]["provisional"], true);
    assert_eq!(answer["triage"]["unknown_profile"], json!(["age"]));
    assert!(!answer["triage"]["unscreened"].as_array().unwrap().is_empty());
    for condition in answer["conditions"].as_array().unwrap() {
        let (before, after) = (&condition["pre_test_probability"], &condition["probability"]);
        assert!((before.as_f64().unwrap() - after.as_f64().unwrap()).abs() < 1e-12, "{condition}");
        assert_eq!(condition["evidence"]["supports"], json!([]));
        assert_eq!(condition["evidence"]["opposes"], json!([]));
    }
}

/// Answers every open warning sign with "no", then every question of the interview, until none is left; each answer on
/// the way.
async fn screened(profile: Value) -> Vec<Value> {
    let (api, mut answers, mut absent) = (Api::new(), Vec::new(), Vec::<Value>::new());
    loop {
        let mut case = profile.clone();
        case["absent"] = json!(absent);
        let answer = api.assess(&case).await;
        let open = answer["triage"]["unscreened"].as_array().unwrap().clone();
        let asked = answer["interview"]["next_question"]["options"].as_array().cloned().unwrap_or_default();
        answers.push(answer);
        // One at a time: a rule that leaned on an open question must not close early.
        match (open.first(), asked.as_slice()) {
            (Some(open), _) => absent.push(open.clone()),
            (None, []) => return answers,
            (None, asked) => absent.extend(asked.iter().map(|option| option["finding"].clone())),
        }
        assert!(absent.len() <= 300, "the questions never end: {absent:?}");
    }
}

#[tokio::test]
async fn self_care_is_said_once_every_warning_sign_is_answered_and_the_age_is_known() {
    for profile in [
        json!({ "age": 30, "unknown": ["sex"] }),
        json!({ "age": 45, "sex": "male" }),
        json!({ "age": 24, "sex": "female" }),
    ] {
        let answers = screened(profile.clone()).await;
        let (last, before) = answers.split_last().unwrap();
        assert!(before.len() > 5, "{profile}");
        for answer in before {
            // While the interview has a question of safety, nothing is final.
            if answer["interview"]["next_question"]["why"] == "safety" {
                assert!(level(answer) >= 1, "{profile}: {}", answer["triage"]);
                assert_eq!(answer["triage"]["provisional"], true);
            }
        }
        assert_eq!(last["triage"]["level"], "self_care", "{profile}: {}", last["triage"]);
        assert_eq!(last["triage"]["provisional"], false);
        assert_eq!(last["triage"]["reasons"][0]["basis"], "screened");
    }
}

#[tokio::test]
async fn self_care_is_never_said_while_the_age_is_open() {
    let answers = screened(json!({ "sex": "female" })).await;
    let last = answers.last().unwrap();
    assert_eq!(last["triage"]["unscreened"], json!([]));
    assert_eq!(last["triage"]["level"], "routine");
    assert_eq!(last["triage"]["provisional"], true);
    assert_eq!(last["triage"]["unknown_profile"], json!(["age"]));
}

#[tokio::test]
async fn a_warning_sign_on_top_never_lowers_the_level() {
    let api = Api::new();
    let signs = api.items("/v1/findings?red_flag=true").await;
    assert!(signs.len() > 20);
    for base in [json!({}), outer_hip_case()] {
        let before = level(&api.assess(&base).await);
        for sign in &signs {
            let mut case = base.clone();
            let mut present = case["present"].as_array().cloned().unwrap_or_default();
            present.push(sign["id"].clone());
            case["present"] = json!(present);
            let answer = api.assess(&case).await;
            assert!(level(&answer) >= before, "{sign} on {base}");
            assert!(level(&answer) >= 2, "{} alone is only {}", sign["id"], answer["triage"]["level"]);
        }
    }
}

#[tokio::test]
async fn without_explanation_the_answer_is_the_same_without_evidence() {
    let api = Api::new();
    let mut explained = api.assess(&outer_hip_case()).await;
    let mut case = outer_hip_case();
    case["options"] = json!({ "explain": false });
    let bare = api.assess(&case).await;
    for condition in explained["conditions"].as_array_mut().unwrap() {
        condition.as_object_mut().unwrap().remove("evidence").unwrap();
    }
    assert_eq!(bare, explained);
}

#[tokio::test]
async fn the_limit_cuts_the_ranking_and_nothing_else() {
    let api = Api::new();
    let of = |limit: Value| {
        let mut case = outer_hip_case();
        case["options"] = json!({ "limit": limit });
        case
    };
    let mut whole = api.assess(&of(json!(100))).await;
    let ranked = api.read("/v1/catalogue").await["counts"]["ranked_conditions"].as_u64().unwrap();
    let conditions = whole["conditions"].as_array().unwrap().clone();
    assert_eq!(conditions.len() as u64, ranked);
    for (place, pair) in conditions.windows(2).enumerate() {
        assert!(pair[0]["probability"].as_f64() >= pair[1]["probability"].as_f64());
        assert_eq!(pair[0]["rank"], place + 1);
    }
    for limit in [1, 2, 7] {
        whole["conditions"] = json!(conditions[..limit]);
        assert_eq!(api.assess(&of(json!(limit))).await, whole);
    }
    assert_eq!(api.assess(&of(json!(5))).await, api.assess(&outer_hip_case()).await);
}

#[tokio::test]
async fn tests_of_a_clinician_are_proposed_to_a_clinician_alone() {
    let api = Api::new();
    let mut asked = Vec::new();
    for examiner in ["self", "clinician"] {
        let mut case = outer_hip_case();
        case["options"] = json!({ "examiner": examiner, "limit": 100 });
        let answer = api.assess(&case).await;
        let mut kinds = Vec::new();
        for condition in answer["conditions"].as_array().unwrap() {
            for open in condition["evidence"]["would_help"].as_array().unwrap() {
                let finding = api.read(&format!("/v1/findings/{}", open["finding"].as_str().unwrap())).await;
                assert_eq!(open["question"], finding["question"]);
                kinds.push(finding["asked_of"].as_str().unwrap().to_owned());
            }
        }
        asked.push(kinds);
    }
    assert!(!asked[0].is_empty() && asked[0].iter().all(|kind| kind == "self"));
    assert!(asked[1].iter().any(|kind| kind == "clinician"));
}

#[tokio::test]
async fn an_interview_leads_from_safety_to_an_end_and_asks_nothing_twice() {
    let api = Api::new();
    let mut case = json!({ "present": [], "absent": [] });
    let mut asked = std::collections::BTreeSet::new();
    let mut whys = Vec::new();
    for _ in 0..40 {
        let answer = api.assess(&case).await;
        let interview = &answer["interview"];
        if interview["complete"] == true {
            assert!(interview["stop_reason"].is_string() && interview.get("next_question").is_none());
            assert_eq!(whys[0], "safety");
            assert!(
                whys.contains(&"profile".to_owned()) && whys.contains(&"discriminates".to_owned()),
                "{whys:?}"
            );
            return;
        }
        let question = &interview["next_question"];
        whys.push(question["why"].as_str().unwrap().to_owned());
        match question["answer"].as_str().unwrap() {
            "number" => case["age"] = json!(34),
            "sex" => case["sex"] = json!("female"),
            way => {
                for (place, option) in question["options"].as_array().unwrap().iter().enumerate() {
                    let finding = option["finding"].as_str().unwrap().to_owned();
                    assert!(asked.insert(finding.clone()), "{finding} is asked twice");
                    // The first option of a choice holds; of a list nothing does.
                    let list = if way == "one_of" && place == 0 { "present" } else { "absent" };
                    if way != "one_of" || place == 0 {
                        case[list].as_array_mut().unwrap().push(json!(finding));
                    }
                }
            }
        }
    }
    panic!("the interview did not end: {whys:?}");
}

#[tokio::test]
async fn outside_of_its_scope_nothing_is_ranked_and_warning_signs_still_count() {
    let api = Api::new();
    for case in [
        json!({ "age": 2, "present": ["fever"] }),
        json!({ "age": 30, "sex": "female", "present": ["pregnant", "fever"] }),
    ] {
        let answer = api.assess(&case).await;
        assert_eq!(answer["scope"]["in_scope"], false);
        assert_eq!(answer["conditions"], json!([]));
        assert!(
            ["urgent", "emergency"].contains(&answer["triage"]["level"].as_str().unwrap()),
            "{}",
            answer["triage"]
        );
    }
}

#[tokio::test]
async fn dangers_stand_apart_from_the_ranking_and_training_follows_triage() {
    let api = Api::new();
    let case = json!({ "age": 24, "sex": "female", "options": { "limit": 1 },
        "present": ["loc-groin", "worse-as-run-goes-on", "missed-periods", "recent-training-increase"] });
    let answer = api.assess(&case).await;
    let first = &answer["must_not_miss"][0];
    assert_eq!(
        (&first["condition"], &first["status"]),
        (&json!("femoral-neck-stress-fracture"), &json!("suspected"))
    );
    assert_eq!(answer["training"]["running"], "stop");
    assert!(answer["interview"]["locked_tests"].as_array().unwrap().contains(&json!("standing-test-groin")));
    let dangers = answer["must_not_miss"].as_array().unwrap();
    assert!(dangers.len() > 10 && dangers.iter().all(|danger| danger["condition"] != "testicular-disease"));
}

#[tokio::test]
async fn not_knowing_an_answer_equals_not_giving_it() {
    let api = Api::new();
    let mut case = outer_hip_case();
    let silent = api.assess(&case).await;
    case["unknown"] = json!(["fever", "loc-groin", "single-leg-stance-pain", "missed-periods", "hop-pain"]);
    let unsure = api.assess(&case).await;
    assert_eq!(without_open_questions(unsure.clone()), without_open_questions(silent));
    assert!(unsure["triage"]["unscreened"].as_array().unwrap().contains(&json!("fever")));
    for condition in unsure["conditions"].as_array().unwrap() {
        for open in condition["evidence"]["would_help"].as_array().unwrap() {
            assert!(
                !case["unknown"].as_array().unwrap().contains(&open["finding"]),
                "{open} was asked for already"
            );
        }
    }
}

#[tokio::test]
async fn the_order_of_keys_and_lists_repetition_and_spacing_change_no_byte() {
    let api = Api::new();
    let first = api.try_assess(outer_hip_case().to_string()).await;
    assert_eq!(first.status, 200);
    for same in [
        r#"{"age":52,"sex":"female","present":["loc-lateral","onset-gradual","night-pain-side-lying","pain-stairs","outer-bone-tender"],"absent":["clicking-hip"]}"#,
        r#"{"absent":["clicking-hip"],"present":["outer-bone-tender","pain-stairs","night-pain-side-lying","onset-gradual","loc-lateral"],"sex":"female","age":52}"#,
        r#"{"age":52.0,"sex":"female","present":["loc-lateral","loc-lateral","onset-gradual","pain-stairs","night-pain-side-lying","pain-stairs","outer-bone-tender"],"absent":["clicking-hip","clicking-hip"],"unknown":[],"options":{}}"#,
        "\n {\t\"\\u0061ge\" : 5.2e1 , \"sex\":\"f\\u0065male\",\r\n\"present\":[\"loc-lateral\",\"onset-gradual\",\"night-pain-side-lying\",\"pain-stairs\",\"outer-bone-tender\"],\"absent\":[\"clicking-hip\"],\"options\":{\"examiner\":\"self\",\"limit\":5,\"explain\":true}} \n",
    ] {
        let again = api.try_assess(same).await;
        assert_eq!(again.text(), first.text(), "{same}");
    }
}

#[tokio::test]
async fn the_same_body_gives_the_same_bytes_every_time_and_in_every_encoding() {
    let api = Api::new();
    let body = outer_hip_case().to_string();
    let plain = api.try_assess(&body).await;
    for encoding in ["", "gzip", "br", "zstd", "gzip", "identity;q=0"] {
        let headers =
            [("content-type", "application/json"), ("accept-encoding", encoding), ("idempotency-key", "1")];
        let answer = api.send("POST", "/v1/assessments", &headers, Some(body.as_bytes())).await;
        assert_eq!(answer.body, plain.body, "{encoding}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert_eq!(answer.header("etag"), None);
        let named = ["gzip", "br", "zstd"].contains(&encoding);
        assert_eq!(answer.header("content-encoding"), named.then_some(encoding));
        assert_eq!(answer.sent < plain.sent, named, "{encoding}");
    }
}

#[tokio::test]
async fn every_answer_names_its_catalogue_and_the_disclaimer() {
    let api = Api::new();
    let catalogue = api.read("/v1/catalogue").await;
    let answer = api.assess(&outer_hip_case()).await;
    assert_eq!(answer["catalogue"], catalogue["catalogue"]);
    assert_eq!(answer["disclaimer"], catalogue["disclaimer"]);
}

#[tokio::test]
async fn every_place_that_an_answer_points_to_is_there() {
    let api = Api::new();
    let mut case = outer_hip_case();
    case["options"] = json!({ "limit": 100 });
    case["present"].as_array_mut().unwrap().push(json!("cannot-bear-weight"));
    let answer = api.assess(&case).await;
    for condition in answer["conditions"].as_array().unwrap() {
        let detail = api.read(condition["href"].as_str().unwrap()).await;
        for key in ["id", "name", "lay_name", "urgency"] {
            assert_eq!(detail[key], condition[key]);
        }
    }
    let mut sources: Vec<&str> = Vec::new();
    for reason in answer["triage"]["reasons"].as_array().unwrap() {
        sources.extend(reason["sources"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()));
    }
    assert!(!sources.is_empty());
    for source in sources {
        assert_eq!(api.read(&format!("/v1/sources/{source}")).await["id"], source);
    }
    for umbrella in answer["umbrellas"].as_array().unwrap() {
        let detail = api.read(&format!("/v1/conditions/{}", umbrella["id"].as_str().unwrap())).await;
        let members = detail["members"].as_array().unwrap();
        let sum: f64 = answer["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|condition| members.contains(&condition["id"]))
            .map(|condition| condition["probability"].as_f64().unwrap())
            .sum();
        assert!((sum - umbrella["probability"].as_f64().unwrap()).abs() < 1e-9, "{umbrella}");
    }
}
