//! What holds for running meanwhile and for the return to it, over the shipped catalogue and random cases.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests say what they expect by failing, in their helpers too"
)]

mod core;

use std::collections::BTreeSet;

use coxa::{
    catalogue::{
        Catalogue,
        entry::Condition,
        vocabulary::{Running, TriageLevel},
    },
    escalation::{
        Training, TrainingFacts,
        return_to_run::{RunCheck, RunReport, Verdict, Why, check, plan},
        training,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};

fn catalogue() -> &'static Catalogue {
    &core::KNOWLEDGE.0
}

/// Every finding that a rule about running looks at, and some that none does.
fn findings() -> Vec<&'static str> {
    let rules = catalogue().training().iter();
    let named = rules.flat_map(|rule| rule.any_of.iter().chain(&rule.all_absent)).map(|id| id.as_str());
    let others = catalogue().findings().iter().take(10).map(|finding| finding.id.as_str());
    named.chain(others).collect::<BTreeSet<_>>().into_iter().collect()
}

fn conditions() -> Vec<&'static Condition> {
    catalogue().conditions().iter().collect()
}

fn facts() -> impl Strategy<Value = TrainingFacts<'static>> {
    let answers = vec((select(findings()), any::<bool>()), 0..12);
    (select(TriageLevel::ALL), any::<bool>(), option::of(select(conditions())), answers).prop_map(
        |(level, stop_running, first, answers)| {
            let (mut present, mut absent) = (BTreeSet::new(), BTreeSet::new());
            for (finding, there) in answers {
                let other = if there { &absent } else { &present };
                if !other.contains(finding) {
                    if there { &mut present } else { &mut absent }.insert(finding);
                }
            }
            let first_condition = first.map(|condition| &condition.id);
            TrainingFacts { level, stop_running, first_condition, present, absent }
        },
    )
}

fn advice(facts: &TrainingFacts<'_>) -> Training<'static> {
    training(catalogue(), facts).unwrap_or_else(|| panic!("no answer for {facts:?}"))
}

fn calm(
    condition: Option<&str>,
    present: &[&'static str],
    absent: &[&'static str],
) -> TrainingFacts<'static> {
    TrainingFacts {
        level: TriageLevel::Routine,
        stop_running: false,
        first_condition: condition.map(|id| &catalogue().condition(id).unwrap().id),
        present: present.iter().copied().collect(),
        absent: absent.iter().copied().collect(),
    }
}

/// What must be absent for a runner to run as before.
const PAINLESS: [&str; 4] = ["pain-running", "pain-on-impact", "pain-walking", "pain-after-running"];

proptest! {
    #[test]
    fn every_case_has_an_answer_with_its_reasons(facts in facts()) {
        let advice = advice(&facts);
        prop_assert!(!advice.reasons.is_empty());
        prop_assert_eq!(&advice.reasons[0].id, &advice.rule.id);
        prop_assert_eq!(advice.running, advice.rule.running, "the words are those of another answer");
    }

    #[test]
    fn the_strictest_rule_wins(facts in facts()) {
        let advice = advice(&facts);
        let strictest = advice.reasons.iter().map(|rule| rule.running).max().unwrap();
        prop_assert_eq!(advice.running, strictest);
    }

    #[test]
    fn running_is_never_looser_than_triage(facts in facts()) {
        let running = advice(&facts).running;
        if facts.stop_running || facts.level >= TriageLevel::Urgent {
            prop_assert_eq!(running, Running::Stop);
        }
        if facts.level >= TriageLevel::Soon {
            prop_assert!(running >= Running::NoImpact);
        }
    }

    #[test]
    fn a_higher_level_and_one_more_sign_never_loosen_it(facts in facts(), level in select(TriageLevel::ALL), more in select(findings())) {
        let before = advice(&facts).running;
        let higher = TrainingFacts { level: facts.level.max(level), ..facts.clone() };
        prop_assert!(advice(&higher).running >= before);
        let mut worse = facts.clone();
        worse.absent.remove(more);
        worse.present.insert(more);
        prop_assert!(advice(&worse).running >= before, "{more}");
    }

    #[test]
    fn running_as_before_needs_four_answers_of_no(facts in facts()) {
        if advice(&facts).running == Running::Unrestricted {
            prop_assert!(PAINLESS.iter().all(|finding| facts.absent.contains(finding)));
        }
    }

    #[test]
    fn no_running_while_a_dangerous_bone_comes_first(mut facts in facts(), absent in any::<bool>()) {
        facts.first_condition = Some(&catalogue().condition("femoral-neck-stress-fracture").unwrap().id);
        if absent {
            facts.present.clear();
            facts.absent = findings().into_iter().collect();
        }
        prop_assert_eq!(advice(&facts).running, Running::Stop);
    }
}

#[test]
fn every_level_of_running_is_met() {
    let gluteal = Some("gluteal-tendinopathy");
    let cases = [
        (calm(None, &[], &PAINLESS), Running::Unrestricted, "unrestricted-without-pain"),
        (calm(None, &[], &[]), Running::Modified, "otherwise-modified"),
        (calm(gluteal, &[], &PAINLESS), Running::Modified, "modified-tendon"),
        (calm(Some("delayed-onset-muscle-soreness"), &[], &[]), Running::Modified, "modified-soreness"),
        (calm(gluteal, &["limp"], &[]), Running::NoImpact, "no-impact-daily-life"),
        (calm(None, &["pop-felt"], &PAINLESS), Running::NoImpact, "no-impact-signs-of-a-tear"),
        (
            TrainingFacts { level: TriageLevel::Soon, ..calm(gluteal, &[], &[]) },
            Running::NoImpact,
            "no-impact-soon",
        ),
        (
            TrainingFacts { stop_running: true, ..calm(gluteal, &["limp"], &[]) },
            Running::Stop,
            "stop-by-triage",
        ),
    ];
    for (facts, running, rule) in cases {
        let advice = advice(&facts);
        assert_eq!((advice.running, advice.rule.id.as_str()), (running, rule));
    }
}

#[test]
fn the_order_in_which_findings_were_given_does_not_matter() {
    let one = advice(&calm(None, &["limp", "pop-felt", "severe-pain"], &["pain-running", "clicking-hip"]));
    let other = advice(&calm(None, &["severe-pain", "limp", "pop-felt"], &["clicking-hip", "pain-running"]));
    let ids = |advice: &Training<'_>| -> Vec<String> {
        advice.reasons.iter().map(|rule| rule.id.to_string()).collect()
    };
    assert_eq!((ids(&one).len(), ids(&one)), (2, ids(&other)));
}

#[test]
fn every_rule_about_running_is_met_by_some_case() {
    let mut met: BTreeSet<&str> = BTreeSet::new();
    let first = conditions().into_iter().map(|condition| Some(condition.id.as_str())).chain([None]);
    let painless: Vec<&str> = findings();
    for condition in first {
        for level in TriageLevel::ALL {
            for (present, absent) in
                [(vec![], vec![]), (vec![], painless.clone()), (painless.clone(), vec![])]
            {
                let facts = TrainingFacts { level: *level, ..calm(condition, &present, &absent) };
                met.extend(advice(&facts).reasons.iter().map(|rule| rule.id.as_str()));
            }
        }
    }
    assert_eq!(met.len(), catalogue().training().len(), "{met:?}");
}

fn report() -> impl Strategy<Value = RunReport> {
    (1..14_usize, 1..6_u32, 0..=20_u8, 0..=20_u8, any::<[bool; 3]>(), option::of(any::<bool>())).prop_map(
        |(step, sessions_at_step, during, after, [worse_next_day, limping, new_red_flag], bone_cleared)| {
            RunReport {
                step,
                sessions_at_step,
                pain_during: f64::from(during) / 2.0,
                pain_after: f64::from(after) / 2.0,
                worse_next_day,
                limping,
                bone_cleared,
                new_red_flag,
            }
        },
    )
}

/// A report of sessions that went well.
fn well() -> impl Strategy<Value = RunReport> {
    (1..14_usize).prop_map(|step| RunReport {
        step,
        sessions_at_step: 20,
        pain_during: 0.0,
        pain_after: 0.0,
        worse_next_day: false,
        limping: false,
        bone_cleared: Some(true),
        new_red_flag: false,
    })
}

fn checked(condition: &Condition, report: &RunReport) -> RunCheck<'static> {
    check(catalogue(), condition, report).unwrap_or_else(|| panic!("no plan for {}", condition.id))
}

proptest! {
    #[test]
    fn a_check_always_has_an_answer_with_reasons_and_a_step_of_its_plan(condition in select(conditions()), report in report()) {
        let check = checked(condition, &report);
        prop_assert!(!check.why.is_empty());
        prop_assert!(check.why.iter().all(|why| why.verdict() == check.verdict));
        let steps = check.plan.steps.len();
        let step = report.step.min(steps);
        let expected = match check.verdict {
            Verdict::Advance => (step < steps).then_some(step + 1),
            Verdict::Hold => Some(step),
            Verdict::StepBack => Some(step - 1),
            Verdict::SeeSomeone => None,
        };
        prop_assert_eq!(check.next_step, expected);
        prop_assert!(check.next_step.is_none_or(|next| (1..=steps).contains(&next)));
        prop_assert_eq!(check.why.contains(&Why::Finished), check.verdict == Verdict::Advance && step == steps);
    }

    #[test]
    fn more_pain_never_leads_further(condition in select(conditions()), report in report(), during in 0..=20_u8, after in 0..=20_u8) {
        let mut worse = report;
        worse.pain_during = (report.pain_during + f64::from(during) / 2.0).min(10.0);
        worse.pain_after = (report.pain_after + f64::from(after) / 2.0).min(10.0);
        prop_assert!(checked(condition, &worse).verdict >= checked(condition, &report).verdict);
    }

    #[test]
    fn a_worse_report_never_leads_further(condition in select(conditions()), report in report()) {
        let before = checked(condition, &report).verdict;
        for worse in [
            RunReport { worse_next_day: true, ..report },
            RunReport { limping: true, ..report },
            RunReport { new_red_flag: true, ..report },
            RunReport { bone_cleared: Some(false), ..report },
            RunReport { sessions_at_step: 1, ..report },
        ] {
            prop_assert!(checked(condition, &worse).verdict >= before, "{:?}", worse);
        }
    }

    #[test]
    fn nobody_goes_on_while_an_injury_of_bone_is_not_excluded(condition in select(conditions()), report in well()) {
        let refuted = RunReport { bone_cleared: Some(false), ..report };
        prop_assert_eq!(checked(condition, &refuted).verdict, Verdict::SeeSomeone);
        let bone = plan(catalogue(), condition).unwrap().bone_must_be_cleared;
        let unknown = checked(condition, &RunReport { bone_cleared: None, ..report });
        prop_assert_eq!(unknown.why.contains(&Why::BoneNotCleared), bone);
        prop_assert!(!bone || unknown.verdict == Verdict::SeeSomeone);
    }

    #[test]
    fn any_pain_after_an_injury_of_bone_ends_at_someone_who_looks(report in well(), tenths in 1..=100_u8, after in any::<bool>()) {
        let condition = catalogue().condition("sacral-stress-fracture").unwrap();
        let pain = f64::from(tenths) / 10.0;
        let hurts = if after { RunReport { pain_after: pain, ..report } } else { RunReport { pain_during: pain, ..report } };
        prop_assert_eq!(checked(condition, &hurts).verdict, Verdict::SeeSomeone);
        prop_assert_eq!(checked(condition, &report).verdict, Verdict::Advance);
    }

    #[test]
    fn pain_that_is_not_a_number_never_leads_on(condition in select(conditions()), report in well()) {
        let strange = RunReport { pain_during: f64::NAN, ..report };
        prop_assert_eq!(checked(condition, &strange).verdict, Verdict::SeeSomeone);
    }
}

#[test]
fn a_plan_can_be_run_from_its_first_step_to_its_end() {
    for condition in
        ["gluteal-tendinopathy", "hamstring-strain", "femoral-neck-stress-fracture", "runners-hip", "other"]
    {
        let condition = catalogue().condition(condition).unwrap();
        let plan = plan(catalogue(), condition).unwrap();
        let (mut step, mut sessions) = (1, 0);
        loop {
            let mut held = 0;
            let next = loop {
                held += 1;
                let report = RunReport {
                    step,
                    sessions_at_step: held,
                    pain_during: 0.0,
                    pain_after: 0.0,
                    worse_next_day: false,
                    limping: false,
                    bone_cleared: Some(true),
                    new_red_flag: false,
                };
                let check = checked(condition, &report);
                if check.verdict == Verdict::Advance {
                    break check.next_step;
                }
                assert_eq!((check.verdict, check.why), (Verdict::Hold, vec![Why::MoreSessions]));
            };
            assert_eq!(held, u32::from(plan.sessions_per_step));
            sessions += held;
            match next {
                Some(next) => step = next,
                None => break,
            }
        }
        assert_eq!(step, plan.steps.len());
        assert!((16..=36).contains(&sessions), "{}: {sessions} sessions", condition.id);
    }
}

#[test]
fn conditions_of_bone_take_the_plan_for_bone() {
    let takes =
        |id: &str| plan(catalogue(), catalogue().condition(id).unwrap()).unwrap().bone_must_be_cleared;
    for condition in catalogue().conditions() {
        if condition.id.as_str().contains("stress-fracture") {
            assert!(takes(condition.id.as_str()), "{}", condition.id);
        }
    }
    for id in [
        "pubic-bone-stress-injury",
        "transient-osteoporosis-hip",
        "osteonecrosis-femoral-head",
        "runners-hip",
    ] {
        assert!(takes(id), "{id}");
    }
    for id in [
        "gluteal-tendinopathy",
        "hamstring-strain",
        "hip-osteoarthritis",
        "greater-trochanteric-pain-syndrome",
    ] {
        assert!(!takes(id), "{id}");
    }
}

#[test]
fn every_reason_has_its_verdict_and_each_verdict_a_reason() {
    for verdict in [Verdict::Advance, Verdict::Hold, Verdict::StepBack, Verdict::SeeSomeone] {
        assert!(Why::ALL.iter().any(|why| why.verdict() == verdict));
    }
    let gluteal = catalogue().condition("gluteal-tendinopathy").unwrap();
    let well = RunReport {
        step: 1,
        sessions_at_step: 2,
        pain_during: 0.0,
        pain_after: 0.0,
        worse_next_day: false,
        limping: false,
        bone_cleared: None,
        new_red_flag: false,
    };
    let cases = [
        (well, vec![Why::WentWell]),
        (RunReport { limping: true, ..well }, vec![Why::FirstStepTooMuch]),
        (
            RunReport { step: 2, limping: true, worse_next_day: true, ..well },
            vec![Why::Limp, Why::WorseNextDay],
        ),
        (RunReport { step: 2, pain_during: 4.0, ..well }, vec![Why::PainDuringHigh]),
        (RunReport { pain_after: 2.5, sessions_at_step: 1, ..well }, vec![Why::PainAfter, Why::MoreSessions]),
        (RunReport { pain_during: 7.0, ..well }, vec![Why::SeverePain]),
        (RunReport { new_red_flag: true, ..well }, vec![Why::WarningSign]),
        (RunReport { step: 10, ..well }, vec![Why::Finished]),
    ];
    for (report, why) in cases {
        assert_eq!(checked(gluteal, &report).why, why, "{report:?}");
    }
    let clot = catalogue().condition("deep-vein-thrombosis").unwrap();
    assert_eq!(checked(clot, &well).why, [Why::TreatedFirst]);
}
