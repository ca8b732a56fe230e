//! Numbers that apps know, and ids that findings bore before.

use serde_json::{Value, json};

use crate::support::Api;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

/// What the published rules of a measure say of a value, as finding and state.
fn said(measure: &Value, value: f64, others: &Value) -> Vec<(String, String)> {
    let mut said = Vec::new();
    for rule in measure["rules"].as_array().unwrap() {
        let compared = match rule["relative_to"].as_str() {
            None => value,
            Some(other) if number(&others[other]) > 0.0 => value / number(&others[other]),
            Some(_) => continue,
        };
        let from = |key: &str| rule[key].as_f64().is_some_and(|limit| compared >= limit);
        let below = |key: &str| rule[key].as_f64().is_some_and(|limit| compared < limit);
        for (state, holds) in [
            ("present", from("present_from") || below("present_below")),
            ("absent", from("absent_from") || below("absent_below")),
        ] {
            if holds {
                said.push((rule["finding"].as_str().unwrap().to_owned(), state.to_owned()));
            }
        }
    }
    said
}

/// Values on both sides of every limit of a measure.
fn telling_values(measure: &Value) -> Vec<f64> {
    let (least, most) = (number(&measure["least"]), number(&measure["most"]));
    let limits = measure["rules"].as_array().unwrap().iter().flat_map(|rule| {
        let keys = ["present_from", "present_below", "absent_from", "absent_below"];
        keys.into_iter().filter_map(|key| rule[key].as_f64())
    });
    let mut values = vec![least, most];
    for limit in limits {
        values.extend([limit - 0.001, limit, limit + 0.001, limit * 10.0 - 0.001, limit * 10.0]);
    }
    values.retain(|value| (least..=most).contains(value));
    values
}

fn derived(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = answer["derived"].as_array().into_iter().flatten();
    entries.map(|entry| (text(&entry["finding"]), text(&entry["state"]))).collect()
}

#[tokio::test]
async fn a_measure_stands_for_the_findings_that_its_published_rules_say() {
    let api = Api::new();
    let measures = api.items("/v1/measures").await;
    assert!(measures.len() >= 4);
    let mut concluded = 0;
    for measure in &measures {
        let name = measure["name"].as_str().unwrap();
        // What a rule compares with is 10.
        let compared =
            measure["rules"].as_array().unwrap().iter().find_map(|rule| rule["relative_to"].as_str());
        let others = compared.map_or_else(|| json!({}), |other| json!({ other: 10 }));
        for value in telling_values(measure) {
            let mut values = others.clone();
            values[name] = json!(value);
            let answer = api.assess(&json!({ "measures": values })).await;
            let said = said(measure, value, &others);
            let told = derived(&answer);
            for entry in &said {
                assert!(told.contains(entry), "{name} = {value}: {entry:?} is missing in {told:?}");
            }
            let own =
                answer["derived"].as_array().into_iter().flatten().filter(|entry| entry["measure"] == name);
            assert_eq!(own.count(), said.len(), "{name} = {value}: {answer}");
            concluded += said.len();
            // The same findings, given as such, come to the same.
            let of = |state: &str| -> Vec<&String> {
                told.iter().filter(|(_, told)| told == state).map(|(finding, _)| finding).collect()
            };
            let given = api.assess(&json!({ "present": of("present"), "absent": of("absent") })).await;
            for key in ["triage", "conditions", "unexplained", "log_normaliser"] {
                assert_eq!(answer[key], given[key], "{name} = {value}: {key}");
            }
        }
    }
    assert!(concluded > 20);
}

#[tokio::test]
async fn a_rule_that_compares_says_nothing_without_the_other_measure() {
    let api = Api::new();
    let mut compared = 0;
    for measure in api.items("/v1/measures").await {
        let name = measure["name"].as_str().unwrap();
        for rule in measure["rules"].as_array().unwrap() {
            let Some(other) = rule["relative_to"].as_str() else { continue };
            for values in [json!({ name: 40 }), json!({ name: 40, other: 0 })] {
                let answer = api.assess(&json!({ "measures": values })).await;
                let told = answer["derived"].as_array().into_iter().flatten();
                let by_rule =
                    told.filter(|entry| entry["measure"] == name && entry["finding"] == rule["finding"]);
                assert_eq!(by_rule.count(), 0, "{values}: {answer}");
            }
            compared += 1;
        }
    }
    assert!(compared > 0);
}

#[tokio::test]
async fn a_measure_that_contradicts_an_answer_is_named() {
    let api = Api::new();
    for measure in api.items("/v1/measures").await {
        let name = measure["name"].as_str().unwrap();
        for value in telling_values(&measure) {
            let answer = api.assess(&json!({ "measures": { name: value } })).await;
            for (finding, state) in derived(&answer) {
                let opposite = if state == "present" { "absent" } else { "present" };
                let case = json!({ opposite: [finding], "measures": { name: value } });
                let refused = api.try_assess(case.to_string()).await;
                assert_eq!(
                    refused.faults(),
                    [(format!("/measures/{name}"), "contradiction".into())],
                    "{case}"
                );
                let agreeing = json!({ state: [finding], "measures": { name: value } });
                assert_eq!(api.try_assess(agreeing.to_string()).await.status, 200, "{agreeing}");
            }
        }
    }
}

#[tokio::test]
async fn a_measure_beyond_its_limits_or_of_another_sort_is_refused() {
    let api = Api::new();
    for measure in api.items("/v1/measures").await {
        let name = measure["name"].as_str().unwrap();
        let place = format!("/measures/{name}");
        for (value, code) in [
            (json!(number(&measure["least"]) - 0.5), "out_of_range"),
            (json!(number(&measure["most"]) + 0.5), "out_of_range"),
            (json!("5"), "wrong_type"),
            (json!(null), "wrong_type"),
            (json!([5]), "wrong_type"),
        ] {
            let refused = api.try_assess(json!({ "measures": { name: value } }).to_string()).await;
            assert_eq!(refused.status, 422, "{name} = {value}");
            assert_eq!(refused.faults(), [(place.clone(), code.to_owned())], "{name} = {value}");
        }
        let slip = json!({ "measures": { format!("{name}s"): 5 } });
        let refused = api.try_assess(slip.to_string()).await;
        assert_eq!(refused.json()["errors"][0]["suggestions"], json!([name]), "{slip}");
    }
    for measures in [json!([]), json!(null), json!(5)] {
        let refused = api.try_assess(json!({ "measures": measures }).to_string()).await;
        assert_eq!(refused.faults(), [("/measures".into(), "wrong_type".into())], "{measures}");
    }
}

#[tokio::test]
async fn a_former_id_stays_accepted_and_the_answer_names_the_present_one() {
    let api = Api::new();
    let mut renamed = 0;
    for finding in api.items("/v1/findings").await {
        for former in finding["former_ids"].as_array().into_iter().flatten() {
            let old = api.assess(&json!({ "age": 30, "present": [former] })).await;
            let mut new = api.assess(&json!({ "age": 30, "present": [finding["id"]] })).await;
            assert_eq!(old["renamed"], json!([{ "given": former, "now": finding["id"] }]));
            assert_eq!(new.get("renamed"), None);
            new["renamed"] = old["renamed"].clone();
            assert_eq!(old, new, "{former}");
            let contradicting = json!({ "present": [former], "absent": [finding["id"]] });
            let refused = api.try_assess(contradicting.to_string()).await;
            assert_eq!(refused.faults(), [("/absent/0".into(), "contradiction".into())], "{former}");
            let both = json!({ "present": [former, finding["id"], former] });
            assert_eq!(api.try_assess(both.to_string()).await.status, 200, "{former}");
            renamed += 1;
        }
    }
    assert!(renamed > 0, "no finding was ever renamed");
}

#[tokio::test]
async fn of_two_measures_that_disagree_about_a_finding_only_what_counts_is_told() {
    let api = Api::new();
    let mut rules: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for measure in api.items("/v1/measures").await {
        for rule in measure["rules"].as_array().unwrap() {
            let finding = rule["finding"].as_str().unwrap().to_owned();
            rules.entry(finding).or_default().push(measure["name"].as_str().unwrap().to_owned());
        }
    }
    // A jump in weekly distance shows the increase; a longest run that is no outlier cannot hide it, and the other way.
    let shared = rules.iter().find(|(_, measures)| measures.len() > 1).expect("two measures of one finding");
    for longest in [5, 40] {
        let measures = json!({
            "weekly_distance_km": 60, "weekly_distance_four_weeks_earlier_km": 30, "longest_run_km": longest
        });
        let answer = api.assess(&json!({ "measures": measures })).await;
        let states: std::collections::BTreeSet<String> = derived(&answer)
            .into_iter()
            .filter(|(finding, _)| finding == shared.0)
            .map(|(_, state)| state)
            .collect();
        assert!(states.len() <= 1, "{}: {states:?}", shared.0);
    }
}

#[tokio::test]
async fn the_document_names_the_measures_of_the_embedded_catalogue_with_their_limits() {
    let api = Api::new();
    let document = api.read("/openapi.json").await;
    let documented = document["components"]["schemas"]["MeasureValues"]["properties"].as_object().unwrap();
    let measures = api.items("/v1/measures").await;
    assert_eq!(documented.len(), measures.len());
    for measure in measures {
        let documented = &documented[measure["name"].as_str().unwrap()];
        for (here, there) in [("minimum", "least"), ("maximum", "most")] {
            let difference = number(&documented[here]) - number(&measure[there]);
            assert!(difference.abs() < 1e-12, "{here} of {measure}");
        }
    }
}
