//! Every rule that a sound catalogue keeps beyond the form of its entries.
//!
//! Each rule adds its faults and goes on, so that one run names everything there is to mend.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    entry::{
        Condition, Evidence, Finding, Group, Measure, Progression, RedFlag, Step, TrainingRule, Treatment,
    },
    fault::Fault,
    id::{ContraindicationId, FindingId, GroupId, SourceId, TreatmentId},
    nearest::nearest,
    read::{Entries, Kind, Placed, Rows, file_of, stem},
    vocabulary::{
        AgeBand, FindingKind, Grade, GroupKind, Recommendation, Role, Running, Sex, Stage, TriageLevel,
    },
};

/// How far a sum of probabilities may be from 1 before it is a fault.
const SUM_TOLERANCE: f64 = 1e-6;

/// The age at which a rule speaks of adults, in years.
const ADULT: u8 = 18;

/// Every fault of soundness in `entries`.
///
/// A rule over many entries (a sum, an entry that nothing names) waits until all of them can be read.
#[must_use]
pub fn check(entries: &Entries) -> Vec<Fault> {
    let mut checker = Checker {
        known: Known::new(entries),
        empty: BTreeSet::new(),
        conditions_twice: BTreeSet::new(),
        misspelt: BTreeSet::new(),
        faults: Vec::new(),
    };
    checker.duplicates(entries);
    checker.needed(entries);
    checker.about(entries);
    for finding in &entries.findings {
        checker.finding(finding);
    }
    for condition in &entries.conditions {
        checker.condition(condition, entries.rows.get(&condition.file).unwrap_or(&Rows::default()));
    }
    checker.priors(entries);
    for rule in &entries.red_flags {
        checker.red_flag(rule);
    }
    for measure in &entries.measures {
        checker.measure(measure);
    }
    for screen in &entries.screens {
        checker.refer_all(screen, "findings", Kind::Finding, &screen.entry.findings);
    }
    for rule in &entries.training {
        checker.training(rule);
    }
    checker.training_covers_triage(entries);
    for progression in &entries.progressions {
        checker.progression(progression);
    }
    checker.one_progression_each(entries);
    for exercise in &entries.exercises {
        checker.sources(exercise, &exercise.entry.sources);
    }
    for prevention in &entries.prevention {
        checker.sources(prevention, &prevention.entry.sources);
    }
    // Last, because a misspelt reference excuses what it meant.
    checker.groups(entries);
    checker.orphans(entries);
    checker.empty_kinds();
    checker.faults
}

/// What can be referred to.
struct Known<'a> {
    ids: BTreeMap<Kind, BTreeSet<&'a str>>,
    /// Kinds of which any number of entries could not be read: a reference to one cannot be judged.
    open: BTreeSet<Kind>,
    /// Kinds of which some entry could not be read: a sum over it cannot be judged.
    incomplete: BTreeSet<Kind>,
    conditions: BTreeMap<&'a str, &'a Condition>,
    findings: BTreeMap<&'a str, &'a Finding>,
    /// What the former ids of findings are now.
    former_findings: BTreeMap<&'a str, &'a str>,
    groups: BTreeMap<&'a str, &'a Group>,
    treatments: BTreeMap<&'a str, &'a Treatment>,
    /// Reasons against a treatment, of all treatments.
    contraindications: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn new(entries: &'a Entries) -> Self {
        let conditions = by_id(&entries.conditions, |entry| entry.id.as_str());
        let findings = by_id(&entries.findings, |entry| entry.id.as_str());
        let groups = by_id(&entries.groups, |entry| entry.id.as_str());
        let treatments = by_id(&entries.treatments, |entry| entry.id.as_str());
        let mut ids = BTreeMap::from([
            (Kind::Condition, conditions.keys().copied().collect::<BTreeSet<_>>()),
            (Kind::Finding, findings.keys().copied().collect()),
            (Kind::Group, groups.keys().copied().collect()),
            (Kind::Treatment, treatments.keys().copied().collect()),
            (
                Kind::Circumstance,
                entries.circumstances.iter().map(|placed| placed.entry.id.as_str()).collect(),
            ),
            (Kind::Measure, entries.measures.iter().map(|placed| placed.entry.id.as_str()).collect()),
            (Kind::Exercise, entries.exercises.iter().map(|placed| placed.entry.id.as_str()).collect()),
            (Kind::Prevention, entries.prevention.iter().map(|placed| placed.entry.id.as_str()).collect()),
            (Kind::Source, entries.sources.iter().map(|placed| placed.entry.id.as_str()).collect()),
        ]);
        for unread in &entries.unread {
            ids.entry(unread.kind).or_default().extend(unread.id.as_deref());
        }
        Self {
            ids,
            open: entries
                .unread
                .iter()
                .filter(|unread| unread.id.is_none())
                .map(|unread| unread.kind)
                .collect(),
            incomplete: entries.unread.iter().map(|unread| unread.kind).collect(),
            conditions,
            former_findings: findings
                .values()
                .flat_map(|finding| finding.former_ids.iter().map(|id| (id.as_str(), finding.id.as_str())))
                .collect(),
            findings,
            groups,
            contraindications: treatments
                .values()
                .flat_map(|treatment| &treatment.contraindications)
                .map(|reason| reason.id.as_str())
                .collect(),
            treatments,
        }
    }
}

/// Entries by id; of two with the same id, the first.
fn by_id<T>(entries: &[Placed<T>], id: impl Fn(&T) -> &str) -> BTreeMap<&str, &T> {
    let mut known = BTreeMap::new();
    for placed in entries {
        known.entry(id(&placed.entry)).or_insert(&placed.entry);
    }
    known
}

struct Checker<'a> {
    known: Known<'a>,
    /// Kinds that are needed though none of them is listed.
    empty: BTreeSet<Kind>,
    /// Ids of conditions that are defined more than once.
    conditions_twice: BTreeSet<&'a str>,
    /// What misspelt references meant.
    misspelt: BTreeSet<(Kind, &'a str)>,
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

    /// Whether `id` names an entry of this kind, as far as can be told; a fault otherwise.
    fn refer<T>(&mut self, at: &Placed<T>, place: &str, kind: Kind, id: &str) {
        if self.known.open.contains(&kind) {
            return;
        }
        let known = self.known.ids.get(&kind).filter(|known| !known.is_empty());
        let Some(known) = known else {
            // One fault for the whole kind, instead of one for each place that refers to it.
            self.empty.insert(kind);
            return;
        };
        if known.contains(id) {
            return;
        }
        let renamed = self.known.former_findings.get(id).copied().filter(|_| kind == Kind::Finding);
        let meant = renamed.or_else(|| nearest(id, known.iter().copied()));
        self.misspelt.extend(meant.map(|meant| (kind, meant)));
        let remedy = match (renamed, meant) {
            (Some(now), _) => format!("write `{now}`: it was renamed"),
            (None, Some(meant)) => format!("did you mean `{meant}`?"),
            (None, None) => format!("correct the spelling, or add it to {}", kind.home()),
        };
        self.fault(at, place, format!("`{id}` names no known {}", kind.name()), remedy);
    }

    /// Refers to each of a list, and finds what stands in it twice.
    fn refer_all<T, I: AsRef<str>>(&mut self, at: &Placed<T>, place: &str, kind: Kind, ids: &[I]) {
        let mut seen = BTreeSet::new();
        for id in ids.iter().map(AsRef::as_ref) {
            self.refer(at, place, kind, id);
            if !seen.insert(id) {
                self.fault(at, place, format!("`{id}` stands here twice"), "remove one of the two");
            }
        }
    }

    /// What no catalogue can be without, or nobody is warned of anything.
    fn needed(&mut self, entries: &Entries) {
        // Where catalogue.toml is missing too, that is the fault.
        let none = [
            (Kind::Condition, entries.conditions.is_empty()),
            (Kind::RedFlag, entries.red_flags.is_empty()),
            (Kind::Training, entries.training.is_empty()),
            (Kind::Progression, entries.progressions.is_empty()),
        ];
        for (kind, none) in none {
            if none && !entries.about.is_empty() && !self.known.incomplete.contains(&kind) {
                self.empty.insert(kind);
            }
        }
    }

    fn empty_kinds(&mut self) {
        for kind in std::mem::take(&mut self.empty) {
            self.faults.push(Fault {
                file: kind.home().into(),
                place: String::new(),
                problem: format!("there is no {} here", kind.name()),
                remedy: "add some; if they stand elsewhere, check the name of their file".into(),
            });
        }
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
                "name at least one id of sources.toml; an estimate has its own source there",
            );
        }
        self.refer_all(at, place, Kind::Source, sources);
    }

    fn duplicates(&mut self, entries: &'a Entries) {
        self.conditions_twice = self.twice(&entries.conditions, |entry| entry.id.as_str());
        self.twice(&entries.findings, |entry| entry.id.as_str());
        self.twice(&entries.groups, |entry| entry.id.as_str());
        self.twice(&entries.measures, |entry| entry.id.as_str());
        self.twice(&entries.screens, |entry| entry.id.as_str());
        self.twice(&entries.training, |entry| entry.id.as_str());
        self.twice(&entries.progressions, |entry| entry.id.as_str());
        self.twice(&entries.treatments, |entry| entry.id.as_str());
        self.twice(&entries.circumstances, |entry| entry.id.as_str());
        self.twice(&entries.exercises, |entry| entry.id.as_str());
        self.twice(&entries.prevention, |entry| entry.id.as_str());
        self.twice(&entries.red_flags, |entry| entry.id.as_str());
        self.twice(&entries.sources, |entry| entry.id.as_str());
    }

    /// The ids that stand in `entries` more than once, each with its fault.
    fn twice<T>(&mut self, entries: &'a [Placed<T>], id: impl Fn(&T) -> &str) -> BTreeSet<&'a str> {
        let mut seen: BTreeMap<&str, &Placed<T>> = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for placed in entries {
            let id = id(&placed.entry);
            let Some(first) = seen.get(id) else {
                seen.insert(id, placed);
                continue;
            };
            let within = if first.place.is_empty() { "" } else { ", " };
            let remedy = format!("rename or remove one: the other is {}{within}{}", first.file, first.place);
            self.fault(placed, "id", format!("`{id}` is defined twice"), remedy);
            twice.insert(id);
        }
        twice
    }

    fn about(&mut self, entries: &'a Entries) {
        let Some(about) = entries.about.first() else { return };
        if !is_version(&about.entry.version) {
            self.fault(
                about,
                "version",
                format!("`{}` is not a version", about.entry.version),
                "write year.month.number, for instance \"2026.11.1\"",
            );
        }
        let age: f64 = AgeBand::ALL.iter().map(|band| about.entry.population.age.of(*band).get()).sum();
        let sex: f64 = Sex::ALL.iter().map(|sex| about.entry.population.sex.of(*sex).get()).sum();
        for (place, sum) in [("population.age", age), ("population.sex", sex)] {
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                self.fault(about, place, format!("the shares sum to {}", figure(sum)), "make them sum to 1");
            }
        }
        self.sources_at(about, "population.sources", &about.entry.population.sources);
        for grade in Grade::ALL {
            let meanings = about.entry.grades.iter().filter(|meaning| meaning.grade == *grade).count();
            let grade = grade.as_str();
            if meanings == 0 {
                let remedy = format!("add `{{ grade = \"{grade}\", meaning = \"...\" }}`");
                self.fault(about, "grades", format!("grade {grade} has no meaning"), remedy);
            } else if meanings > 1 {
                self.fault(about, "grades", format!("grade {grade} has {meanings} meanings"), "keep one");
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
                "the words do not cover each probability exactly once",
                "list them from the highest `from` down; the last one begins at 0",
            );
        }
    }

    fn groups(&mut self, entries: &'a Entries) {
        for group in &entries.groups {
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
            self.members(group);
        }
    }

    fn members(&mut self, group: &Placed<Group>) {
        let id = group.entry.id.as_str();
        let cannot_tell = self.known.incomplete.contains(&Kind::Finding)
            || self.empty.contains(&Kind::Finding)
            || self.misspelt.contains(&(Kind::Group, id));
        if cannot_tell {
            return;
        }
        let members = self
            .known
            .findings
            .values()
            .filter(|finding| finding.group.as_ref().is_some_and(|group| group.as_str() == id));
        let (count, sum) = members
            .fold((0, 0.0), |(count, sum), finding| (count + 1, sum + finding.background.probability.get()));
        if count == 0 {
            self.fault(
                group,
                "",
                format!("no finding belongs to the group `{id}`"),
                "remove the group, or name it as `group` in its findings",
            );
        } else if group.entry.kind == GroupKind::SingleChoice && (sum - 1.0).abs() > SUM_TOLERANCE {
            self.fault(
                group,
                "",
                format!("the background rates of the options of `{id}` sum to {}", figure(sum)),
                "make them sum to 1 in findings/: exactly one option holds in each person",
            );
        }
    }

    fn training(&mut self, rule: &Placed<TrainingRule>) {
        let entry = &rule.entry;
        self.sources(rule, &entry.sources);
        self.refer_all(rule, "conditions", Kind::Condition, &entry.conditions);
        self.refer_all(rule, "any_of", Kind::Finding, &entry.any_of);
        self.refer_all(rule, "all_absent", Kind::Finding, &entry.all_absent);
        let applies = entry.level_from.is_some()
            || entry.when_running_stops
            || entry.otherwise
            || !(entry.conditions.is_empty() && entry.any_of.is_empty() && entry.all_absent.is_empty());
        if !applies {
            let remedy =
                "say when: level_from, when_running_stops, conditions, any_of, all_absent or otherwise";
            self.fault(rule, "", "the rule never applies", remedy);
        }
    }

    /// Rules that say no less than triage does, and one for whoever no other rule fits.
    fn training_covers_triage(&mut self, entries: &Entries) {
        let rules = || entries.training.iter().map(|placed| &placed.entry);
        if entries.training.is_empty() || self.known.incomplete.contains(&Kind::Training) {
            return;
        }
        let from = |level: TriageLevel, running: Running| {
            rules().any(|rule| {
                rule.running >= running
                    && rule.all_absent.is_empty()
                    && rule.level_from.is_some_and(|from| from <= level)
            })
        };
        let stops = rules().any(|rule| {
            rule.running == Running::Stop && rule.all_absent.is_empty() && rule.when_running_stops
        });
        let missing = [
            (stops, "stops running when triage does", "when_running_stops = true"),
            (
                from(TriageLevel::Urgent, Running::Stop),
                "stops running for an urgent case",
                "level_from = \"urgent\"",
            ),
            (
                from(TriageLevel::Soon, Running::NoImpact),
                "spares the hip each landing in a case to be seen soon",
                "level_from = \"soon\"",
            ),
            (rules().any(|rule| rule.otherwise), "holds when no other rule applies", "otherwise = true"),
        ];
        for (_, what, key) in missing.into_iter().filter(|(there, ..)| !there) {
            self.faults.push(Fault {
                file: Kind::Training.home().into(),
                place: String::new(),
                problem: format!("no rule {what}"),
                remedy: format!("add one with `{key}`, and without all_absent"),
            });
        }
    }

    /// Exactly one plan for each condition.
    fn one_progression_each(&mut self, entries: &Entries) {
        if entries.progressions.is_empty() || self.known.incomplete.contains(&Kind::Progression) {
            return;
        }
        let mut general = entries.progressions.iter().filter(|placed| placed.entry.conditions.is_empty());
        if general.next().is_none() {
            self.faults.push(Fault {
                file: Kind::Progression.home().into(),
                place: String::new(),
                problem: "no plan is for the conditions that no plan names".into(),
                remedy: "add one without `conditions`".into(),
            });
        }
        for other in general {
            let remedy = "name its conditions: one plan alone goes without";
            self.fault(other, "conditions", "a second plan for the conditions that no plan names", remedy);
        }
        let mut seen = BTreeSet::new();
        for plan in &entries.progressions {
            // Named twice within one plan, it is a fault of that plan.
            for id in plan.entry.conditions.iter().collect::<BTreeSet<_>>() {
                if !seen.insert(id) {
                    let problem = format!("another plan names `{id}` too");
                    self.fault(plan, "conditions", problem, "leave it to one of the two");
                }
            }
        }
    }

    fn progression(&mut self, progression: &Placed<Progression>) {
        let entry = &progression.entry;
        self.sources(progression, &entry.sources);
        self.refer_all(progression, "conditions", Kind::Condition, &entry.conditions);
        if entry.sessions_per_step == 0 {
            let remedy = "write how many sessions a step asks for, at least 1";
            self.fault(progression, "sessions_per_step", "a step that asks for no session", remedy);
        }
        if entry.steps.is_empty() {
            self.fault(progression, "steps", "a plan without steps", "write its steps, the easiest first");
        }
        if entry.step_back_from <= entry.pain_during_at_most.max(entry.pain_after_at_most) {
            let remedy = "set step_back_from above pain_during_at_most and pain_after_at_most";
            self.fault(progression, "step_back_from", "the same pain goes on and goes back", remedy);
        }
    }

    fn measure(&mut self, measure: &Placed<Measure>) {
        let entry = &measure.entry;
        if !(entry.least.is_finite() && entry.most.is_finite() && entry.least < entry.most) {
            let problem = format!("values go from {} to {}", entry.least, entry.most);
            self.fault(measure, "least", problem, "write the least value first, then a larger one");
        }
        for (number, rule) in entry.rules.iter().enumerate() {
            let place = format!("rules (item {})", number + 1);
            self.refer(measure, &format!("{place}.finding"), Kind::Finding, rule.finding.as_str());
            self.sources_at(measure, &format!("{place}.sources"), &rule.sources);
            if let Some(other) = &rule.relative_to {
                self.refer(measure, &format!("{place}.relative_to"), Kind::Measure, other.as_str());
            }
            let limits = [rule.present_from, rule.present_below, rule.absent_from, rule.absent_below];
            if limits.iter().all(Option::is_none) {
                let remedy = "add present_from, present_below, absent_from or absent_below";
                self.fault(measure, &place, "the rule never says anything", remedy);
            }
            let both = |present: Option<f64>, absent: Option<f64>| {
                present.zip(absent).is_some_and(|(present, absent)| present < absent)
            };
            // Two limits of the same direction always meet somewhere.
            let same_direction = rule.present_from.and(rule.absent_from).is_some()
                || rule.present_below.and(rule.absent_below).is_some();
            let contradicts = same_direction
                || both(rule.present_from, rule.absent_below)
                || both(rule.absent_from, rule.present_below);
            if contradicts {
                let remedy = "let the ranges of present and absent meet or leave a gap";
                self.fault(measure, &place, "some values would be present and absent at once", remedy);
            }
        }
    }

    fn finding(&mut self, finding: &Placed<Finding>) {
        self.sources_at(finding, "background.sources", &finding.entry.background.sources);
        if let Some(group) = &finding.entry.group {
            self.refer(finding, "group", Kind::Group, group.as_str());
        }
        for former in &finding.entry.former_ids {
            let now = self.known.former_findings.get(former.as_str()).copied();
            if self.known.findings.contains_key(former.as_str()) {
                let problem = format!("`{former}` is the id of a finding that is there");
                self.fault(finding, "former_ids", problem, "take it out, or give that finding another id");
            } else if let Some(other) = now.filter(|now| *now != finding.entry.id.as_str()) {
                let problem = format!("`{former}` is a former id of `{other}` too");
                self.fault(finding, "former_ids", problem, "leave it to one of the two");
            }
        }
        for reason in finding.entry.contraindicates.iter().map(ContraindicationId::as_str) {
            self.contraindication(finding, reason);
        }
        let home = file_of(finding.entry.kind);
        let named_after_a_kind = FindingKind::ALL.iter().any(|kind| file_of(*kind) == finding.file);
        if named_after_a_kind && finding.file != home {
            let problem = format!(
                "a finding of the kind {} in the file of another kind",
                in_file(finding.entry.kind.as_str())
            );
            self.fault(finding, "kind", problem, format!("move it to {home}, or correct its kind"));
        }
    }

    /// Whether some treatment names the reason against it.
    fn contraindication(&mut self, finding: &Placed<Finding>, reason: &str) {
        if self.known.incomplete.contains(&Kind::Treatment) || self.known.contraindications.contains(reason) {
            return;
        }
        let remedy = nearest(reason, self.known.contraindications.iter().copied()).map_or_else(
            || "correct the spelling, or add it to a treatment".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        let problem = format!("no treatment names the reason `{reason}` against it");
        self.fault(finding, "contraindicates", problem, remedy);
    }

    fn condition(&mut self, condition: &Placed<Condition>, rows: &Rows) {
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

    fn role(&mut self, condition: &Placed<Condition>) {
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

    fn urgency(&mut self, condition: &Placed<Condition>) {
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

    fn evidence(&mut self, condition: &Placed<Condition>, rows: &Rows) {
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

    fn range(&mut self, condition: &Placed<Condition>, place: &str, row: &Evidence) {
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

    fn ladder(&mut self, condition: &Placed<Condition>, rows: &Rows) {
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

    fn step(&mut self, condition: &Placed<Condition>, place: &str, step: &Step) {
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

    fn priors(&mut self, entries: &Entries) {
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

    fn red_flag(&mut self, rule: &Placed<RedFlag>) {
        let entry = &rule.entry;
        self.sources(rule, &entry.sources);
        self.refer_all(rule, "all_of", Kind::Finding, &entry.all_of);
        self.refer_all(rule, "all_absent", Kind::Finding, &entry.all_absent);
        self.refer_all(rule, "any_of", Kind::Finding, &entry.any_of);
        self.refer_all(rule, "conditions", Kind::Condition, &entry.conditions);
        self.can_fire(rule);
        if entry.at_least == 0 && !entry.any_of.is_empty() {
            self.fault(
                rule,
                "at_least",
                "`any_of` is never asked for",
                "set `at_least = 1`, or remove `any_of`",
            );
        } else if !entry.needs_findings()
            && entry.age_to.is_none_or(|age| age >= ADULT)
            && entry.level > TriageLevel::SelfCare
        {
            self.fault(
                rule,
                "",
                "fires for adults whatever they answer: it looks at no finding",
                "name the findings that it looks for in `all_of`, `all_absent` or `any_of`",
            );
        }
    }

    /// The ways in which a rule can contradict itself.
    fn can_fire(&mut self, rule: &Placed<RedFlag>) {
        let entry = &rule.entry;
        if let Some(both) = entry.all_of.iter().find(|finding| entry.all_absent.contains(finding)) {
            self.fault(
                rule,
                "all_absent",
                format!("can never fire: `{both}` must be both present and absent"),
                "take it out of `all_of` or out of `all_absent`",
            );
        }
        let mut chosen: BTreeMap<&str, &FindingId> = BTreeMap::new();
        for finding in &entry.all_of {
            let Some(group) = self.single_choice(finding) else { continue };
            if let Some(other) = chosen.insert(group, finding).filter(|other| *other != finding) {
                self.fault(
                    rule,
                    "all_of",
                    format!("can never fire: `{other}` and `{finding}` are options of one single choice"),
                    "move them to `any_of`, with `at_least = 1`",
                );
            }
        }
        // Of each single choice one option at most can be present, and none beside one that must be.
        let mut possible: BTreeSet<&str> = BTreeSet::new();
        for finding in entry.any_of.iter().filter(|finding| !entry.all_absent.contains(finding)) {
            match self.single_choice(finding) {
                Some(group) if chosen.get(group).is_some_and(|option| *option != finding) => {}
                Some(group) => drop(possible.insert(group)),
                None => drop(possible.insert(finding.as_str())),
            }
        }
        if usize::from(entry.at_least) > possible.len() {
            self.fault(
                rule,
                "at_least",
                format!(
                    "can never fire: needs {} of `any_of`, of which {} can be present",
                    entry.at_least,
                    possible.len()
                ),
                "lower `at_least`, or add findings to `any_of`; of a single choice one option counts, and what \
                 `all_absent` names does not",
            );
        }
        if let (Some(from), Some(to)) = (entry.age_from, entry.age_to)
            && from > to
        {
            self.fault(
                rule,
                "age_from",
                format!("can never fire: nobody is at least {from} and at most {to} years old"),
                "swap the two ages",
            );
        }
    }

    /// The single choice that a finding is an option of.
    fn single_choice(&self, finding: &FindingId) -> Option<&'a str> {
        let group = self.known.findings.get(finding.as_str())?.group.as_ref()?;
        self.known
            .groups
            .get(group.as_str())
            .filter(|known| known.kind == GroupKind::SingleChoice)
            .map(|_| group.as_str())
    }

    fn orphans(&mut self, entries: &'a Entries) {
        let incomplete = [Kind::Condition, Kind::RedFlag]
            .iter()
            .any(|kind| self.known.incomplete.contains(kind) || self.empty.contains(kind));
        if incomplete || entries.rows.values().any(|rows| rows.incomplete) {
            return;
        }
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for condition in &entries.conditions {
            used.extend(condition.entry.evidence.iter().map(|row| row.finding.as_str()));
        }
        for rule in &entries.red_flags {
            let RedFlag { all_of, all_absent, any_of, .. } = &rule.entry;
            used.extend(all_of.iter().chain(all_absent).chain(any_of).map(FindingId::as_str));
        }
        for finding in &entries.findings {
            let id = finding.entry.id.as_str();
            let looked_at = used.contains(id) || finding.entry.out_of_scope.is_some();
            if !looked_at && !self.misspelt.contains(&(Kind::Finding, id)) {
                self.fault(
                    finding,
                    "",
                    format!("nothing looks at the finding `{id}`"),
                    "add it to the evidence of a condition or to a red-flag rule, or remove it",
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

/// A sum as it is printed: without the noise of its last digits, which a tolerated error stays below.
fn figure(sum: f64) -> f64 {
    (sum * 1e6).round() / 1e6
}

/// A word as the files write it.
fn in_file(word: &str) -> String {
    word.replace('_', "-")
}

/// Whether a text is `year.month.number`.
fn is_version(text: &str) -> bool {
    let parts: Vec<Option<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    matches!(parts.as_slice(), [Some(2000..=9999), Some(1..=12), Some(_)])
}
