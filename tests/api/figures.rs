//! The figures of an assessment, worked out again from what the catalogue publishes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Api, outer_hip_case};

/// As the method states it: an option without a figure of its own keeps at least this.
const LEAST_OPTION: f64 = 0.006;

const CLOSE: f64 = 1e-9;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

/// Everything that the API publishes of the conditions and findings.
struct Published {
    /// Hypotheses: ranked conditions and the unexplained one.
    conditions: Vec<Value>,
    findings: BTreeMap<String, Value>,
}

impl Published {
    async fn read(api: &Api) -> Self {
        let mut conditions = Vec::new();
        for condition in api.items("/v1/conditions").await {
            if condition["role"] != "umbrella" {
                conditions.push(api.read(condition["href"].as_str().unwrap()).await);
            }
        }
        let findings = api.items("/v1/findings").await.into_iter();
        let findings =
            findings.map(|finding| (finding["id"].as_str().unwrap().to_owned(), finding)).collect();
        Self { conditions, findings }
    }

    fn priors(&self, band: &str, sex: &str) -> Vec<f64> {
        let scaled: Vec<f64> = self
            .conditions
            .iter()
            .map(|condition| {
                let prior = &condition["pre_test"];
                number(&prior["probability"])
                    * number(&prior["age_factors"][band])
                    * number(&prior["sex_factors"][sex])
            })
            .collect();
        let sum: f64 = scaled.iter().sum();
        scaled.into_iter().map(|value| value / sum).collect()
    }

    fn stated(condition: &Value, finding: &str) -> Option<f64> {
        let rows = condition["findings"].as_array().unwrap();
        rows.iter().find(|row| row["finding"] == finding).map(|row| number(&row["probability"]))
    }

    /// P(finding present | condition).
    fn probability(&self, condition: &Value, finding: &str) -> f64 {
        let entry = &self.findings[finding];
        let background = number(&entry["background_rate"]);
        if let Some(stated) = Self::stated(condition, finding) {
            return stated;
        }
        if entry["group"]["kind"] != "single_choice" {
            return background;
        }
        let options: Vec<(&str, &Value)> = self
            .findings
            .iter()
            .filter(|(_, option)| option["group"]["id"] == entry["group"]["id"])
            .map(|(id, option)| (id.as_str(), option))
            .collect();
        let stated: Vec<f64> = options.iter().filter_map(|(id, _)| Self::stated(condition, id)).collect();
        if stated.is_empty() {
            return background;
        }
        let left = (1.0 - stated.iter().sum::<f64>()).max(0.0);
        let unstated = options.iter().filter(|(id, _)| Self::stated(condition, id).is_none());
        let others: f64 = unstated.map(|(_, option)| number(&option["background_rate"])).sum();
        (left * background / others).min(background).max(LEAST_OPTION)
    }

    /// The weight of every answer of a case for a condition, in nats.
    fn weights(&self, condition: &Value, case: &Value) -> BTreeMap<String, f64> {
        let answers: Vec<(String, bool)> = [("present", true), ("absent", false)]
            .into_iter()
            .flat_map(|(list, present)| {
                let ids = case[list].as_array().into_iter().flatten();
                ids.map(move |id| (id.as_str().unwrap().to_owned(), present))
            })
            .collect();
        let group = |id: &str| self.findings[id]["group"].clone();
        let mut weights = BTreeMap::new();
        for (id, present) in &answers {
            let own = group(id);
            let beside = |other: &&(String, bool)| !own.is_null() && group(&other.0)["id"] == own["id"];
            let share = match own["kind"].as_str() {
                Some("correlated") => {
                    let count = answers.iter().filter(beside).count();
                    1.0 / (1.0 + number(&own["coefficient"]) * f64::from(u32::try_from(count - 1).unwrap()))
                }
                // The option that is present speaks for the whole choice.
                Some("single_choice")
                    if !present && answers.iter().filter(beside).any(|(_, present)| *present) =>
                {
                    0.0
                }
                _ => 1.0,
            };
            let (probability, background) =
                (self.probability(condition, id), number(&self.findings[id.as_str()]["background_rate"]));
            let ratio =
                if *present { probability / background } else { (1.0 - probability) / (1.0 - background) };
            weights.insert(id.clone(), share * ratio.ln());
        }
        weights
    }
}

/// Works a case out again and compares every figure of the answer.
async fn compare(api: &Api, published: &Published, mut case: Value, band: &str) {
    case["options"] = json!({ "limit": 100 });
    let answer = api.assess(&case).await;
    let priors = published.priors(band, case["sex"].as_str().unwrap());
    let weights: Vec<BTreeMap<String, f64>> =
        published.conditions.iter().map(|condition| published.weights(condition, &case)).collect();
    let scores: Vec<f64> = priors
        .iter()
        .zip(&weights)
        .map(|(prior, weights)| prior.ln() + weights.values().sum::<f64>())
        .collect();
    let log_normaliser = scores.iter().map(|score| score.exp()).sum::<f64>().ln();
    assert!((number(&answer["log_normaliser"]) - log_normaliser).abs() < CLOSE, "{case}: log_normaliser");
    let mut ranked = 0;
    for (place, condition) in published.conditions.iter().enumerate() {
        let id = condition["id"].as_str().unwrap();
        let probability = (scores[place] - log_normaliser).exp();
        if condition["role"] == "unexplained" {
            assert!((number(&answer["unexplained"]) - probability).abs() < CLOSE, "{case}: unexplained");
            continue;
        }
        ranked += 1;
        let told = answer["conditions"].as_array().unwrap().iter().find(|told| told["id"] == id).unwrap();
        assert!(
            (number(&told["pre_test_probability"]) - priors[place]).abs() < CLOSE,
            "{case}: prior of {id}"
        );
        assert!((number(&told["probability"]) - probability).abs() < CLOSE, "{case}: {id}");
        let evidence = &told["evidence"];
        let rows =
            ["supports", "opposes"].map(|side| evidence[side].as_array().unwrap()).into_iter().flatten();
        let mut open = weights[place].clone();
        for row in rows {
            let finding = row["finding"].as_str().unwrap();
            let weight = open.remove(finding).unwrap_or_else(|| panic!("{case}: {id} weighs {finding}"));
            assert!((number(&row["weight"]) - weight).abs() < CLOSE, "{case}: {id} {finding}");
            assert!((number(&row["likelihood_ratio"]) - weight.exp()).abs() < CLOSE * weight.exp().max(1.0));
        }
        for (finding, weight) in open {
            assert!(weight.abs() < CLOSE, "{case}: {id} keeps silent about {finding}");
        }
    }
    assert_eq!(ranked, answer["conditions"].as_array().unwrap().len());
}

#[tokio::test]
async fn the_parts_beside_a_condition_add_up_to_its_probability() {
    let api = Api::new();
    let mut all_denied = outer_hip_case();
    all_denied["present"] = json!(["pain-stairs"]);
    all_denied["absent"] =
        json!(["loc-groin", "loc-lateral", "loc-buttock", "loc-pubic", "onset-gradual", "fever"]);
    for mut case in [
        outer_hip_case(),
        all_denied,
        json!({}),
        json!({ "present": ["fever", "chills-unwell", "hop-pain"] }),
    ] {
        case["options"] = json!({ "limit": 100 });
        let answer = api.assess(&case).await;
        let mut total = number(&answer["unexplained"]);
        for condition in answer["conditions"].as_array().unwrap() {
            let evidence = &condition["evidence"];
            let rows = ["supports", "opposes"].map(|side| evidence[side].as_array().unwrap());
            assert!(rows[0].iter().all(|row| number(&row["weight"]) > 0.0), "{condition}");
            assert!(rows[1].iter().all(|row| number(&row["weight"]) < 0.0), "{condition}");
            for row in rows.iter().flat_map(|rows| rows.windows(2)) {
                assert!(number(&row[0]["weight"]).abs() >= number(&row[1]["weight"]).abs(), "{condition}");
            }
            let sum: f64 = rows.into_iter().flatten().map(|row| number(&row["weight"])).sum();
            let parts =
                number(&condition["pre_test_probability"]).ln() + sum - number(&answer["log_normaliser"]);
            assert!((parts - number(&condition["probability"]).ln()).abs() < CLOSE, "{case}: {condition}");
            total += number(&condition["probability"]);
        }
        assert!((total - 1.0).abs() < CLOSE, "{case}: the probabilities sum to {total}");
    }
}

#[tokio::test]
async fn the_probabilities_follow_from_the_published_figures_alone() {
    let api = Api::new();
    let published = Published::read(&api).await;
    assert!(published.conditions.len() > 20);
    compare(&api, &published, outer_hip_case(), "from_40_to_59").await;
    // Related answers, a denied option beside a chosen one, and one denied option alone.
    let groups = json!({
        "age": 16,
        "sex": "male",
        "present": ["loc-groin", "hop-pain", "fulcrum-test", "standing-test-groin", "locking-catching", "limp"],
        "absent": ["loc-lateral", "onset-gradual", "clicking-hip", "giving-way", "fever", "chills-unwell"]
    });
    compare(&api, &published, groups, "from_14_to_17").await;
    let runner = json!({
        "age": 24,
        "sex": "female",
        "present": ["worse-as-run-goes-on", "missed-periods", "low-energy-availability", "recent-training-increase"],
        "absent": ["loc-knee-only", "eases-with-warm-up"]
    });
    compare(&api, &published, runner, "from_18_to_39").await;
    compare(&api, &published, json!({ "age": 70, "sex": "male" }), "from_60").await;
    compare(&api, &published, json!({ "age": 8, "sex": "female", "present": ["limp"] }), "under_14").await;
}

#[tokio::test]
async fn the_ratios_that_the_catalogue_prints_follow_from_its_probabilities() {
    let api = Api::new();
    let published = Published::read(&api).await;
    for condition in &published.conditions {
        for row in condition["findings"].as_array().unwrap() {
            let background = number(&published.findings[row["finding"].as_str().unwrap()]["background_rate"]);
            let probability = number(&row["probability"]);
            assert!((number(&row["background_rate"]) - background).abs() < CLOSE);
            for (key, ratio) in [
                ("likelihood_ratio_present", probability / background),
                ("likelihood_ratio_absent", (1.0 - probability) / (1.0 - background)),
            ] {
                assert!(
                    (number(&row[key]) - ratio).abs() < CLOSE * ratio.max(1.0),
                    "{} {row}",
                    condition["id"]
                );
            }
            let (low, high) = (number(&row["range"][0]), number(&row["range"][1]));
            assert!(low <= probability && probability <= high, "{} {row}", condition["id"]);
            assert_eq!(row["estimate"], row["grade"] == "D");
        }
    }
}
