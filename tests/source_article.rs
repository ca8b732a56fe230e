//! The article that the catalogue began with has 53 facts. Each can be had through the API.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use coxa::{
    settings::{Overrides, Settings},
    startup::Service,
};

/// Number of the fact, where the API answers it, and what must stand there.
const FACTS: [(u8, &str, &[&str]); 53] = [
    (1, "/v1/findings/previous-hip-injury", &["hip-osteoarthritis"]),
    (2, "/v1/prevention", &["worse-while-running-rule", "soreness"]),
    (
        3,
        "/v1/conditions/gluteus-medius-strain",
        &["recent-training-increase", "speed-or-hill-work", "too far"],
    ),
    (4, "/v1/conditions/gluteus-medius-strain", &["loc-lateral", "loc-buttock", "outside"]),
    (5, "/v1/conditions/gluteus-medius-strain", &["pain-stairs", "pain-prolonged-sitting", "jump"]),
    (6, "/v1/conditions/gluteus-medius-strain", &["shock"]),
    (7, "/v1/conditions/hamstring-strain", &["loc-posterior-thigh", "muscle-belly-tender"]),
    (8, "/v1/findings/eases-with-warm-up", &["gluteal-tendinopathy"]),
    (9, "/v1/red-flags", &["soon-growing-worse", "seed-verywell"]),
    (
        10,
        "/v1/conditions?category=tendon",
        &[
            "gluteal-tendinopathy",
            "iliopsoas-tendinopathy",
            "proximal-hamstring-tendinopathy",
            "adductor-tendinopathy",
            "rectus-femoris-tendinopathy",
        ],
    ),
    (11, "/v1/conditions/trochanteric-bursitis", &["fluid", "rubbing"]),
    (12, "/v1/conditions?category=bursa", &["trochanteric-bursitis", "iliopsoas-bursitis"]),
    (13, "/v1/conditions/trochanteric-bursitis", &["loc-lateral"]),
    (
        14,
        "/v1/conditions/trochanteric-bursitis",
        &["pain-stairs", "pain-squat", "pain-sit-to-stand", "running"],
    ),
    (15, "/v1/conditions/trochanteric-bursitis", &["night-pain-side-lying"]),
    (16, "/v1/conditions/iliopsoas-bursitis", &["loc-groin", "less"]),
    (
        17,
        "/v1/conditions?q=runner's%20hip",
        &["runners-hip", "trochanteric-bursitis", "gluteus-medius-strain"],
    ),
    (18, "/v1/conditions/labral-tear", &["ring", "cartilage"]),
    (19, "/v1/conditions/labral-tear", &["loc-groin", "sharp"]),
    (20, "/v1/conditions/labral-tear", &["giving-way", "clicking-hip", "locking-catching"]),
    (21, "/v1/conditions/hip-osteoarthritis", &["cartilage", "rub"]),
    (22, "/v1/conditions/hip-osteoarthritis", &["family-history-hip-oa", "previous-hip-injury", "from_60"]),
    (23, "/v1/conditions/hip-osteoarthritis", &["pain-walking", "weight"]),
    (24, "/v1/conditions/hip-osteoarthritis", &["stiff-after-sitting", "morning-stiffness-short"]),
    (25, "/v1/conditions/hip-osteoarthritis", &["night-pain-unrelieved", "at rest"]),
    (26, "/v1/conditions/femoral-neck-stress-fracture", &["crack", "ball"]),
    (27, "/v1/conditions/femoral-neck-stress-fracture", &["loc-groin", "ache"]),
    (
        28,
        "/v1/conditions/femoral-neck-stress-fracture",
        &["pain-walking", "worse-as-run-goes-on", "relief-with-rest"],
    ),
    (29, "/v1/conditions/femoral-neck-stress-fracture", &["rest-pain-constant", "all the time"]),
    (30, "/v1/conditions/trochanteric-bursitis/escalation", &["gate", "weeks"]),
    (
        31,
        "/v1/treatments?stage=conservative",
        &[
            "relative-rest",
            "ice",
            "oral-nsaids",
            "activity-modification",
            "physio-loading",
            "gentle-stretching",
        ],
    ),
    (32, "/v1/red-flags", &["routine-not-better-two-weeks", "one to two weeks"]),
    (33, "/v1/conditions/trochanteric-bursitis/escalation", &["\"after_oral_medicine\":true"]),
    (
        34,
        "/v1/treatments?q=corticosteroid",
        &["corticosteroid-soft-tissue", "corticosteroid-intra-articular"],
    ),
    (35, "/v1/treatments/corticosteroid-soft-tissue", &["2-3 days"]),
    (36, "/v1/conditions/trochanteric-bursitis/escalation", &["\"per_area\":3", "damage"]),
    (
        37,
        "/v1/conditions/hip-osteoarthritis/escalation",
        &["hyaluronic-acid", "not_recommended", "aaos-hip-oa-2023"],
    ),
    (38, "/v1/treatments?stage=surgery", &["labral-surgery", "total-hip-replacement"]),
    (39, "/v1/treatments?stage=surgery", &["gluteal-repair", "tendon-muscle-repair"]),
    (40, "/v1/conditions/labral-tear/escalation", &["labral-surgery", "fray"]),
    (41, "/v1/conditions/hip-osteoarthritis/escalation", &["joint-debridement", "total-hip-replacement"]),
    (42, "/v1/prevention", &["dynamic-warm-up", "training-load-gradual"]),
    (43, "/v1/prevention", &["stop-running-rule", "few days"]),
    (44, "/v1/exercises?kind=stretch", &["kneeling-hip-flexor-stretch", "figure-four-stretch"]),
    (45, "/v1/prevention", &["stretch-rule-comfort", "never"]),
    (46, "/v1/catalogue", &["escalation_steps", "prevention"]),
    (47, "/v1/sources/godshaw-2019", &["Godshaw"]),
    (48, "/v1/sources/frizziero-2016", &["Frizziero"]),
    (49, "/v1/sources/aaos-hip-bursitis", &["American Academy"]),
    (50, "/v1/sources/utah-labral", &["Utah"]),
    (51, "/v1/sources/aaos-hip-oa-info", &["American Academy"]),
    (52, "/v1/sources/nyu-hip-oa-surgery", &["NYU"]),
    (53, "/v1/sources/short-2021", &["Short"]),
];

#[tokio::test]
async fn every_fact_of_the_source_article_can_be_had_through_the_api() {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let listen = Overrides { listen: Some("127.0.0.1:0".parse().unwrap()), ..Overrides::default() };
            let service = Service::start(&Settings::read(&listen, []).unwrap()).unwrap();
            sender.send(service.address()).unwrap();
            service.run().await.unwrap();
        });
    });
    let base = format!("http://{}", receiver.recv().unwrap());
    let mut missing = Vec::new();
    for (number, path, wanted) in FACTS {
        let answer = reqwest::get(format!("{base}{path}")).await.unwrap();
        assert_eq!(answer.status(), 200, "fact {number}: {path}");
        let body = answer.text().await.unwrap().to_lowercase();
        missing.extend(
            wanted
                .iter()
                .filter(|word| !body.contains(&word.to_lowercase()))
                .map(|word| (number, path, *word)),
        );
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_fact_is_left_out() {
    assert!(FACTS.iter().map(|(number, _, _)| *number).eq(1..=53));
}
