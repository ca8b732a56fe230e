//! Every rule that a sound catalogue keeps beyond the form of its entries.
//!
//! Each rule adds its faults and goes on, so that one run names everything there is to mend.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    entry::{Condition, Evidence, Finding, Group, RedFlag, Step, Treatment},
    fault::Fault,
    id::{FindingId, GroupId, SourceId, TreatmentId},
    nearest::nearest,
    read::{Entries, Placed},
    vocabulary::{AgeBand, FindingKind, Grade, GroupKind, Recommendation, Role, Sex, Stage, TriageLevel},
};

/// How far a sum of probabilities may be from 1 before it is a fault.
const SUM_TOLERANCE: f64 = 1e-6;

/// Every fault of soundness in `entries`.
#[must_use]
pub fn check(entries: &Entries) -> Vec<Fault> {
    let mut checker = Checker { known: Known::new(entries), faults: Vec::new() };
    checker.duplicates(entries);
    checker.about(entries);
    checker.groups(&entries.groups, &entries.findings);
    for finding in &entries.findings {
        checker.finding(finding);
    }
    for condition in &entries.conditions {
        checker.condition(condition);
    }
    checker.priors(&entries.conditions);
    for rule in &entries.red_flags {
        checker.red_flag(rule);
    }
    checker.orphans(entries);
    for exercise in &entries.exercises {
        checker.sources(exercise, &exercise.entry.sources);
    }
    for prevention in &entries.prevention {
        checker.sources(prevention, &prevention.entry.sources);
    }
    checker.faults
}

/// What can be referred to.
struct Known<'a> {
    conditions: BTreeMap<&'a str, &'a Condition>,
    findings: BTreeMap<&'a str, &'a Finding>,
    groups: BTreeMap<&'a str, &'a Group>,
    treatments: BTreeMap<&'a str, &'a Treatment>,
    circumstances: BTreeSet<&'a str>,
    exercises: BTreeSet<&'a str>,
    prevention: BTreeSet<&'a str>,
    sources: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn new(entries: &'a Entries) -> Self {
        Self {
            conditions: entries
                .conditions
                .iter()
                .map(|placed| (placed.entry.id.as_str(), &placed.entry))
                .collect(),
            findings: entries
                .findings
                .iter()
                .map(|placed| (placed.entry.id.as_str(), &placed.entry))
                .collect(),
            groups: entries.groups.iter().map(|placed| (placed.entry.id.as_str(), &placed.entry)).collect(),
            treatments: entries
                .treatments
                .iter()
                .map(|placed| (placed.entry.id.as_str(), &placed.entry))
                .collect(),
            circumstances: entries.circumstances.iter().map(|placed| placed.entry.id.as_str()).collect(),
            exercises: entries.exercises.iter().map(|placed| placed.entry.id.as_str()).collect(),
            prevention: entries.prevention.iter().map(|placed| placed.entry.id.as_str()).collect(),
            sources: entries.sources.iter().map(|placed| placed.entry.id.as_str()).collect(),
        }
    }
}

struct Checker<'a> {
    known: Known<'a>,
    faults: Vec<Fault>,
}

impl<'a> Checker<'a> {
    fn fault<T>(
        &mut self,
        at: &Placed<T>,
        place: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let place = match (at.place.is_empty(), place.is_empty()) {
            (true, _) => place.to_owned(),
            (false, true) => at.place.clone(),
            (false, false) => format!("{}.{place}", at.place),
        };
        self.faults.push(Fault {
            file: at.file.clone(),
            place,
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    fn refer<'k, T>(
        &mut self,
        at: &Placed<T>,
        place: &str,
        kind: &str,
        id: &str,
        known: impl IntoIterator<Item = &'k str>,
        home: &str,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        if known.contains(&id) {
            return;
        }
        let remedy = match nearest(id, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("correct the spelling, or add it to {home}"),
        };
        self.fault(at, place, format!("`{id}` names no known {kind}"), remedy);
    }

    fn refer_finding<T>(&mut self, at: &Placed<T>, place: &str, id: &FindingId) {
        let known: Vec<&str> = self.known.findings.keys().copied().collect();
        self.refer(at, place, "finding", id.as_str(), known, "findings/");
    }

    fn sources<T>(&mut self, at: &Placed<T>, sources: &[SourceId]) {
        self.sources_at(at, "sources", sources);
    }

    fn sources_at<T>(&mut self, at: &Placed<T>, place: &str, sources: &[SourceId]) {
        if sources.is_empty() {
            self.fault(
                at,
                place,
                "no source is given",
                "name at least one id of sources.toml; a judgement has one too",
            );
        }
        let known: Vec<&str> = self.known.sources.iter().copied().collect();
        for source in sources {
            self.refer(at, place, "source", source.as_str(), known.iter().copied(), "sources.toml");
        }
    }

    fn duplicates(&mut self, entries: &Entries) {
        self.twice(&entries.conditions, |entry| entry.id.as_str());
        self.twice(&entries.findings, |entry| entry.id.as_str());
        self.twice(&entries.groups, |entry| entry.id.as_str());
        self.twice(&entries.treatments, |entry| entry.id.as_str());
        self.twice(&entries.circumstances, |entry| entry.id.as_str());
        self.twice(&entries.exercises, |entry| entry.id.as_str());
        self.twice(&entries.prevention, |entry| entry.id.as_str());
        self.twice(&entries.red_flags, |entry| entry.id.as_str());
        self.twice(&entries.sources, |entry| entry.id.as_str());
    }

    fn twice<T>(&mut self, entries: &[Placed<T>], id: impl Fn(&T) -> &str) {
        let mut seen: BTreeMap<&str, &Placed<T>> = BTreeMap::new();
        for placed in entries {
            if let Some(first) = seen.get(id(&placed.entry)) {
                let elsewhere =
                    format!("it stands in {} {} already; rename or remove one", first.file, first.place);
                self.fault(
                    placed,
                    "id",
                    format!("`{}` is defined twice", id(&placed.entry)),
                    elsewhere.replace("  ", " "),
                );
            } else {
                seen.insert(id(&placed.entry), placed);
            }
        }
    }

    fn about(&mut self, entries: &Entries) {
        let Some(about) = entries.about.first() else { return };
        let age: f64 = AgeBand::ALL.iter().map(|band| about.entry.population.age.of(*band).get()).sum();
        let sex: f64 = Sex::ALL.iter().map(|sex| about.entry.population.sex.of(*sex).get()).sum();
        for (place, sum) in [("population.age", age), ("population.sex", sex)] {
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                self.fault(about, place, format!("the shares sum to {sum:.6}"), "make them sum to 1");
            }
        }
        self.sources_at(about, "population.sources", &about.entry.population.sources);
        for grade in Grade::ALL {
            if !about.entry.grades.iter().any(|meaning| meaning.grade == *grade) {
                let problem = format!("grade {} has no meaning", grade.as_str());
                self.fault(about, "grades", problem, "add a [[grades]] entry for it");
            }
        }
        let words = &about.entry.likelihood_words;
        let falling =
            words.windows(2).all(|pair| matches!(pair, [higher, lower] if higher.from > lower.from));
        let covers_all = words.last().is_some_and(|word| word.from.get() <= 0.0);
        if !falling || !covers_all {
            self.fault(
                about,
                "likelihood_words",
                "the words do not cover every probability once",
                "list them from the highest `from` down; the last one begins at 0",
            );
        }
    }

    fn groups(&mut self, groups: &[Placed<Group>], findings: &[Placed<Finding>]) {
        for group in groups {
            let members: Vec<&Finding> = findings
                .iter()
                .map(|placed| &placed.entry)
                .filter(|finding| finding.group.as_ref() == Some(&group.entry.id))
                .collect();
            if members.is_empty() {
                self.fault(
                    group,
                    "id",
                    "no finding belongs to this group",
                    "remove it, or name it in a finding's `group`",
                );
            }
            match (group.entry.kind, group.entry.coefficient) {
                (GroupKind::Correlated, None) => self.fault(
                    group,
                    "coefficient",
                    "a correlated group has no coefficient",
                    "add `coefficient`, from 0 (independent) to 1 (one observation said several times)",
                ),
                (GroupKind::SingleChoice, Some(_)) => self.fault(
                    group,
                    "coefficient",
                    "a single choice has a coefficient",
                    "remove it: only one of its findings is ever counted",
                ),
                (GroupKind::Correlated, Some(_)) | (GroupKind::SingleChoice, None) => {}
            }
            let sum: f64 = members.iter().map(|finding| finding.background.probability.get()).sum();
            if group.entry.kind == GroupKind::SingleChoice
                && !members.is_empty()
                && (sum - 1.0).abs() > SUM_TOLERANCE
            {
                let problem = format!("the background rates of this single choice sum to {sum:.6}");
                self.fault(group, "id", problem, "make them sum to 1: in everybody exactly one option holds");
            }
        }
    }

    fn finding(&mut self, finding: &Placed<Finding>) {
        self.sources_at(finding, "background.sources", &finding.entry.background.sources);
        if let Some(group) = &finding.entry.group {
            let known: Vec<&str> = self.known.groups.keys().copied().collect();
            self.refer(finding, "group", "group", group.as_str(), known, "groups.toml");
        }
        if finding.file != format!("findings/{}.toml", file_of(finding.entry.kind)) {
            let home = format!("move it to findings/{}.toml", file_of(finding.entry.kind));
            self.fault(finding, "kind", "the finding stands in the file of another kind", home);
        }
    }

    fn condition(&mut self, condition: &Placed<Condition>) {
        let entry = &condition.entry;
        if condition.file != format!("conditions/{}.toml", entry.id) {
            self.fault(
                condition,
                "id",
                format!("the file is not named after its condition `{}`", entry.id),
                format!("rename the file to conditions/{}.toml", entry.id),
            );
        }
        self.role(condition);
        self.sources(condition, &entry.sources);
        self.sources_at(condition, "pre_test.sources", &entry.pre_test.sources);
        let exercises: Vec<&str> = self.known.exercises.iter().copied().collect();
        for exercise in &entry.exercises {
            self.refer(
                condition,
                "exercises",
                "exercise",
                exercise.as_str(),
                exercises.iter().copied(),
                "exercises.toml",
            );
        }
        let prevention: Vec<&str> = self.known.prevention.iter().copied().collect();
        for step in &entry.prevention {
            self.refer(
                condition,
                "prevention",
                "prevention step",
                step.as_str(),
                prevention.iter().copied(),
                "prevention.toml",
            );
        }
        self.urgency(condition);
        self.evidence(condition);
        self.ladder(condition);
    }

    fn role(&mut self, condition: &Placed<Condition>) {
        let entry = &condition.entry;
        let conditions: Vec<&str> = self.known.conditions.keys().copied().collect();
        for member in &entry.members {
            self.refer(
                condition,
                "members",
                "condition",
                member.as_str(),
                conditions.iter().copied(),
                "conditions/",
            );
            if self.known.conditions.get(member.as_str()).is_some_and(|known| known.role != Role::Ranked) {
                self.fault(
                    condition,
                    "members",
                    format!("`{member}` is not ranked itself"),
                    "name ranked conditions only",
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
                }
                if entry.pre_test.probability.get() <= 0.0 {
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
        if entry.role == Role::Ranked && entry.evidence.is_empty() {
            self.fault(
                condition,
                "evidence",
                "no evidence is given",
                "add [[evidence]] rows, or no answer can ever point here",
            );
        }
    }

    fn urgency(&mut self, condition: &Placed<Condition>) {
        let urgency = &condition.entry.urgency;
        for raise in &urgency.raises {
            if raise.level > urgency.level {
                self.fault(
                    condition,
                    "urgency.raises",
                    format!(
                        "raises to {} above the condition's own {}",
                        raise.level.as_str(),
                        urgency.level.as_str()
                    ),
                    "lower the raise, or raise `urgency.level`",
                );
            }
            if raise.from.get() <= 0.0 {
                self.fault(condition, "urgency.raises", "raises every case", "set `from` above 0");
            }
        }
        let dangerous = urgency.level > TriageLevel::Routine && condition.entry.role == Role::Ranked;
        if dangerous && !urgency.raises.iter().any(|raise| raise.level > TriageLevel::Routine) {
            self.fault(
                condition,
                "urgency.raises",
                "a dangerous condition never raises the triage level",
                "add `raises = [{ from = ..., level = ... }]` with the probability from which it must not be missed",
            );
        }
    }

    fn evidence(&mut self, condition: &Placed<Condition>) {
        let mut seen = BTreeSet::new();
        let mut sums: BTreeMap<&GroupId, f64> = BTreeMap::new();
        for (number, row) in condition.entry.evidence.iter().enumerate() {
            let place = format!("evidence[{number}] ({})", row.finding);
            self.refer_finding(condition, &format!("{place}.finding"), &row.finding);
            self.sources_at(condition, &format!("{place}.sources"), &row.sources);
            if !seen.insert(&row.finding) {
                let problem = format!("`{}` has two rows in this condition", row.finding);
                self.fault(condition, &place, problem, "keep the row with the better evidence");
            }
            self.range(condition, &place, row);
            if matches!(row.grade, Grade::A | Grade::B) && !row.names_a_figure() {
                self.fault(
                    condition,
                    &place,
                    format!("grade {} without a published figure", row.grade.as_str()),
                    "add published_sensitivity or a note with the figure, or grade it D",
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
                    format!("the options of `{group}` sum to {sum:.4}"),
                    "at most one option holds in a person: bring the sum down to 1 or less",
                );
            }
        }
    }

    fn range(&mut self, condition: &Placed<Condition>, place: &str, row: &Evidence) {
        let (low, high) = row.range;
        let probability = row.probability.get();
        if !(0.0 <= low && low <= probability && probability <= high && high <= 1.0) {
            self.fault(
                condition,
                &format!("{place}.range"),
                format!("probability {probability} does not lie in its range {low} to {high}"),
                "correct the probability or the range; a range goes from low to high within 0 to 1",
            );
        }
    }

    fn ladder(&mut self, condition: &Placed<Condition>) {
        let mut seen: BTreeSet<&TreatmentId> = BTreeSet::new();
        let mut highest: Option<Stage> = None;
        let mut reachable: BTreeSet<Stage> = BTreeSet::new();
        for (number, step) in condition.entry.ladder.iter().enumerate() {
            let place = format!("ladder[{number}] ({})", step.treatment);
            let treatments: Vec<&str> = self.known.treatments.keys().copied().collect();
            self.refer(
                condition,
                &format!("{place}.treatment"),
                "treatment",
                step.treatment.as_str(),
                treatments,
                "treatments.toml",
            );
            self.sources_at(condition, &format!("{place}.sources"), &step.sources);
            if !seen.insert(&step.treatment) {
                let problem = format!("`{}` stands twice on this ladder", step.treatment);
                self.fault(condition, &place, problem, "merge the two steps");
            }
            self.step(condition, &place, step);
            let Some(treatment) = self.known.treatments.get(step.treatment.as_str()).copied() else {
                continue;
            };
            if highest.is_some_and(|highest| treatment.stage < highest) {
                self.fault(
                    condition,
                    &place,
                    format!("a {} step after a later stage", treatment.stage.as_str()),
                    "order the ladder conservative, injection, surgery",
                );
            }
            highest = highest.max(Some(treatment.stage));
            if let Some(after) = step.gate.after
                && !reachable.contains(&after)
            {
                self.fault(
                    condition,
                    &format!("{place}.gate.after"),
                    format!("this step can never be reached: no {} step stands before it", after.as_str()),
                    "add such a step, or take `after` out of the gate",
                );
            }
            if step.recommendation != Recommendation::NotRecommended {
                reachable.insert(treatment.stage);
            }
        }
    }

    fn step(&mut self, condition: &Placed<Condition>, place: &str, step: &Step) {
        let advised_against = step.recommendation == Recommendation::NotRecommended;
        if advised_against != step.why_not.is_some() {
            let (problem, remedy) = if advised_against {
                ("advised against without saying why", "add `why_not`")
            } else {
                (
                    "`why_not` on a step that is not advised against",
                    "remove it, or set recommendation = \"not-recommended\"",
                )
            };
            self.fault(condition, &format!("{place}.why_not"), problem, remedy);
        }
        if let Some(circumstance) = &step.gate.circumstance {
            let known: Vec<&str> = self.known.circumstances.iter().copied().collect();
            let place = format!("{place}.gate.circumstance");
            self.refer(condition, &place, "circumstance", circumstance.as_str(), known, "circumstances.toml");
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

    fn priors(&mut self, conditions: &[Placed<Condition>]) {
        let sum: f64 = conditions.iter().map(|condition| condition.entry.pre_test.probability.get()).sum();
        if !conditions.is_empty() && (sum - 1.0).abs() > SUM_TOLERANCE {
            self.faults.push(Fault {
                file: "conditions/".into(),
                place: "pre_test.probability".into(),
                problem: format!("the pre-test probabilities of all conditions sum to {sum:.6}"),
                remedy:
                    "make them sum to 1; what no listed condition explains belongs to the unexplained one"
                        .into(),
            });
        }
        let unexplained: Vec<&Placed<Condition>> =
            conditions.iter().filter(|condition| condition.entry.role == Role::Unexplained).collect();
        if unexplained.len() != 1 {
            self.faults.push(Fault {
                file: "conditions/".into(),
                place: "role".into(),
                problem: format!("{} conditions have the role unexplained", unexplained.len()),
                remedy:
                    "exactly one has: \"none of these\", which lets the service say that it does not know"
                        .into(),
            });
        }
    }

    fn red_flag(&mut self, rule: &Placed<RedFlag>) {
        let entry = &rule.entry;
        self.sources(rule, &entry.sources);
        for (place, findings) in
            [("all_of", &entry.all_of), ("all_absent", &entry.all_absent), ("any_of", &entry.any_of)]
        {
            for finding in findings {
                self.refer_finding(rule, place, finding);
            }
        }
        let conditions: Vec<&str> = self.known.conditions.keys().copied().collect();
        for condition in &entry.conditions {
            self.refer(
                rule,
                "conditions",
                "condition",
                condition.as_str(),
                conditions.iter().copied(),
                "conditions/",
            );
        }
        if usize::from(entry.at_least) > entry.any_of.len() {
            self.fault(
                rule,
                "at_least",
                format!("can never fire: needs {} of {} findings", entry.at_least, entry.any_of.len()),
                "lower `at_least`, or add findings to `any_of`",
            );
        }
        if entry.at_least == 0 && !entry.any_of.is_empty() {
            self.fault(
                rule,
                "at_least",
                "`any_of` is never asked for",
                "set `at_least = 1`, or remove `any_of`",
            );
        }
        if let Some(both) = entry.all_of.iter().find(|finding| entry.all_absent.contains(finding)) {
            self.fault(
                rule,
                "all_absent",
                format!("can never fire: `{both}` must be present and absent"),
                "remove one of the two",
            );
        }
        if let (Some(from), Some(to)) = (entry.age_from, entry.age_to)
            && from > to
        {
            self.fault(
                rule,
                "age_from",
                format!("can never fire: ages from {from} to {to}"),
                "swap the two ages",
            );
        }
        let unconditional =
            !entry.needs_findings() && entry.age_to.is_none() && entry.level > TriageLevel::SelfCare;
        if unconditional {
            self.fault(rule, "all_of", "fires for every adult", "name the findings that it looks for");
        }
    }

    fn orphans(&mut self, entries: &Entries) {
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for condition in &entries.conditions {
            used.extend(condition.entry.evidence.iter().map(|row| row.finding.as_str()));
        }
        for rule in &entries.red_flags {
            let RedFlag { all_of, all_absent, any_of, .. } = &rule.entry;
            used.extend(all_of.iter().chain(all_absent).chain(any_of).map(FindingId::as_str));
        }
        for finding in &entries.findings {
            if !used.contains(finding.entry.id.as_str()) {
                self.fault(
                    finding,
                    "id",
                    format!("nothing looks at the finding `{}`", finding.entry.id),
                    "add it to a condition's evidence or to a red-flag rule, or remove it",
                );
            }
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

/// The file under `findings/` that holds the findings of a kind.
fn file_of(kind: FindingKind) -> String {
    kind.as_str().replace('_', "-")
}
