//! Interviews with patients drawn from the catalogue's own likelihoods, who answer truthfully.
//!
//! They show how much of what all answers together tell is reached by asking few questions, and whether the
//! shorter way ever loses an urgent picture. They say nothing of real patients: these agree with the catalogue.

use std::fmt::Write;

use fastrand::Rng;

use super::metrics::{Proportion, mean};
use crate::{
    assessment::{Answer, Ask, Because, Case, Hypothesis, Model, StopReason, assess, dangers, interview},
    catalogue::{
        Catalogue, FindingIndex,
        vocabulary::{AgeBand, Examiner, GroupKind, Sex, TriageLevel},
    },
};

/// An interview that does not end by itself is cut here; one that reaches this is a fault of the engine.
const CUT: usize = 60;

/// One simulated interview.
#[derive(Debug, Clone)]
pub struct SimulatedInterview {
    /// The cause that was drawn.
    pub cause: Hypothesis,
    /// Whether all answers together rank it first.
    pub found_by_all: bool,
    /// Whether the interview ranks it first.
    pub found_by_interview: bool,
    /// How many questions were asked.
    pub questions: usize,
    /// Why it ended; none when it was cut.
    pub stop: Option<StopReason>,
    /// The triage level of all answers together.
    pub level_by_all: TriageLevel,
    /// What that level rests on: the id of a rule or a condition, or nothing.
    pub because: String,
    /// The triage level at the end of the interview.
    pub level_by_interview: TriageLevel,
}

/// Figures over many simulated interviews.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The cause comes first when everything is answered.
    pub found_by_all: Proportion,
    /// The cause comes first at the end of the interview.
    pub found_by_interview: Proportion,
    /// The median number of questions.
    pub median_questions: usize,
    /// The number of questions that nine in ten interviews do not exceed.
    pub ninetieth_percentile: usize,
    /// The mean number of questions.
    pub mean_questions: f64,
    /// Interviews below `soon` whose full picture is urgent or an emergency.
    pub dangerous_below_soon: Proportion,
    /// Interviews that did not end by themselves.
    pub cut: usize,
    /// Every interview.
    pub interviews: Vec<SimulatedInterview>,
}

/// Interviews `patients` drawn with a seed.
#[must_use]
pub fn simulate(
    catalogue: &Catalogue,
    model: &Model,
    patients: usize,
    seed: u64,
    mut progress: impl FnMut(),
) -> Simulation {
    let mut random = Rng::with_seed(seed);
    let interviews: Vec<SimulatedInterview> = (0..patients)
        .map(|_| {
            progress();
            Patient::drawn(catalogue, model, &mut random).interviewed(catalogue, model)
        })
        .collect();
    let mut questions: Vec<usize> = interviews.iter().map(|one| one.questions).collect();
    questions.sort_unstable();
    let at = |part: usize| questions.get(questions.len() * part / 10).copied().unwrap_or_default();
    let dangerous = interviews.iter().filter(|one| one.level_by_all >= TriageLevel::Urgent);
    Simulation {
        found_by_all: Proportion::among(&interviews, |one| one.found_by_all),
        found_by_interview: Proportion::among(&interviews, |one| one.found_by_interview),
        median_questions: at(5),
        ninetieth_percentile: at(9),
        mean_questions: mean(
            questions.iter().map(|count| f64::from(u32::try_from(*count).unwrap_or(u32::MAX))),
        ),
        dangerous_below_soon: Proportion::among(dangerous, |one| one.level_by_interview < TriageLevel::Soon),
        cut: interviews.iter().filter(|one| one.stop.is_none()).count(),
        interviews,
    }
}

impl Simulation {
    /// The figures for a terminal.
    #[must_use]
    pub fn to_text(&self, catalogue: &Catalogue, model: &Model) -> String {
        let share = |proportion: Proportion| {
            format!("{:.1} % ({} of {})", proportion.share * 100.0, proportion.count, proportion.of)
        };
        let mut text = format!(
            "{} patients drawn from catalogue {}\n\
             cause first, everything answered   {}\n\
             cause first, after the interview   {}\n\
             part of the first that is reached  {:.1} %\n\
             questions: median {}, nine in ten within {}, mean {:.1}\n\
             urgent pictures ending below soon  {}\n",
            self.interviews.len(),
            catalogue.about().version,
            share(self.found_by_all),
            share(self.found_by_interview),
            self.reached() * 100.0,
            self.median_questions,
            self.ninetieth_percentile,
            self.mean_questions,
            share(self.dangerous_below_soon),
        );
        let lost = self.interviews.iter().filter(|one| {
            one.level_by_all >= TriageLevel::Urgent && one.level_by_interview < TriageLevel::Soon
        });
        for one in lost {
            let cause = &catalogue.condition_at(model.condition(one.cause)).id;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  lost: {cause}, {} by all answers ({})",
                one.level_by_all.as_str(),
                one.because
            );
        }
        text
    }

    /// The part of what all answers together find that the interview finds too.
    #[must_use]
    pub fn reached(&self) -> f64 {
        if self.found_by_all.count == 0 {
            1.0
        } else {
            self.found_by_interview.share / self.found_by_all.share
        }
    }

    /// Every promise of the interview that is not kept, in words.
    #[must_use]
    pub fn missed(&self) -> Vec<String> {
        let promises = [
            (self.reached() >= 0.95, "the interview reaches less than 95 % of what all answers find"),
            (self.median_questions <= 12, "the median interview has more than 12 questions"),
            (self.ninetieth_percentile <= 20, "one in ten interviews has more than 20 questions"),
            (self.dangerous_below_soon.count == 0, "an urgent picture ended below soon"),
            (self.cut == 0, "an interview did not end by itself"),
        ];
        promises.into_iter().filter(|(kept, _)| !kept).map(|(_, broken)| broken.to_owned()).collect()
    }
}

struct Patient {
    age: u8,
    sex: Sex,
    cause: Hypothesis,
    present: Vec<FindingIndex>,
}

impl Patient {
    fn drawn(catalogue: &Catalogue, model: &Model, random: &mut Rng) -> Self {
        let population = &catalogue.about().population;
        let band = drawn(AgeBand::ALL, |band| population.age.of(*band).get(), random);
        let age = match band {
            AgeBand::Under14 => random.u8(8..14),
            AgeBand::From14To17 => random.u8(14..18),
            AgeBand::From18To39 => random.u8(18..40),
            AgeBand::From40To59 => random.u8(40..60),
            AgeBand::From60 => random.u8(60..85),
        };
        let sex = drawn(Sex::ALL, |sex| population.sex.of(*sex).get(), random);
        let hypotheses: Vec<Hypothesis> = model.hypotheses().map(|(hypothesis, _)| hypothesis).collect();
        let priors = model.priors(Some(age), Some(sex));
        let weighed: Vec<(Hypothesis, f64)> = hypotheses.into_iter().zip(priors.iter().copied()).collect();
        let cause = drawn(&weighed, |(_, prior)| *prior, random).0;
        let mut patient = Self { age, sex, cause, present: Vec::new() };
        patient.draw_findings(catalogue, model, random);
        patient
    }

    fn draw_findings(&mut self, catalogue: &Catalogue, model: &Model, random: &mut Rng) {
        let single_choice = |finding: FindingIndex| {
            let group = catalogue.finding_at(finding).group.as_ref()?;
            catalogue.group(group.as_str()).filter(|group| group.kind == GroupKind::SingleChoice)
        };
        for group in catalogue.groups().iter().filter(|group| group.kind == GroupKind::SingleChoice) {
            // One option at the most: what is left over is a place or a start that no option names.
            let mut left = random.f64();
            for finding in (0..catalogue.findings().len()).map(FindingIndex) {
                if single_choice(finding).is_some_and(|of| of.id == group.id) {
                    left -= model.probability(finding, self.cause);
                    if left < 0.0 {
                        self.present.push(finding);
                        break;
                    }
                }
            }
        }
        for finding in (0..catalogue.findings().len()).map(FindingIndex) {
            if single_choice(finding).is_none() && random.f64() < model.probability(finding, self.cause) {
                self.present.push(finding);
            }
        }
    }

    /// The truth about one finding; a finding that concerns others is not answered.
    fn answer(&self, catalogue: &Catalogue, finding: FindingIndex, case: &mut Case) {
        let answer = if self.present.contains(&finding) { Answer::Present } else { Answer::Absent };
        // A patient gives no two answers to one question, and names one option of a choice: nothing to contradict.
        let _ = case.answer(catalogue, finding, answer);
    }

    fn concerns(&self, catalogue: &Catalogue, finding: FindingIndex) -> bool {
        let entry = catalogue.finding_at(finding);
        entry.kind.examiner() == Examiner::Oneself
            && entry.out_of_scope.is_none()
            && entry.only_for.is_none_or(|only| {
                only.sex.is_none_or(|sex| sex == self.sex)
                    && only.age_from.is_none_or(|from| self.age >= from)
                    && only.age_to.is_none_or(|to| self.age <= to)
            })
    }

    fn interviewed(mut self, catalogue: &Catalogue, model: &Model) -> SimulatedInterview {
        let concerning: Vec<FindingIndex> = (0..catalogue.findings().len())
            .map(FindingIndex)
            .filter(|finding| self.concerns(catalogue, *finding))
            .collect();
        self.present.retain(|finding| concerning.contains(finding));
        let mut full = Case::new(Some(self.age), Some(self.sex));
        for finding in concerning {
            self.answer(catalogue, finding, &mut full);
        }
        let all = assess(catalogue, model, &full);
        let mut case = Case::default();
        let mut questions = 0;
        let stop = loop {
            let assessment = assess(catalogue, model, &case);
            let dangers = dangers(catalogue, model, &case, &assessment);
            let state = interview(catalogue, model, &case, &assessment, &dangers, Examiner::Oneself);
            let Some(question) = state.next else { break state.stop };
            if questions == CUT {
                break None;
            }
            questions += 1;
            case = self.replied(catalogue, case, question.ask);
        };
        let end = assess(catalogue, model, &case);
        SimulatedInterview {
            cause: self.cause,
            found_by_all: all.ranking.order().first() == Some(&self.cause),
            found_by_interview: end.ranking.order().first() == Some(&self.cause),
            questions,
            stop,
            level_by_all: all.triage.level,
            because: match all.triage.reasons.first().map(|reason| reason.because) {
                Some(Because::Rule(place)) => {
                    catalogue.red_flags().get(place).map(|rule| rule.id.to_string()).unwrap_or_default()
                }
                Some(Because::Condition { hypothesis, .. }) => {
                    catalogue.condition_at(model.condition(hypothesis)).id.to_string()
                }
                _ => String::new(),
            },
            level_by_interview: end.triage.level,
        }
    }

    fn replied(&self, catalogue: &Catalogue, mut case: Case, ask: Ask) -> Case {
        match ask {
            Ask::Age => return case.with_profile(Some(self.age), case.sex()),
            Ask::Sex => return case.with_profile(case.age(), Some(self.sex)),
            Ask::Finding(finding) => self.answer(catalogue, finding, &mut case),
            Ask::Screen(_, options) | Ask::Checklist(_, options) => {
                for option in options {
                    self.answer(catalogue, option, &mut case);
                }
            }
            Ask::Choice(_, options) => match options.iter().find(|option| self.present.contains(option)) {
                Some(chosen) => self.answer(catalogue, *chosen, &mut case),
                None => options.into_iter().for_each(|option| self.answer(catalogue, option, &mut case)),
            },
        }
        case
    }
}

/// One of some things, with a probability in proportion to its weight.
#[expect(clippy::expect_used, reason = "lists of words and of hypotheses are never empty")]
fn drawn<T: Copy>(things: &[T], weight: impl Fn(&T) -> f64, random: &mut Rng) -> T {
    let mut left = random.f64() * things.iter().map(&weight).sum::<f64>();
    let drawn = things.iter().find(|thing| {
        left -= weight(thing);
        left < 0.0
    });
    *drawn.or(things.last()).expect("things to draw from")
}
