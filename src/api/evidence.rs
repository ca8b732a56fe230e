//! Evidence on the wire: what each answer weighs for a condition, and which open question would tell most.

use serde::Serialize;
use utoipa::ToSchema;

use super::{knowledge::Knowledge, sources};
use crate::{
    assessment::{Answer, Assessment, Case, CountedAnswer, Hypothesis, Weighing},
    catalogue::{
        FindingIndex,
        entry::{Condition, Evidence},
        vocabulary::{Examiner, Grade},
    },
};

/// How many open questions are named as helpful for each condition.
const MOST_HELPFUL: usize = 3;

/// What speaks for and against a condition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvidenceSummary)]
pub struct EvidenceBody<'a> {
    /// Answers that speak for it, the strongest first.
    pub supports: Vec<WeighedAnswer<'a>>,
    /// Answers that speak against it, the strongest first.
    pub opposes: Vec<WeighedAnswer<'a>>,
    /// Open questions whose answers would tell most about it, the best first.
    pub would_help: Vec<HelpfulFinding<'a>>,
}

/// One answer and what it weighs for a condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct WeighedAnswer<'a> {
    /// The finding.
    pub finding: &'a str,
    /// Its short name.
    pub label: &'a str,
    /// The answer: `present` or `absent`.
    pub state: &'static str,
    /// By how much the answer multiplies the odds against "none of these", after `counted_share`.
    #[schema(minimum = 0)]
    pub likelihood_ratio: f64,
    /// Its natural logarithm; these add up (see `log_normaliser`).
    pub weight: f64,
    /// How often the finding is present in this condition, where the catalogue states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub probability_in_condition: Option<f64>,
    /// How often it is present in hip pain from none of the listed causes.
    #[schema(minimum = 0, maximum = 1)]
    pub background_rate: f64,
    /// The share of its full weight that counts; below 1 where related answers were given too.
    #[schema(minimum = 0, maximum = 1)]
    pub counted_share: f64,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// Whether the figure is an expert's estimate (grade D).
    pub estimate: bool,
    /// The sources.
    pub sources: Vec<&'a str>,
}

/// An open question that would tell much about a condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct HelpfulFinding<'a> {
    /// The finding.
    pub finding: &'a str,
    /// The question in plain words.
    pub question: &'a str,
}

/// Turns what was weighed into its wire form.
pub(super) struct Explanation<'a> {
    pub(super) knowledge: &'a Knowledge,
    pub(super) case: &'a Case,
    pub(super) assessment: &'a Assessment,
    pub(super) examiner: Examiner,
    /// Self-tests that must not be tried now.
    pub(super) locked: &'a [FindingIndex],
}

impl<'a> Explanation<'a> {
    /// What speaks for and against one condition.
    pub(super) fn body(&self, condition: &'a Condition, hypothesis: Hypothesis) -> EvidenceBody<'a> {
        let mut weighed: Vec<WeighedAnswer<'_>> = self
            .assessment
            .weighing
            .answers()
            .iter()
            .filter(|answer| answer.weight(hypothesis).abs() > 0.0)
            .map(|answer| self.weighed(condition, hypothesis, answer))
            .collect();
        // Stable: equal strengths keep the catalogue's order.
        weighed.sort_by(|one, other| other.weight.abs().total_cmp(&one.weight.abs()));
        let (supports, opposes) = weighed.into_iter().partition(|answer| answer.weight > 0.0);
        let helpful =
            Weighing::most_helpful(self.knowledge.model(), self.case, hypothesis, MOST_HELPFUL, |finding| {
                if self.locked.contains(&finding) {
                    return false;
                }
                self.examiner == Examiner::Clinician
                    || self.knowledge.catalogue().finding_at(finding).kind.examiner() == Examiner::Oneself
            });
        EvidenceBody {
            supports,
            opposes,
            would_help: helpful
                .iter()
                .map(|helpful| self.knowledge.catalogue().finding_at(helpful.finding))
                .map(|finding| HelpfulFinding { finding: finding.id.as_str(), question: &finding.question })
                .collect(),
        }
    }

    fn weighed(
        &self,
        condition: &'a Condition,
        hypothesis: Hypothesis,
        answer: &CountedAnswer,
    ) -> WeighedAnswer<'a> {
        let finding = self.knowledge.catalogue().finding_at(answer.finding);
        let row: Option<&Evidence> = condition.evidence.iter().find(|row| row.finding == finding.id);
        // An option that a condition does not state gets what the stated ones leave: an estimate.
        let grade = row.map_or(Grade::D, |row| row.grade);
        let weight = answer.weight(hypothesis);
        WeighedAnswer {
            finding: finding.id.as_str(),
            label: &finding.label,
            state: state(answer.answer),
            likelihood_ratio: libm::exp(weight),
            weight,
            probability_in_condition: row.map(|row| row.probability.get()),
            background_rate: finding.background.probability.get(),
            counted_share: answer.share,
            grade: grade.as_str(),
            estimate: grade == Grade::D,
            sources: row.map_or_else(|| sources::ids(&condition.sources), |row| sources::ids(&row.sources)),
        }
    }
}

/// An answer in one word.
pub(super) const fn state(answer: Answer) -> &'static str {
    match answer {
        Answer::Present => "present",
        Answer::Absent => "absent",
    }
}
