//! Rules over findings: red flags, and running meanwhile with its walk-run plans.

use std::collections::{BTreeMap, BTreeSet};

use super::Checker;
use crate::catalogue::{
    entry::{Progression, RedFlag, TrainingRule},
    fault::Fault,
    id::FindingId,
    read::{Entries, Kind, Placed},
    vocabulary::{Running, TriageLevel},
};

/// The age at which a rule speaks of adults, in years.
const ADULT: u8 = 18;

impl<'a> Checker<'a> {
    pub(super) fn red_flag(&mut self, rule: &Placed<RedFlag>) {
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
    pub(super) fn can_fire(&mut self, rule: &Placed<RedFlag>) {
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

    pub(super) fn training(&mut self, rule: &Placed<TrainingRule>) {
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
    pub(super) fn training_covers_triage(&mut self, entries: &Entries) {
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

    pub(super) fn progression(&mut self, progression: &Placed<Progression>) {
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

    /// Exactly one plan for each condition.
    pub(super) fn one_progression_each(&mut self, entries: &Entries) {
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
}
