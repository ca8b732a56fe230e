//! Every question in the order of asking, before anything is known: what a phone needs to ask without a connection.
//!
//! The interview asks fewer: it drops what the answers so far make pointless. This list is for asking first and
//! sending later; warning signs come first here too.

use super::{
    assess,
    case::{Answer, Case},
    information::Information,
    model::Model,
    open::concerns,
    question::{Ask, Topic, Why},
};
use crate::catalogue::{
    Catalogue, FindingIndex,
    vocabulary::{Examiner, GroupKind, Sex, TriageLevel},
};

/// Ages in years that stand for the bands of adults.
const ADULT_AGES: [u8; 3] = [28, 50, 70];

/// The topics in the order in which a person expects them; gentle tests come last.
const ORDER: [Topic; 7] = [
    Topic::Safety,
    Topic::Triggers,
    Topic::Sensations,
    Topic::Places,
    Topic::Background,
    Topic::SelfTests,
    Topic::Examination,
];

/// One question of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedQuestion {
    /// What is asked, with every finding that it may ask for.
    pub ask: Ask,
    /// Why.
    pub why: Why,
    /// Who can answer it.
    pub asked_of: Examiner,
}

/// Every question of a catalogue. Each finding stands in exactly one of them.
#[must_use]
pub fn questionnaire(catalogue: &Catalogue, model: &Model) -> Vec<PlannedQuestion> {
    let nothing_known = assess(catalogue, model, &Case::default());
    let information = Information { model, ranking: &nothing_known.ranking };
    let question = |ask, why| PlannedQuestion { ask, why, asked_of: Examiner::Oneself };
    let mut placed = vec![false; catalogue.findings().len()];
    let mut take = |finding: &FindingIndex| {
        placed.get_mut(finding.0).is_some_and(|placed| !std::mem::replace(placed, true))
    };

    let mut questions = Vec::new();
    for (place, screen) in catalogue.screens().iter().enumerate() {
        let signs = screen.findings.iter().filter_map(|id| catalogue.finding_index(id.as_str()));
        questions.push(question(Ask::Screen(place, signs.filter(&mut take).collect()), Why::Safety));
        // What needs help today comes before all else; age and sex decide what else must be screened.
        if place == 0 {
            questions.push(question(Ask::Age, Why::Profile));
            questions.push(question(Ask::Sex, Why::Profile));
        }
    }
    let all = || (0..catalogue.findings().len()).map(FindingIndex);
    let by_oneself =
        |finding: &FindingIndex| catalogue.finding_at(*finding).kind.examiner() == Examiner::Oneself;
    let more_signs: Vec<FindingIndex> = all()
        .filter(|finding| {
            let entry = catalogue.finding_at(*finding);
            // What puts a case out of scope spares all further questions.
            (entry.red_flag || entry.out_of_scope.is_some()) && by_oneself(finding)
        })
        .filter(|finding| option_of(model, *finding).is_none())
        .filter(&mut take)
        .collect();
    questions.extend(lists(Topic::Safety, &more_signs).map(|ask| question(ask, Why::Safety)));

    let mut choices: Vec<(f64, Ask)> = (0..catalogue.groups().len())
        .filter_map(|group| {
            let options: Vec<FindingIndex> =
                all().filter(|finding| option_of(model, *finding) == Some(group)).filter(&mut take).collect();
            let ask = Ask::Choice(group, options.clone());
            (!options.is_empty()).then(|| (information.gain(&ask), ask))
        })
        .collect();
    choices.sort_by(|one, other| other.0.total_cmp(&one.0));
    questions.extend(choices.into_iter().map(|(_, ask)| question(ask, Why::Discriminates)));

    let mut rest: Vec<(f64, FindingIndex)> =
        all().filter(&mut take).map(|finding| (information.gain(&Ask::Finding(finding)), finding)).collect();
    rest.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut topics: Vec<(Examiner, Topic, Vec<FindingIndex>)> = Vec::new();
    for (_, finding) in rest {
        let kind = catalogue.finding_at(finding).kind;
        let (examiner, topic) = (kind.examiner(), Topic::of(kind));
        match topics.iter_mut().find(|(who, other, _)| *who == examiner && *other == topic) {
            Some((.., list)) => list.push(finding),
            None => topics.push((examiner, topic, vec![finding])),
        }
    }
    topics.sort_by_key(|(examiner, topic, _)| {
        (*examiner == Examiner::Clinician, ORDER.iter().position(|known| known == topic))
    });
    for (asked_of, topic, findings) in &topics {
        questions.extend(lists(*topic, findings).map(|ask| PlannedQuestion {
            ask,
            why: Why::Discriminates,
            asked_of: *asked_of,
        }));
    }
    questions
}

/// Checklists of one topic, none longer than a person goes through in one look.
fn lists(topic: Topic, findings: &[FindingIndex]) -> impl Iterator<Item = Ask> {
    findings.chunks(topic.longest()).map(move |list| match list {
        [only] => Ask::Finding(*only),
        _ => Ask::Checklist(topic, list.to_vec()),
    })
}

/// The single choice that a finding is an option of, as a place in the catalogue's groups.
fn option_of(model: &Model, finding: FindingIndex) -> Option<usize> {
    model.finding(finding).group.filter(|group| model.group(*group).kind == GroupKind::SingleChoice)
}

/// The triage level that a finding leads to by itself in any adult whom it concerns; none where that is not above `routine`.
#[must_use]
pub fn level_alone(catalogue: &Catalogue, model: &Model, finding: FindingIndex) -> Option<TriageLevel> {
    let sexes = [None, Some(Sex::Female), Some(Sex::Male)];
    ADULT_AGES
        .into_iter()
        .flat_map(|age| sexes.map(|sex| Case::new(Some(age), sex)))
        .filter(|case| concerns(catalogue.finding_at(finding), case))
        .map(|mut case| {
            // The first answer of a case contradicts nothing.
            let _ = case.answer(catalogue, finding, Answer::Present);
            assess(catalogue, model, &case).triage.level
        })
        .min()
        .filter(|level| *level > TriageLevel::Routine)
}
