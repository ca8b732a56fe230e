//! The knowledge behind the answers: lists, filters, search, entries.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::{
    contract,
    support::{Api, ids},
};

/// Every list that the document names and that takes a parameter.
fn lists_with(parameter: &str) -> Vec<&'static str> {
    let takes = |operation: &Value| {
        let parameters = operation["parameters"].as_array();
        parameters.is_some_and(|parameters| parameters.iter().any(|taken| taken["name"] == parameter))
    };
    let lists = contract::operations().filter(|(_, _, operation)| takes(operation));
    let lists: Vec<&str> = lists.map(|(path, ..)| path).collect();
    assert!(lists.len() >= 7, "{parameter}: {lists:?}");
    lists
}

fn lists() -> Vec<&'static str> {
    lists_with("limit")
}

/// What an entry is called by: its id, or its name on the wire where it has none.
fn key(entry: &Value) -> &str {
    entry["id"].as_str().or(entry["name"].as_str()).unwrap_or_else(|| panic!("{entry}"))
}

#[tokio::test]
async fn the_counts_of_the_catalogue_are_the_lengths_of_its_lists() {
    let api = Api::new();
    let overview = api.read("/v1/catalogue").await;
    let counts = &overview["counts"];
    let conditions = api.items("/v1/conditions").await;
    let role = |role: &str| conditions.iter().filter(|condition| condition["role"] == role).count();
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/catalogue/conditions")).unwrap().count();
    assert_eq!(conditions.len(), files);
    assert!(files >= 40, "{files} conditions");
    assert_eq!(counts["ranked_conditions"], role("ranked"));
    assert_eq!(counts["umbrellas"], role("umbrella"));
    assert_eq!(role("ranked") + role("umbrella") + role("unexplained"), files);
    assert_eq!(role("unexplained"), 1);
    for name in ["findings", "red_flags", "treatments", "exercises", "prevention", "sources"] {
        let items = api.items(&format!("/v1/{}", name.replace('_', "-"))).await;
        assert_eq!(counts[name], items.len(), "{name}");
        assert!(!items.is_empty(), "{name}");
    }
    let (mut likelihoods, mut steps) = (0, 0);
    for condition in &conditions {
        let detail = api.read(condition["href"].as_str().unwrap()).await;
        likelihoods += detail["findings"].as_array().unwrap().len();
        let ladder = api.read(detail["escalation"].as_str().unwrap()).await;
        let stages = ladder["stages"].as_array().unwrap();
        steps += stages.iter().map(|stage| stage["steps"].as_array().unwrap().len()).sum::<usize>();
    }
    assert_eq!(counts["likelihoods"], likelihoods);
    assert_eq!(counts["escalation_steps"], steps);
    let graded: u64 = overview["grades"]
        .as_array()
        .unwrap()
        .iter()
        .map(|grade| grade["likelihoods"].as_u64().unwrap())
        .sum();
    assert_eq!(graded, likelihoods as u64);
    for shares in ["age", "sex"] {
        let shares = overview["population"][shares].as_object().unwrap().values();
        let sum: f64 = shares.map(|share| share.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}

#[tokio::test]
async fn every_list_says_how_long_it_is_and_bears_the_stamp() {
    let api = Api::new();
    let stamp = api.read("/v1/catalogue").await["catalogue"].clone();
    for path in lists() {
        let list = api.read(path).await;
        assert_eq!(list["total"], list["items"].as_array().unwrap().len(), "{path}");
        assert_eq!(list["limit"], 1000, "{path}");
        assert_eq!(list["offset"], 0, "{path}");
        assert_eq!(list["catalogue"], stamp, "{path}");
        let keys: Vec<&str> = list["items"].as_array().unwrap().iter().map(key).collect();
        let sorted: BTreeSet<&str> = keys.iter().copied().collect();
        assert_eq!(sorted.into_iter().collect::<Vec<_>>(), keys, "{path} is not ordered by id");
    }
}

#[tokio::test]
async fn walking_a_list_one_by_one_gives_the_same_entries_in_the_same_order() {
    let api = Api::new();
    for path in lists() {
        let whole = api.items(path).await;
        for (place, entry) in whole.iter().enumerate() {
            let page = api.read(&format!("{path}?limit=1&offset={place}")).await;
            assert_eq!(page["items"], json!([entry]), "{path} {place}");
            assert_eq!(page["total"], whole.len(), "{path} {place}");
            assert_eq!((&page["limit"], &page["offset"]), (&json!(1), &json!(place)));
        }
        let beyond = api.read(&format!("{path}?offset={}", whole.len())).await;
        assert_eq!(beyond["items"], json!([]), "{path}");
        assert_eq!(beyond["total"], whole.len(), "{path}");
        let seven: Vec<Value> = api.items(&format!("{path}?limit=7&offset=3")).await;
        assert_eq!(seven, whole.iter().skip(3).take(7).cloned().collect::<Vec<_>>(), "{path}");
    }
}

#[tokio::test]
async fn a_filter_keeps_what_fits_and_nothing_else() {
    let api = Api::new();
    for (path, parameter, field) in [
        ("/v1/conditions", "category", "category"),
        ("/v1/conditions", "urgency", "urgency"),
        ("/v1/findings", "kind", "kind"),
        ("/v1/findings", "asked_of", "asked_of"),
        ("/v1/findings", "red_flag", "red_flag"),
        ("/v1/treatments", "stage", "stage"),
        ("/v1/exercises", "kind", "kind"),
        ("/v1/prevention", "kind", "kind"),
        ("/v1/red-flags", "level", "level"),
    ] {
        let whole = api.items(path).await;
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let words: BTreeSet<String> = whole.iter().map(|entry| word(&entry[field])).collect();
        assert!(words.len() > 1, "{path} {field}");
        for wanted in words {
            let filtered = api.items(&format!("{path}?{parameter}={wanted}")).await;
            let fitting: Vec<Value> =
                whole.iter().filter(|entry| word(&entry[field]) == wanted).cloned().collect();
            assert_eq!(filtered, fitting, "{path} {parameter}={wanted}");
        }
    }
}

#[tokio::test]
async fn filters_and_search_narrow_each_other() {
    let api = Api::new();
    let both = api.items("/v1/findings?asked_of=self&red_flag=true&kind=systemic").await;
    assert!(!both.is_empty());
    for finding in &both {
        assert_eq!(finding["asked_of"], "self");
        assert_eq!(finding["red_flag"], true);
        assert_eq!(finding["kind"], "systemic");
    }
    let all = api.read("/v1/conditions?q=stress").await["total"].as_u64().unwrap();
    let bone = api.read("/v1/conditions?q=stress&category=bone").await["total"].as_u64().unwrap();
    let muscle = api.read("/v1/conditions?q=stress&category=muscle").await["total"].as_u64().unwrap();
    assert!(bone > 0 && bone <= all && muscle < all);
}

#[tokio::test]
async fn conditions_of_a_place_are_those_for_which_pain_there_speaks() {
    let api = Api::new();
    let places = api.items("/v1/findings?kind=location").await;
    let mut asked = 0;
    for place in places.iter().filter(|place| place["group"]["kind"] == "single_choice") {
        let id = place["id"].as_str().unwrap();
        let found = api.read(&format!("/v1/conditions?location={id}")).await;
        let finding = api.read(&format!("/v1/findings/{id}")).await;
        let mut fitting: Vec<&str> = finding["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["likelihood_ratio_present"].as_f64().unwrap() > 1.0)
            .map(|row| row["condition"].as_str().unwrap())
            .collect();
        fitting.sort_unstable();
        assert_eq!(ids(&found["items"]), fitting, "{id}");
        asked += 1;
    }
    assert!(asked >= 5);
}

#[tokio::test]
async fn exercises_and_red_flags_of_a_condition_are_those_that_its_entry_names() {
    let api = Api::new();
    for id in ["gluteal-tendinopathy", "femoral-neck-stress-fracture", "hip-osteoarthritis"] {
        let detail = api.read(&format!("/v1/conditions/{id}")).await;
        for (path, key) in [("/v1/exercises", "exercises"), ("/v1/red-flags", "red_flags")] {
            let list = api.read(&format!("{path}?condition={id}")).await;
            assert_eq!(ids(&list["items"]), ids(&detail[key]), "{id} {key}");
        }
    }
    let loading = api.read("/v1/exercises?condition=gluteal-tendinopathy").await;
    assert!(loading["total"].as_u64().unwrap() > 2);
}

#[tokio::test]
async fn an_everyday_name_finds_the_umbrella_and_everything_under_it() {
    let api = Api::new();
    let members = api.read("/v1/conditions/runners-hip").await["members"].clone();
    let members: BTreeSet<&str> = members.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert!(members.len() >= 10);
    for q in ["runners%20hip", "runner%27s+hip", "Runner%E2%80%99s%20Hip", "RUNNERS-HIP", "runers%20hip"] {
        let found = api.read(&format!("/v1/conditions?q={q}")).await;
        let found = ids(&found["items"]);
        assert_eq!(found[0], "runners-hip", "{q}");
        let rest: BTreeSet<&str> = found[1..].iter().copied().collect();
        assert!(members.is_subset(&rest), "{q}: {found:?}");
    }
}

#[tokio::test]
async fn the_search_forgives_slips_and_finds_nothing_for_strangers() {
    let api = Api::new();
    for (path, q, id) in [
        ("/v1/conditions", "labarl", "labral-tear"),
        ("/v1/conditions", "labral%20taer", "labral-tear"),
        ("/v1/conditions", "gluteal+tendinopathie", "gluteal-tendinopathy"),
        ("/v1/conditions", "osteoarthrits", "hip-osteoarthritis"),
        ("/v1/findings", "stairs", "pain-stairs"),
        ("/v1/findings", "fevr", "fever"),
        ("/v1/treatments", "shokwave", "shockwave"),
        ("/v1/sources", "reiman", "reiman-2013"),
    ] {
        let found = api.read(&format!("{path}?q={q}")).await;
        assert!(ids(&found["items"]).contains(&id), "{path} {q}: {found}");
        assert_eq!(found["total"], found["items"].as_array().unwrap().len());
    }
    for path in lists_with("q") {
        assert_eq!(api.read(&format!("{path}?q=xylophonists")).await["total"], 0, "{path}");
        let whole = api.read(path).await;
        assert_eq!(api.read(&format!("{path}?q=")).await["items"], whole["items"], "{path}: an empty search");
    }
}

#[tokio::test]
async fn an_exact_name_comes_first() {
    let api = Api::new();
    for condition in api.items("/v1/conditions").await {
        let name = condition["lay_name"].as_str().unwrap().replace(' ', "%20").replace('’', "%E2%80%99");
        let found = api.read(&format!("/v1/conditions?q={name}&limit=1")).await;
        assert_eq!(found["items"][0]["id"], condition["id"], "{name}");
    }
}

#[tokio::test]
async fn every_entry_of_a_list_can_be_read_and_says_the_same_there() {
    let api = Api::new();
    let stamp = api.read("/v1/catalogue").await["catalogue"].clone();
    let details = contract::operations().filter_map(|(path, ..)| path.strip_suffix("/{id}"));
    let details: Vec<&str> = details.collect();
    assert!(details.len() >= 5);
    for path in details {
        for entry in api.items(path).await {
            let detail = api.read(&format!("{path}/{}", key(&entry))).await;
            assert_eq!(detail["catalogue"], stamp);
            for (key, value) in entry.as_object().unwrap() {
                assert_eq!(detail[key], *value, "{path}/{}: {key}", entry["id"]);
            }
        }
    }
}

/// Adds what stands under a key that names sources, at any depth.
fn sources_in<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                match inner.as_array().filter(|_| key == "sources" || key == "background_sources") {
                    Some(sources) => found.extend(sources.iter().map(|source| source.as_str().unwrap())),
                    None => sources_in(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| sources_in(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn every_source_that_an_entry_names_is_in_the_catalogue() {
    let api = Api::new();
    let list = api.read("/v1/sources").await;
    let known: BTreeSet<&str> = ids(&list["items"]).into_iter().collect();
    for path in lists() {
        let list = api.read(path).await;
        for entry in list["items"].as_array().unwrap() {
            let detail_path = format!("{path}/{}", key(entry));
            let has_detail = contract::operations().any(|(known, ..)| known == format!("{path}/{{id}}"));
            let detail = if has_detail { api.read(&detail_path).await } else { entry.clone() };
            let mut named = BTreeSet::new();
            sources_in(&detail, &mut named);
            assert!(named.is_subset(&known), "{detail_path}");
            if path == "/v1/conditions" {
                let references: BTreeSet<&str> = ids(&detail["references"]).into_iter().collect();
                assert!(named.is_subset(&references), "{detail_path} names sources that it does not list");
            }
        }
    }
}

#[tokio::test]
async fn a_condition_tells_all_that_a_reader_needs() {
    let api = Api::new();
    for condition in api.items("/v1/conditions?limit=1000").await {
        let detail = api.read(condition["href"].as_str().unwrap()).await;
        let id = &detail["id"];
        assert!(detail["description"].as_str().unwrap().len() > 40, "{id}");
        if detail["role"] != "ranked" {
            continue;
        }
        for key in ["causes", "findings", "references"] {
            assert!(!detail[key].as_array().unwrap().is_empty(), "{id} has no {key}");
        }
        assert!(!detail["codes"]["icd10cm"].as_array().unwrap().is_empty(), "{id}");
        assert!(!detail["course"]["seek_help"].as_array().unwrap().is_empty(), "{id}");
    }
}

#[tokio::test]
async fn a_finding_and_a_condition_tell_the_same_figures() {
    let api = Api::new();
    for finding in api.items("/v1/findings").await {
        let detail = api.read(finding["href"].as_str().unwrap()).await;
        for row in detail["conditions"].as_array().unwrap() {
            let condition = api.read(&format!("/v1/conditions/{}", row["condition"].as_str().unwrap())).await;
            let rows = condition["findings"].as_array().unwrap();
            let other = rows.iter().find(|row| row["finding"] == finding["id"]).unwrap();
            for key in
                ["probability", "likelihood_ratio_present", "likelihood_ratio_absent", "grade", "sources"]
            {
                assert_eq!(row[key], other[key], "{} in {}", finding["id"], row["condition"]);
            }
        }
    }
}
