//! The laws of the engine, over random cases on the shipped catalogue.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use coxa::{
    assessment::{Answer, Ask, Assessment, Case, Why, assess, dangers, interview},
    catalogue::{
        FindingIndex,
        entry::Condition,
        vocabulary::{AgeBand, Examiner, GroupKind, Role, Sex, TriageLevel},
    },
};
use proptest::{collection::vec, option, prelude::*, sample::Index};
use std::collections::BTreeMap;

mod core;
use core::{KNOWLEDGE, assessed, case, hypothesis, id};

/// How far sums of probabilities and logarithms may be off.
const EXACT: f64 = 1e-9;

#[derive(Debug, Clone, Copy)]
enum Reply {
    Present,
    Absent,
    Unknown,
}

#[derive(Debug, Clone)]
struct Interview {
    age: Option<u8>,
    sex: Option<Sex>,
    replies: Vec<(Index, Reply)>,
}

fn interviews() -> impl Strategy<Value = Interview> {
    let reply = prop_oneof![3 => Just(Reply::Present), 3 => Just(Reply::Absent), 1 => Just(Reply::Unknown)];
    let sex = prop_oneof![Just(Sex::Female), Just(Sex::Male)];
    (option::of(0_u8..=110), option::of(sex), vec((any::<Index>(), reply), 0..25))
        .prop_map(|(age, sex, replies)| Interview { age, sex, replies })
}

impl Interview {
    /// The case, with replies that contradict earlier ones left out.
    fn case(&self) -> Case {
        let mut case = Case::new(self.age, self.sex);
        for (index, reply) in &self.replies {
            give(&mut case, FindingIndex(index.index(KNOWLEDGE.0.findings().len())), *reply);
        }
        case
    }
}

/// Gives a reply and says whether it fitted.
fn give(case: &mut Case, finding: FindingIndex, reply: Reply) -> bool {
    match reply {
        Reply::Present => case.answer(&KNOWLEDGE.0, finding, Answer::Present).is_ok(),
        Reply::Absent => case.answer(&KNOWLEDGE.0, finding, Answer::Absent).is_ok(),
        Reply::Unknown => case.unknown(finding).is_ok(),
    }
}

/// Everything that an assessment says, to compare bit for bit.
fn said(assessment: &Assessment) -> String {
    format!("{:?} {:?}", assessment.triage, assessment.ranking)
}

fn unscreened(assessment: &Assessment) -> Vec<&'static str> {
    assessment.triage.unscreened.iter().map(|finding| KNOWLEDGE.0.finding_at(*finding).id.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn probabilities_are_finite_and_sum_to_one(interview in interviews()) {
        let ranking = assessed(&interview.case()).ranking;
        let all: Vec<f64> = KNOWLEDGE.1.hypotheses().map(|(hypothesis, _)| ranking.posterior(hypothesis)).collect();
        prop_assert!(all.iter().all(|probability| probability.is_finite() && *probability > 0.0));
        prop_assert!((all.iter().sum::<f64>() - 1.0).abs() < EXACT);
        let priors: f64 = KNOWLEDGE.1.hypotheses().map(|(hypothesis, _)| ranking.prior(hypothesis)).sum();
        prop_assert!((priors - 1.0).abs() < EXACT);
    }

    #[test]
    fn the_evidence_adds_up_to_the_probability(interview in interviews()) {
        let assessment = assessed(&interview.case());
        for (hypothesis, _) in KNOWLEDGE.1.hypotheses() {
            let weights: f64 = assessment.weighing.answers().iter().map(|answer| answer.weight(hypothesis)).sum();
            let ranking = &assessment.ranking;
            let sum = ranking.prior(hypothesis).ln() + weights - ranking.log_normaliser();
            prop_assert!((sum - ranking.posterior(hypothesis).ln()).abs() < EXACT);
        }
    }

    #[test]
    fn the_order_of_answers_changes_nothing(interview in interviews()) {
        let straight = interview.case();
        let mut answers: Vec<_> = straight.answers().collect();
        answers.reverse();
        let mut reversed = Case::new(interview.age, interview.sex);
        for (finding, answer) in answers {
            prop_assert!(reversed.answer(&KNOWLEDGE.0, finding, answer).is_ok());
        }
        prop_assert_eq!(said(&assessed(&straight)), said(&assessed(&reversed)));
    }

    #[test]
    fn unknown_is_the_same_as_not_answered(interview in interviews()) {
        let with = interview.case();
        let mut without = Case::new(interview.age, interview.sex);
        for (finding, answer) in with.answers() {
            prop_assert!(without.answer(&KNOWLEDGE.0, finding, answer).is_ok());
        }
        prop_assert_eq!(said(&assessed(&with)), said(&assessed(&without)));
    }

    #[test]
    fn a_repeated_answer_changes_nothing(interview in interviews()) {
        let once = interview.case();
        let mut twice = once.clone();
        for (finding, answer) in once.answers() {
            prop_assert!(twice.answer(&KNOWLEDGE.0, finding, answer).is_ok());
        }
        prop_assert_eq!(said(&assessed(&once)), said(&assessed(&twice)));
    }

    #[test]
    fn a_present_red_flag_never_lowers_the_level(interview in interviews(), index in any::<Index>()) {
        let before = interview.case();
        let mut after = before.clone();
        let flags: Vec<usize> =
            (0..KNOWLEDGE.0.findings().len()).filter(|place| KNOWLEDGE.0.findings()[*place].red_flag).collect();
        let flag = FindingIndex(flags[index.index(flags.len())]);
        prop_assume!(give(&mut after, flag, Reply::Present));
        prop_assert!(assessed(&after).triage.level >= assessed(&before).triage.level);
        prop_assert!(assessed(&after).triage.level >= TriageLevel::Soon);
    }

    #[test]
    fn a_rule_that_fires_sets_the_least_level_whatever_else_is_answered(
        interview in interviews(), index in any::<Index>(),
    ) {
        let rules = KNOWLEDGE.0.red_flags();
        let rule = &rules[index.index(rules.len())];
        let age = interview.age.unwrap_or(40).clamp(rule.age_from.unwrap_or(0), rule.age_to.unwrap_or(110));
        let mut case = Case::new(Some(age), rule.sex.or(interview.sex));
        let needed = rule.all_of.iter().chain(rule.any_of.iter().take(rule.at_least.into()));
        for id in needed {
            prop_assert!(give(&mut case, KNOWLEDGE.0.finding_index(id.as_str()).unwrap(), Reply::Present));
        }
        for id in &rule.all_absent {
            prop_assert!(give(&mut case, KNOWLEDGE.0.finding_index(id.as_str()).unwrap(), Reply::Absent));
        }
        for (other, reply) in &interview.replies {
            give(&mut case, FindingIndex(other.index(KNOWLEDGE.0.findings().len())), *reply);
        }
        prop_assert!(assessed(&case).triage.level >= rule.level, "{}", rule.id);
    }

    #[test]
    fn self_care_is_only_said_when_nothing_that_matters_is_open(interview in interviews()) {
        let assessment = assessed(&interview.case());
        if assessment.triage.level == TriageLevel::SelfCare {
            prop_assert!(!assessment.triage.provisional && assessment.triage.unscreened.is_empty());
            prop_assert!(interview.age.is_some());
        }
    }

    #[test]
    fn an_open_question_is_one_that_a_runner_can_answer_and_did_not(interview in interviews()) {
        let case = interview.case();
        for finding in assessed(&case).triage.unscreened {
            prop_assert!(case.answer_to(finding).is_none());
            prop_assert_eq!(KNOWLEDGE.0.finding_at(finding).kind.examiner(), Examiner::Oneself);
        }
    }
}

#[test]
fn an_empty_case_gives_the_priors_and_never_self_care() {
    for age in [None, Some(9), Some(16), Some(30), Some(70)] {
        let assessment = assessed(&case(age, None, [], []));
        for (hypothesis, _) in KNOWLEDGE.1.hypotheses() {
            assert!(
                (assessment.ranking.posterior(hypothesis) - assessment.ranking.prior(hypothesis)).abs()
                    < EXACT
            );
        }
        assert!(assessment.triage.level >= TriageLevel::Routine && assessment.triage.provisional, "{age:?}");
        assert!(assessment.triage.level <= TriageLevel::Soon, "missing answers alone made {age:?} urgent");
        assert!(!unscreened(&assessment).is_empty());
    }
}

#[test]
fn self_care_is_reached_by_answering_every_safety_question() {
    let mut case = case(Some(33), Some(Sex::Male), ["loc-lateral", "onset-gradual", "relief-with-rest"], []);
    let (catalogue, model) = (&KNOWLEDGE.0, &KNOWLEDGE.1);
    let mut asked = 0;
    loop {
        let assessment = assessed(&case);
        let dangers = dangers(catalogue, model, &case, &assessment);
        let interview = interview(catalogue, model, &case, &assessment, &dangers, Examiner::Oneself);
        let safety = interview.next.filter(|question| question.why == Why::Safety);
        let Some(Ask::Screen(_, findings) | Ask::Checklist(_, findings)) =
            safety.map(|question| question.ask)
        else {
            break;
        };
        assert_ne!(assessment.triage.level, TriageLevel::SelfCare, "said before {findings:?}");
        assert!(assessment.triage.provisional);
        for finding in findings {
            case.answer(catalogue, finding, Answer::Absent).unwrap();
        }
        asked += 1;
        assert!(asked < catalogue.findings().len());
    }
    assert!(asked >= 3, "only {asked} questions of safety");
    assert_eq!(assessed(&case).triage.level, TriageLevel::SelfCare);
}

#[test]
fn denying_several_places_at_once_weighs_as_none_of_them() {
    let denied = ["loc-groin", "loc-lateral", "loc-buttock"];
    let together = assessed(&case(Some(40), Some(Sex::Female), [], denied));
    let target = hypothesis("hamstring-strain");
    let weight: f64 = together.weighing.answers().iter().map(|answer| answer.weight(target)).sum();
    // "None of these three" over the same for the background; an option that is not stated gets its part of what
    // the stated ones leave.
    let choice: Vec<_> = KNOWLEDGE
        .0
        .findings()
        .iter()
        .filter(|finding| finding.group.as_ref().is_some_and(|id| id.as_str() == "pain-location"))
        .collect();
    let rows = &KNOWLEDGE.0.condition("hamstring-strain").unwrap().evidence;
    let stated =
        |id: &str| rows.iter().find(|row| row.finding.as_str() == id).map(|row| row.probability.get());
    let left = 1.0 - choice.iter().filter_map(|finding| stated(finding.id.as_str())).sum::<f64>();
    let open: f64 = choice
        .iter()
        .filter(|finding| stated(finding.id.as_str()).is_none())
        .map(|finding| finding.background.probability.get())
        .sum();
    let rate = |id: &str| KNOWLEDGE.0.finding(id).unwrap().background.probability.get();
    let in_condition = |id: &str| stated(id).unwrap_or((left * rate(id) / open).max(0.006));
    let sum = |value: &dyn Fn(&str) -> f64| denied.iter().map(|id| value(id)).sum::<f64>();
    let expected = ((1.0 - sum(&in_condition)) / (1.0 - sum(&rate))).ln();
    assert!((weight - expected).abs() < EXACT, "{weight} instead of {expected}");
}

/// An age in years at which a rule or condition is met most.
const AGES: [u8; 8] = [5, 9, 12, 15, 17, 28, 50, 70];

#[test]
fn every_red_flag_rule_alone_is_never_answered_below_its_level() {
    for rule in KNOWLEDGE.0.red_flags() {
        for age in 0..=100_u8 {
            if rule.age_from.is_some_and(|from| age < from) || rule.age_to.is_some_and(|to| age > to) {
                continue;
            }
            for sex in [Sex::Female, Sex::Male] {
                if rule.sex.is_some_and(|wanted| wanted != sex) {
                    continue;
                }
                // Each of the findings that may complete the rule, by itself.
                let many = usize::from(rule.at_least);
                let choices =
                    if many == 0 { vec![&rule.any_of[..0]] } else { rule.any_of.windows(many).collect() };
                for any in choices {
                    let present = rule.all_of.iter().chain(any).map(|finding| finding.as_str());
                    let absent = rule.all_absent.iter().map(|finding| finding.as_str());
                    let level = assessed(&case(Some(age), Some(sex), present, absent)).triage.level;
                    assert!(level >= rule.level, "{} at {age}: {level:?}", rule.id);
                }
            }
        }
    }
}

/// The findings that are likelier in a condition than in the background, and of each single choice the most telling.
fn typical_picture(condition: &Condition) -> Vec<&'static str> {
    let mut picture = Vec::new();
    let mut chosen: BTreeMap<&str, (f64, &'static str)> = BTreeMap::new();
    for row in &condition.evidence {
        let finding = KNOWLEDGE.0.finding(row.finding.as_str()).unwrap();
        let ratio = row.probability.get() / finding.background.probability.get();
        let group = finding.group.as_ref().and_then(|id| KNOWLEDGE.0.group(id.as_str()));
        match group.filter(|group| group.kind == GroupKind::SingleChoice) {
            Some(group) => {
                let best = chosen.entry(group.id.as_str()).or_insert((0.0, ""));
                if row.probability.get() > best.0 {
                    *best = (row.probability.get(), finding.id.as_str());
                }
            }
            None if ratio > 1.0 => picture.push(finding.id.as_str()),
            None => {}
        }
    }
    picture.extend(chosen.into_values().map(|(_, finding)| finding));
    picture
}

/// The age and sex at which a condition is met most.
fn typical_runner(condition: &Condition) -> (u8, Sex) {
    let prior = &condition.pre_test;
    let age = AGES.into_iter().max_by(|one, other| {
        let factor = |age: u8| prior.age.of(AgeBand::of(age)).get();
        factor(*one).total_cmp(&factor(*other))
    });
    let female = prior.sex.female.get() >= prior.sex.male.get();
    (age.unwrap(), if female { Sex::Female } else { Sex::Male })
}

#[test]
fn every_condition_is_first_by_its_own_typical_picture() {
    let mut others = Vec::new();
    for condition in KNOWLEDGE.0.conditions().iter().filter(|condition| condition.role == Role::Ranked) {
        let (age, sex) = typical_runner(condition);
        let ranking = assessed(&case(Some(age), Some(sex), typical_picture(condition), [])).ranking;
        let first = ranking.order()[0];
        if id(first) != condition.id.as_str() {
            others.push((condition.id.as_str(), id(first)));
        }
    }
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn no_condition_is_first_by_the_opposite_of_its_picture() {
    for condition in KNOWLEDGE.0.conditions().iter().filter(|condition| condition.role == Role::Ranked) {
        let (age, sex) = typical_runner(condition);
        let first = assessed(&case(Some(age), Some(sex), [], typical_picture(condition))).ranking.order()[0];
        assert_ne!(id(first), condition.id.as_str());
    }
}

#[test]
fn a_case_is_assessed_the_same_twice() {
    let case = case(None, None, ["loc-groin", "clicking-hip"], ["fever"]);
    let (one, other) = (assessed(&case), assess(&KNOWLEDGE.0, &KNOWLEDGE.1, &case));
    assert_eq!(said(&one), said(&other));
    assert_eq!(id(one.ranking.order()[0]), id(other.ranking.order()[0]));
}
