//! The laws of the ladder of care, over every condition and random courses.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use coxa::{
    catalogue::{
        Catalogue,
        entry::{Condition, Treatment},
        id::ContraindicationId,
        vocabulary::{Imaging, Recommendation, Response, Sex, Stage, TriageLevel},
    },
    escalation::{
        ActionKind, Course, Danger, GatePart, GateStatus, InjectionNumbers, Position, StepPosition,
        StepStatus, Tried, position,
    },
};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::{Index, select, subsequence},
};

mod core;
use core::KNOWLEDGE;

fn catalogue() -> &'static Catalogue {
    &KNOWLEDGE.0
}

fn condition(id: &str) -> &'static Condition {
    catalogue().condition(id).unwrap()
}

fn treatments() -> Vec<&'static Treatment> {
    catalogue().treatments().iter().collect()
}

fn reasons() -> Vec<ContraindicationId> {
    let mut reasons: Vec<ContraindicationId> = treatments()
        .iter()
        .flat_map(|treatment| &treatment.contraindications)
        .map(|reason| reason.id.clone())
        .collect();
    reasons.sort();
    reasons.dedup();
    reasons
}

fn open(step: &StepPosition<'_>) -> bool {
    matches!(step.status, StepStatus::Available | StepStatus::Current)
}

fn stand<'a>(id: &str, course: &'a Course) -> Position<'a> {
    position(catalogue(), condition(id), course)
}

fn status(position: &Position<'_>, treatment: &str) -> StepStatus {
    step(position, treatment).status
}

fn step<'a, 'p>(position: &'p Position<'a>, treatment: &str) -> &'p StepPosition<'a> {
    let found = position.steps.iter().find(|step| step.treatment.id.as_str() == treatment);
    found.unwrap_or_else(|| panic!("no step {treatment}"))
}

fn tried(id: &str, weeks: f64, response: Response) -> Tried {
    Tried { weeks: Some(weeks), response: Some(response), ..Tried::new(id.parse().unwrap()) }
}

/// Everything that can be known against a treatment, said to be absent.
fn nothing_against(mut course: Course) -> Course {
    course.contraindications = reasons().into_iter().map(|id| (id, false)).collect();
    course
}

/// Someone for whom every gate that care can open is open.
fn after_failed_care() -> Course {
    nothing_against(Course {
        age: Some(50),
        weeks_since_onset: Some(60.0),
        treatments: vec![
            tried("physio-loading", 40.0, Response::None),
            tried("oral-nsaids", 3.0, Response::Partial),
        ],
        imaging: Imaging::ALL.iter().copied().collect(),
        circumstances: catalogue().circumstances().iter().map(|entry| (entry.id.clone(), true)).collect(),
        ..Course::default()
    })
}

fn weeks() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..4.0_f64, 0.0..60.0_f64, select(vec![0.0, 2.0, 6.0, 8.0, 12.0, 24.0, 52.0])]
}

fn responses() -> impl Strategy<Value = Response> {
    prop_oneof![
        3 => Just(Response::None),
        2 => Just(Response::Partial),
        1 => Just(Response::Worse),
        1 => Just(Response::Full),
    ]
}

fn tries() -> impl Strategy<Value = Tried> {
    let timing = (option::of(weeks()), option::of(responses()), option::of(any::<bool>()));
    let injections = (option::of(1..5_u32), option::of(weeks()), option::of(any::<bool>()));
    (any::<Index>(), timing, injections).prop_map(
        |(index, (weeks, response, ongoing), (count, last, same_area))| {
            let treatment = *index.get(&treatments());
            let injected = treatment.stage == Stage::Injection;
            Tried {
                treatment: treatment.id.clone(),
                weeks,
                response,
                ongoing,
                count: count.filter(|_| injected),
                weeks_since_last: last.filter(|_| injected),
                same_area: same_area.filter(|_| injected),
            }
        },
    )
}

fn dangers() -> impl Strategy<Value = Danger> {
    let flag = || prop_oneof![4 => Just(Some(false)), 2 => Just(None), 1 => Just(Some(true))];
    let conditions: Vec<_> = catalogue().conditions().iter().map(|condition| condition.id.clone()).collect();
    let suspected = prop_oneof![4 => Just(Default::default()), 1 => btree_set(select(conditions), 1..3)];
    (option::of(select(TriageLevel::ALL.to_vec())), suspected, flag(), flag(), flag()).prop_map(
        |(triage, suspected, infection, fracture, tendon_rupture)| Danger {
            triage: triage.filter(|level| *level < TriageLevel::Emergency),
            suspected,
            infection,
            fracture,
            tendon_rupture,
        },
    )
}

fn courses() -> impl Strategy<Value = Course> {
    let person = (option::of(10..90_u8), option::of(select(Sex::ALL.to_vec())), option::of(weeks()));
    let numbers = (option::of(0..5_u32), option::of(0..5_u32), option::of(weeks())).prop_map(
        |(same_area, past_year, weeks_since_last)| InjectionNumbers {
            same_area,
            past_year,
            weeks_since_last,
        },
    );
    let known = (0..4_u8, any::<u64>(), any::<u64>());
    let imaging = subsequence(Imaging::ALL.to_vec(), 0..=Imaging::ALL.len());
    let numbers = prop_oneof![3 => Just(InjectionNumbers::default()), 1 => numbers];
    (person, option::of(weeks()), vec(tries(), 0..8), numbers, known, imaging, dangers()).prop_map(
        |((age, sex, onset), care, treatments, injections, (mode, one, other), imaging, danger)| {
            // Mostly known and absent, so that gates do open; the rest by the bits of two numbers.
            let state = |place: usize| match (mode, one >> (place % 64) & 1, other >> (place % 61) & 1) {
                (0 | 1, _, _) => Some(false),
                (_, 0, 0) => Some(true),
                (2, _, 0) => None,
                _ => Some(false),
            };
            let holds = |place: usize| state(place).map(|absent| !absent);
            Course {
                age,
                sex,
                weeks_since_onset: onset,
                weeks_of_conservative_care: care,
                treatments,
                injections,
                contraindications: reasons()
                    .into_iter()
                    .enumerate()
                    .filter_map(|(place, id)| Some((id, state(place)?)))
                    .collect(),
                circumstances: catalogue()
                    .circumstances()
                    .iter()
                    .enumerate()
                    .filter_map(|(place, entry)| Some((entry.id.clone(), holds(place)?)))
                    .collect(),
                imaging: imaging.into_iter().collect(),
                danger,
            }
        },
    )
}

fn positions<'a>(course: &'a Course) -> impl Iterator<Item = Position<'a>> {
    catalogue().conditions().iter().map(move |condition| position(catalogue(), condition, course))
}

/// Whether a course says that a reason against a treatment is there, in one way or another.
fn said(course: &Course, reason: &str, flag: Option<bool>) -> bool {
    let listed = course.contraindications.iter().any(|(id, state)| id.as_str() == reason && *state);
    listed || flag == Some(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_needle_and_no_knife_comes_before_conservative_care_unless_it_is_urgent(course in courses()) {
        let conservative = course
            .tried(catalogue())
            .any(|(_, treatment)| treatment.stage == Stage::Conservative);
        for position in positions(&course) {
            for step in position.steps.iter().filter(|step| step.treatment.stage > Stage::Conservative) {
                prop_assert_ne!(step.status, StepStatus::Current);
                prop_assert!(
                    !open(step) || conservative || step.step.gate.immediate,
                    "{}: {}", position.condition.id, step.treatment.id
                );
            }
        }
    }

    #[test]
    fn corticosteroid_stays_within_its_caps_and_away_from_danger(course in courses()) {
        let mut same_area = course.injections.same_area.unwrap_or(0);
        let mut past_year = course.injections.past_year.unwrap_or(0);
        let mut last = course.injections.weeks_since_last;
        for (tried, _) in course.tried(catalogue()).filter(|(_, treatment)| treatment.corticosteroid) {
            let count = tried.count.unwrap_or(1);
            same_area += if tried.same_area == Some(false) { 0 } else { count };
            past_year += if tried.weeks_since_last.is_some_and(|weeks| weeks >= 52.0) { 0 } else { count };
            last = last.into_iter().chain(tried.weeks_since_last).reduce(f64::min);
        }
        let danger = &course.danger;
        let forbidden = said(&course, "suspected-infection", danger.infection)
            || said(&course, "suspected-fracture", danger.fracture)
            || said(&course, "suspected-tendon-rupture", danger.tendon_rupture)
            || danger.suspected.iter().any(|id| id.as_str().contains("fracture"));
        for position in positions(&course) {
            for step in position.steps.iter().filter(|step| step.treatment.corticosteroid && open(step)) {
                let caps = step.step.gate.injections.unwrap();
                prop_assert!(same_area < u32::from(caps.per_area), "{}", position.condition.id);
                prop_assert!(past_year < u32::from(caps.per_year), "{}", position.condition.id);
                prop_assert!(last.is_none_or(|last| last >= caps.weeks_between.get()));
                prop_assert!(!forbidden, "{}: {:?}", position.condition.id, danger);
            }
        }
    }

    #[test]
    fn only_met_gates_open_a_step(course in courses()) {
        for position in positions(&course) {
            for step in &position.steps {
                let all = |status| step.checks.iter().all(|check| check.status == status);
                let none = |status| step.checks.iter().all(|check| check.status != status);
                match step.status {
                    StepStatus::Available => prop_assert!(all(GateStatus::Met)),
                    StepStatus::Current => prop_assert!(none(GateStatus::Unmet)),
                    StepStatus::Blocked => prop_assert!(!all(GateStatus::Met)),
                    StepStatus::Done => {
                        prop_assert!(course.treatments.iter().any(|tried| tried.treatment == step.treatment.id));
                    }
                    StepStatus::NotRecommended => {
                        prop_assert_eq!(step.step.recommendation, Recommendation::NotRecommended);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_advised_against_never_opens(course in courses()) {
        for position in positions(&course) {
            for step in &position.steps {
                let advised_against = step.step.recommendation == Recommendation::NotRecommended;
                prop_assert_eq!(advised_against, step.status == StepStatus::NotRecommended);
                let next = position.next.treatment.is_some_and(|treatment| treatment.id == step.treatment.id);
                prop_assert!(!(advised_against && next), "{}: {:?}", position.condition.id, position.next);
            }
        }
    }

    #[test]
    fn more_failed_treatment_never_moves_a_person_down(
        course in courses(),
        more in tries(),
        failed in select(vec![Response::None, Response::Worse]),
        longer in weeks(),
        which in any::<Index>(),
    ) {
        let mut others = vec![course.clone(), course.clone(), course.clone()];
        // One more kind, ...
        others[0].treatments.push(Tried { response: Some(failed), ..more });
        if !course.treatments.is_empty() {
            let place = which.index(course.treatments.len());
            // ... for longer, ...
            let tried = &mut others[1].treatments[place];
            tried.weeks = tried.weeks.map(|weeks| weeks + longer);
            tried.response = Some(failed);
            // ... or worse.
            others[2].treatments[place].response = Some(Response::Worse);
        }
        for other in &others {
            for (before, after) in positions(&course).zip(positions(other)) {
                prop_assert!(
                    before.current_stage <= after.current_stage,
                    "{}: {:?} to {:?}", before.condition.id, before.current_stage, after.current_stage
                );
            }
        }
    }

    #[test]
    fn more_weeks_of_failed_care_never_close_what_care_opened(course in courses(), longer in weeks()) {
        let mut other = course.clone();
        for tried in &mut other.treatments {
            tried.weeks = tried.weeks.map(|weeks| weeks + longer);
        }
        other.weeks_of_conservative_care = other.weeks_of_conservative_care.map(|weeks| weeks + longer);
        for (before, after) in positions(&course).zip(positions(&other)) {
            for (before, after) in before.steps.iter().zip(&after.steps) {
                prop_assert!(!open(before) || open(after), "{}: {:?}", before.treatment.id, after.checks);
            }
        }
    }

    #[test]
    fn nothing_loads_the_hip_while_bone_infection_or_tumour_is_suspected(
        course in courses(),
        suspected in select(vec![
            "femoral-neck-stress-fracture", "femoral-shaft-stress-fracture", "pelvic-stress-fracture",
            "sacral-stress-fracture", "hip-fracture-displaced", "septic-arthritis-hip", "deep-pelvic-infection",
            "bone-malignancy",
        ]),
        how in 0..4_u8,
    ) {
        let mut course = course;
        match how {
            0 => course.danger.infection = Some(true),
            1 => course.danger.fracture = Some(true),
            2 => {
                course.contraindications.insert("suspected-fracture".parse().unwrap(), true);
            }
            _ => {
                course.danger.suspected.insert(condition(suspected).id.clone());
            }
        }
        for position in positions(&course) {
            for step in position.steps.iter().filter(|step| step.treatment.loading) {
                prop_assert!(!open(step), "{}: {}", position.condition.id, step.treatment.id);
            }
            let next = position.next.treatment;
            prop_assert!(next.is_none_or(|next| !next.loading), "{}", position.condition.id);
            prop_assert_eq!(position.next.kind, ActionKind::SeeSomeone);
        }
    }

    #[test]
    fn every_condition_has_a_way_out_at_every_position(course in courses()) {
        for position in positions(&course) {
            let text = position.next.to_string();
            prop_assert!(!text.trim().is_empty() && text.ends_with('.'), "{}: {text}", position.condition.id);
            let out = position.review_after_weeks.is_some() || position.next.kind == ActionKind::SeeSomeone;
            let seek_help = &position.condition.course.seek_help;
            prop_assert!(out || !seek_help.is_empty(), "{}: {text}", position.condition.id);
            for check in position.steps.iter().flat_map(|step| &step.checks) {
                prop_assert!(!check.fact.to_string().is_empty());
            }
        }
    }

    #[test]
    fn the_action_leads_to_a_step_that_is_open_or_under_way(course in courses()) {
        for position in positions(&course) {
            let Some(treatment) = position.next.treatment else { continue };
            let step = position.steps.iter().find(|step| step.treatment.id == treatment.id);
            match position.next.kind {
                ActionKind::Start | ActionKind::Discuss | ActionKind::SeeSomeone => {
                    let step = step.unwrap();
                    prop_assert_eq!(step.status, StepStatus::Available, "{}", position.condition.id);
                    let conservative = step.treatment.stage == Stage::Conservative;
                    prop_assert!(conservative || position.next.kind != ActionKind::Start);
                }
                ActionKind::Continue | ActionKind::Review => {
                    prop_assert!(course.treatments.iter().any(|tried| tried.treatment == treatment.id));
                }
            }
        }
    }
}

#[test]
fn failed_care_opens_every_step_that_is_not_advised_against() {
    // Without this the laws above could hold because nothing ever opened.
    let course = after_failed_care();
    let mut opened = [0; 3];
    for position in positions(&course) {
        for step in &position.steps {
            let advised_against = step.status == StepStatus::NotRecommended;
            assert!(
                advised_against || step.status != StepStatus::Blocked,
                "{}: {} {:?}",
                position.condition.id,
                step.treatment.id,
                step.checks
            );
            if step.status == StepStatus::Available {
                opened[step.treatment.stage as usize] += 1;
            }
        }
    }
    assert!(opened.iter().all(|count| *count >= 20), "{opened:?}");
}

#[test]
fn hyaluronic_acid_stands_with_the_guideline_that_advises_against_it() {
    for course in [Course::default(), after_failed_care()] {
        let position = stand("hip-osteoarthritis", &course);
        let step = step(&position, "hyaluronic-acid");
        assert_eq!(step.status, StepStatus::NotRecommended);
        assert!(step.step.sources.iter().any(|source| source.as_str() == "aaos-hip-oa-2023"));
        assert!(step.step.why_not.is_some());
    }
}

#[test]
fn an_injection_opens_after_care_that_failed_and_closes_at_its_cap_and_spacing() {
    const STEROID: &str = "corticosteroid-intra-articular";
    let mut course = after_failed_care();
    assert_eq!(status(&stand("hip-osteoarthritis", &course), STEROID), StepStatus::Available);
    assert_eq!(stand("hip-osteoarthritis", &course).next.kind, ActionKind::Discuss);
    for (count, last, expected) in [
        (1, 12.0, StepStatus::Available),
        (2, 12.0, StepStatus::Available),
        (2, 11.9, StepStatus::Blocked),
        (3, 12.0, StepStatus::Blocked),
        (3, 60.0, StepStatus::Blocked),
    ] {
        let mut injected = tried(STEROID, 0.0, Response::Partial);
        (injected.count, injected.weeks_since_last) = (Some(count), Some(last));
        course.treatments.truncate(2);
        course.treatments.push(injected);
        let position = stand("hip-osteoarthritis", &course);
        assert_eq!(status(&position, STEROID), expected, "{count} {last}");
        assert_eq!(position.current_stage, Stage::Injection);
    }
}

#[test]
fn an_injection_whose_number_or_date_is_unknown_opens_no_other() {
    for (count, last) in [(None, Some(20.0)), (Some(1), None)] {
        let mut course = after_failed_care();
        let mut injected = tried("corticosteroid-soft-tissue", 0.0, Response::Partial);
        (injected.count, injected.weeks_since_last) = (count, last);
        course.treatments.push(injected);
        let position = stand("gluteal-tendinopathy", &course);
        let step = step(&position, "corticosteroid-soft-tissue");
        assert_eq!(step.status, StepStatus::Blocked);
        assert!(step.checks.iter().any(|check| check.status == GateStatus::Unknown), "{:?}", step.checks);
    }
}

#[test]
fn treatments_side_by_side_count_once_unless_the_weeks_of_all_care_are_given() {
    let weeks = |care: Option<f64>| {
        let mut course = after_failed_care();
        course.treatments =
            vec![tried("education", 5.0, Response::None), tried("physio-loading", 5.0, Response::None)];
        course.weeks_of_conservative_care = care;
        let position = stand("gluteal-tendinopathy", &course);
        let checks = &step(&position, "corticosteroid-soft-tissue").checks;
        checks.iter().find(|check| check.gate == GatePart::Weeks).unwrap().status
    };
    assert_eq!(weeks(None), GateStatus::Unknown);
    assert_eq!(weeks(Some(7.9)), GateStatus::Unmet);
    assert_eq!(weeks(Some(8.0)), GateStatus::Met);
}

#[test]
fn weeks_of_pain_are_no_weeks_of_care_for_a_bone() {
    let course = nothing_against(Course {
        weeks_since_onset: Some(20.0),
        circumstances: catalogue().circumstances().iter().map(|entry| (entry.id.clone(), true)).collect(),
        ..Course::default()
    });
    assert_eq!(status(&stand("sacral-stress-fracture", &course), "graded-return"), StepStatus::Blocked);
    assert_eq!(status(&stand("hamstring-strain", &course), "graded-return"), StepStatus::Available);
}

#[test]
fn what_does_not_ease_within_two_weeks_leads_to_someone_who_looks() {
    let mut course = Course {
        weeks_since_onset: Some(3.0),
        treatments: vec![tried("activity-modification", 1.0, Response::None)],
        ..Course::default()
    };
    assert_eq!(stand("gluteal-tendinopathy", &course).next.kind, ActionKind::Start);
    course.treatments[0].weeks = Some(2.0);
    assert_eq!(stand("gluteal-tendinopathy", &course).next.kind, ActionKind::SeeSomeone);
    course.treatments[0].response = Some(Response::Partial);
    assert_ne!(stand("gluteal-tendinopathy", &course).next.kind, ActionKind::SeeSomeone);
}

#[test]
fn an_emergency_leads_to_the_hospital_and_its_operation_waits_for_nothing() {
    let course = nothing_against(Course::default());
    let position = stand("septic-arthritis-hip", &course);
    assert_eq!(position.current_stage, Stage::Surgery);
    assert_eq!(position.next.kind, ActionKind::SeeSomeone);
    assert_eq!(status(&position, "joint-washout-antibiotics"), StepStatus::Available);
    assert!(position.next.to_string().contains("emergency department now"), "{}", position.next);
    assert_eq!(position.review_after_weeks, None);
}

#[test]
fn conditions_without_a_ladder_lead_to_a_review_and_then_to_someone() {
    for id in ["other", "runners-hip", "greater-trochanteric-pain-syndrome"] {
        let newcomer = Course::default();
        assert_eq!(stand(id, &newcomer).next.kind, ActionKind::Review, "{id}");
        assert!(stand(id, &newcomer).review_after_weeks.is_some(), "{id}");
        let later = Course { weeks_since_onset: Some(3.0), ..Course::default() };
        assert_eq!(stand(id, &later).next.kind, ActionKind::SeeSomeone, "{id}");
    }
}
