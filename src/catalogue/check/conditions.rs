//! Conditions: role, urgency, evidence, ladder of care, and pre-test probabilities over all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checker, SUM_TOLERANCE, figure, in_file};
use crate::catalogue::{
    entry::{Condition, Evidence, Step},
    fault::Fault,
    id::{FindingId, GroupId, TreatmentId},
    read::{Entries, Kind, Placed, Rows, stem},
    vocabulary::{Grade, GroupKind, Recommendation, Role, Stage, TriageLevel},
};

impl<'a> Checker<'a> {
    pub(super) fn condition(&mut self, condition: &Placed<Condition>, rows: &Rows) {
        let entry = &condition.entry;
        let named = stem(&condition.file, "conditions/") == Some(entry.id.as_str());
        // One of two with the same id is misnamed in any case.
        if !named && !self.conditions_twice.contains(entry.id.as_str()) {
            self.fault(
                condition,
                "id",
                format!("the file is not named after its condition `{}`", entry.id),
                format!("rename the file to conditions/{}.toml, or correct the id", entry.id),
            );
        }
        self.role(condition);
        self.sources(condition, &entry.sources);
        self.sources_at(condition, "pre_test.sources", &entry.pre_test.sources);
        self.refer_all(condition, "exercises", Kind::Exercise, &entry.exercises);
        self.refer_all(condition, "prevention", Kind::Prevention, &entry.prevention);
        self.urgency(condition);
        self.evidence(condition, rows);
        self.ladder(condition, rows);
    }

    pub(super) fn role(&mut self, condition: &Placed<Condition>) {
        let entry = &condition.entry;
        self.refer_all(condition, "members", Kind::Condition, &entry.members);
        for member in &entry.members {
            if self.known.conditions.get(member.as_str()).is_some_and(|known| known.role != Role::Ranked) {
                self.fault(
                    condition,
                    "members",
                    format!("`{member}` is not a ranked condition"),
                    "name ranked conditions only: an umbrella sums up what is ranked",
                );
            }
        }
        match entry.role {
            Role::Umbrella => {
                if entry.members.is_empty() {
                    self.fault(
                        condition,
                        "members",
                        "an umbrella over nothing",
                        "name the conditions under it",
                    );
                }
                if entry.pre_test.probability.get() > 0.0 {
                    self.fault(
                        condition,
                        "pre_test.probability",
                        "an umbrella has a probability of its own",
                        "set it to 0: the probability of an umbrella is the sum of its members",
                    );
                }
            }
            Role::Ranked | Role::Unexplained => {
                if !entry.members.is_empty() {
                    self.fault(
                        condition,
                        "members",
                        "only an umbrella has members",
                        "remove them, or set role = \"umbrella\"",
                    );
                } else if entry.pre_test.probability.get() <= 0.0 {
                    self.fault(
                        condition,
                        "pre_test.probability",
                        "a condition of probability 0 can never be found",
                        "give it the share of runners' hip pain that it causes",
                    );
                }
            }
        }
        if entry.role == Role::Unexplained && !entry.evidence.is_empty() {
            self.fault(
                condition,
                "evidence",
                "\"none of these\" has evidence of its own",
                "remove it: the background rates of the findings are its likelihoods",
            );
        }
    }

    pub(super) fn urgency(&mut self, condition: &Placed<Condition>) {
        let urgency = &condition.entry.urgency;
        for raise in &urgency.raises {
            if raise.level > urgency.level {
                self.fault(
                    condition,
                    "urgency.raises",
                    format!(
                        "raises to {}, above the condition's own level {}",
                        in_file(raise.level.as_str()),
                        in_file(urgency.level.as_str())
                    ),
                    "lower this level, or raise `urgency.level`",
                );
            }
            if raise.from.get() <= 0.0 {
                self.fault(
                    condition,
                    "urgency.raises",
                    format!(
                        "raises every case to {}: it begins at probability 0",
                        in_file(raise.level.as_str())
                    ),
                    "set `from` to the probability from which the condition must not be missed",
                );
            }
        }
        let dangerous = urgency.level > TriageLevel::Routine && condition.entry.role == Role::Ranked;
        if dangerous && !urgency.raises.iter().any(|raise| raise.level > TriageLevel::Routine) {
            self.fault(
                condition,
                "urgency.raises",
                format!("a condition of level {} never raises a case above routine", in_file(urgency.level.as_str())),
                "add `raises = [{ from = ..., level = \"...\" }]` with the probability from which it must not be \
                 missed",
            );
        }
    }

    pub(super) fn evidence(&mut self, condition: &Placed<Condition>, rows: &Rows) {
        let entry = &condition.entry;
        let none = entry.evidence.is_empty() && !rows.incomplete;
        // One with members is an umbrella that does not say so.
        if entry.role == Role::Ranked && entry.members.is_empty() && none {
            self.fault(
                condition,
                "evidence",
                "no evidence is given",
                "add [[evidence]] rows, or no answer can ever point here",
            );
        }
        let mut seen: BTreeMap<&FindingId, &str> = BTreeMap::new();
        let mut sums: BTreeMap<&GroupId, f64> = BTreeMap::new();
        for (row, place) in entry.evidence.iter().zip(&rows.evidence) {
            self.refer(condition, &format!("{place}.finding"), Kind::Finding, row.finding.as_str());
            self.sources_at(condition, &format!("{place}.sources"), &row.sources);
            if let Some(first) = seen.get(&row.finding) {
                let problem = format!("`{}` has two rows in this condition", row.finding);
                self.fault(condition, place, problem, format!("keep the better one; the other is {first}"));
                continue;
            }
            seen.insert(&row.finding, place);
            self.range(condition, place, row);
            if matches!(row.grade, Grade::A | Grade::B) && !row.names_a_figure() {
                self.fault(
                    condition,
                    place,
                    format!("grade {} without a published figure", row.grade.as_str()),
                    "add `published_sensitivity`, or a `note` with the figure, or grade it C or D",
                );
            }
            if let Some(group) =
                self.known.findings.get(row.finding.as_str()).and_then(|finding| finding.group.as_ref())
            {
                *sums.entry(group).or_default() += row.probability.get();
            }
        }
        for (group, sum) in sums {
            let single = self
                .known
                .groups
                .get(group.as_str())
                .is_some_and(|known| known.kind == GroupKind::SingleChoice);
            if single && sum > 1.0 + SUM_TOLERANCE {
                self.fault(
                    condition,
                    "evidence",
                    format!("the probabilities of the options of `{group}` sum to {}", figure(sum)),
                    "bring their sum down to 1 or less: only one option holds in each person",
                );
            }
        }
    }

    pub(super) fn range(&mut self, condition: &Placed<Condition>, place: &str, row: &Evidence) {
        let (low, high) = row.range;
        let probability = row.probability.get();
        if !(0.0 <= low && low <= probability && probability <= high && high <= 1.0) {
            self.fault(
                condition,
                &format!("{place}.range"),
                format!("the probability {probability} does not lie within its range {low} to {high}"),
                "correct the probability or the range; a range goes from low to high within 0 to 1",
            );
        }
    }

    pub(super) fn ladder(&mut self, condition: &Placed<Condition>, rows: &Rows) {
        let ladder = &condition.entry.ladder;
        let mut seen: BTreeMap<&TreatmentId, &str> = BTreeMap::new();
        let mut highest: Option<Stage> = None;
        let mut reachable: BTreeSet<Stage> = BTreeSet::new();
        // A step whose stage is not known may be the one that a later step waits for.
        let all_known = !rows.incomplete
            && ladder.iter().all(|step| self.known.treatments.contains_key(step.treatment.as_str()));
        for (step, place) in ladder.iter().zip(&rows.ladder) {
            self.refer(condition, &format!("{place}.treatment"), Kind::Treatment, step.treatment.as_str());
            self.sources_at(condition, &format!("{place}.sources"), &step.sources);
            if let Some(first) = seen.get(&step.treatment) {
                let problem = format!("`{}` stands twice on this ladder", step.treatment);
                self.fault(condition, place, problem, format!("merge it with {first}"));
                continue;
            }
            seen.insert(&step.treatment, place);
            self.step(condition, place, step);
            let Some(treatment) = self.known.treatments.get(step.treatment.as_str()).copied() else {
                continue;
            };
            if let Some(later) = highest.filter(|highest| treatment.stage < *highest) {
                self.fault(
                    condition,
                    place,
                    format!(
                        "a step of the stage {} after one of {}",
                        treatment.stage.as_str(),
                        later.as_str()
                    ),
                    "order the ladder conservative, injection, surgery",
                );
            }
            highest = highest.max(Some(treatment.stage));
            if let Some(after) = step.gate.after
                && all_known
                && !reachable.contains(&after)
            {
                self.fault(
                    condition,
                    &format!("{place}.gate.after"),
                    format!(
                        "can never be reached: no step of the stage {} is advised before it",
                        after.as_str()
                    ),
                    "add such a step above it, or take `after` out of the gate",
                );
            }
            if step.recommendation != Recommendation::NotRecommended {
                reachable.insert(treatment.stage);
            }
        }
    }

    pub(super) fn step(&mut self, condition: &Placed<Condition>, place: &str, step: &Step) {
        let advised_against = step.recommendation == Recommendation::NotRecommended;
        if advised_against != step.why_not.is_some() {
            let (problem, remedy) = if advised_against {
                ("advised against without saying why", "add `why_not = \"...\"`")
            } else {
                (
                    "`why_not` on a step that is not advised against",
                    "remove it, or set recommendation = \"not-recommended\"",
                )
            };
            self.fault(condition, &format!("{place}.why_not"), problem, remedy);
        }
        if let Some(circumstance) = &step.gate.circumstance {
            let place = format!("{place}.gate.circumstance");
            self.refer(condition, &place, Kind::Circumstance, circumstance.as_str());
        }
        let injects = self
            .known
            .treatments
            .get(step.treatment.as_str())
            .is_some_and(|treatment| treatment.corticosteroid);
        if injects && !advised_against && step.gate.injections.is_none() {
            self.fault(
                condition,
                &format!("{place}.gate.injections"),
                "a corticosteroid injection without a cap",
                "add `injections = { per_area = ..., per_year = ..., weeks_between = ... }`",
            );
        }
    }

    pub(super) fn priors(&mut self, entries: &Entries) {
        if self.known.incomplete.contains(&Kind::Condition) {
            return;
        }
        if entries.conditions.is_empty() {
            return;
        }
        let conditions = self.known.conditions.values();
        let sum: f64 = conditions.clone().map(|condition| condition.pre_test.probability.get()).sum();
        let unexplained: Vec<&str> = conditions
            .filter(|condition| condition.role == Role::Unexplained)
            .map(|condition| condition.id.as_str())
            .collect();
        let mut fault = |place: &str, problem: String, remedy: &str| {
            self.faults.push(Fault {
                file: Kind::Condition.home().into(),
                place: place.into(),
                problem,
                remedy: remedy.into(),
            });
        };
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            fault(
                "pre_test.probability",
                format!("the pre-test probabilities of all conditions sum to {}", figure(sum)),
                "make them sum to 1; what no listed condition explains belongs to the unexplained one",
            );
        }
        match unexplained.as_slice() {
            [_] => {}
            [] => fault(
                "role",
                "no condition has the role unexplained".into(),
                "set role = \"unexplained\" in the one that stands for \"none of these\": it lets the service say \
                 that it does not know",
            ),
            several => fault(
                "role",
                format!("{} conditions have the role unexplained: {}", several.len(), several.join(", ")),
                "leave it to one of them: it stands for \"none of these\"",
            ),
        }
    }
}

impl Evidence {
    /// Whether a published figure stands beside the row.
    fn names_a_figure(&self) -> bool {
        self.published_sensitivity.is_some()
            || self.note.as_deref().is_some_and(|note| note.bytes().any(|byte| byte.is_ascii_digit()))
    }
}
