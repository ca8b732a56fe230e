//! `GET /v1/questionnaire`: all that a phone needs to ask without a connection and send the answers later.

use actix_web::{HttpRequest, HttpResponse, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    findings::OnlyForView,
    interview::{Wording, reason, why, wording},
    knowledge::{Current, Knowledge},
    list,
    openapi::ListProblems,
    problem::Problem,
    query::Parameters,
    stamp::CatalogueStamp,
};
use crate::{
    assessment::{Ask, Model, PlannedQuestion, Topic, Why, level_alone, questionnaire},
    catalogue::{
        Catalogue, FindingIndex,
        entry::Measure,
        vocabulary::{Examiner, TriageLevel},
    },
};

/// Every question in the order of asking.
#[derive(Debug, Serialize, ToSchema)]
pub struct Questionnaire<'a> {
    /// The questions: warning signs, age and sex first, then numbers that an app may know, then what tells causes apart
    /// best.
    pub questions: Vec<QuestionnaireQuestion<'a>>,
    /// How to go through them.
    pub rules: Vec<&'static str>,
    /// What each triage level means, the most urgent first: to be shown where an option says that it leads to one.
    pub levels: Vec<LevelMeaning>,
    /// What this is and is not; show it before the first question.
    pub disclaimer: &'a str,
    /// The catalogue behind them: with another version, fetch them anew.
    pub catalogue: CatalogueStamp,
}

/// What a triage level means.
#[derive(Debug, Serialize, ToSchema)]
pub struct LevelMeaning {
    /// The level.
    pub level: &'static str,
    /// What to do.
    pub action: &'static str,
}

/// One question.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionnaireQuestion<'a> {
    /// Its id, the same as long as the catalogue is.
    pub id: String,
    /// The question in plain words.
    pub text: &'a str,
    /// Why it is asked: `safety`, `profile` or `discriminates`.
    pub why: &'static str,
    /// The reason in plain words.
    pub reason: String,
    /// How it is answered: `number` and `sex` go into the field named by `field`; `yes_no_unknown`, `one_of` and `any_of`
    /// go into `present`, `absent` and `unknown`, as the options say.
    pub answer: &'static str,
    /// Where the answer goes in an assessment, for `number` and `sex`: `age`, `sex`, or a field of `measures`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// For a `number`: what is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<NumberRange<'a>>,
    /// Who can answer: `self` or `clinician`.
    pub asked_of: &'static str,
    /// The findings that it asks for.
    pub options: Vec<QuestionnaireOption<'a>>,
}

/// Which numbers an answer may be.
#[derive(Debug, Serialize, ToSchema)]
pub struct NumberRange<'a> {
    /// The unit.
    pub unit: &'a str,
    /// The least.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

/// One finding that a question asks for, and when to skip it.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionnaireOption<'a> {
    /// The finding.
    pub finding: &'a str,
    /// Its short name.
    pub label: &'a str,
    /// The question for it alone.
    pub question: &'a str,
    /// How to answer it, or to test it safely.
    pub help: &'a str,
    /// Skip it for anyone else. A part of the profile that is not known skips nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_for: Option<OnlyForView>,
    /// Skip it where every measure of one of these lists was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settled_by: Vec<Vec<String>>,
    /// The triage level that a yes leads to by itself in any adult, where that is above `routine`: `emergency` ends the
    /// questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_alone: Option<&'static str>,
    /// Whether it is a test that must not be tried without a connection: an assessment says under
    /// `interview.locked_tests` when it is safe.
    pub loading_test: bool,
    /// Whether a yes puts the case out of scope: ask only the remaining `safety` questions then.
    pub ends_scope: bool,
}

/// How to go through the questions without a connection, in the order of their weight.
const RULES: [&str; 8] = [
    "Ask in this order, and send what you have at any time: every answer to POST /v1/assessments is a whole one.",
    "When an option with level_alone is answered yes, show the action of that level, and stop asking where it is emergency. Only an assessment weighs several answers together: levels alone never say that all is well.",
    "When an option with ends_scope is answered yes, ask the remaining safety questions only.",
    "Put each answered option into present or absent, and into unknown where the runner does not know. What was not asked stays out of all three: it is not absent.",
    "Of a one_of question put the chosen option into present and leave the others out; where none fits, put all into absent; where the runner does not know, put all into unknown.",
    "Where age or sex is not told, put age or sex into unknown. A number that is not known is left out.",
    "Skip an option that only_for, settled_by or loading_test holds back, a question that is left without options, and every question for a clinician unless one answers.",
    "Once a connection is there, go on with interview.next_question of the answer: it asks fewer questions than this list.",
];

/// Get every question in the order of asking
#[utoipa::path(get, path = "/v1/questionnaire", operation_id = "getQuestionnaire", tag = "assessment",
    description = "All that a phone needs to ask without a connection and send the answers later: every question with its options, reasons and skip conditions. Keep it by its entity tag; it changes with the catalogue alone. With a connection the interview of an assessment asks fewer questions.",
    responses((status = 200, description = "The questions", body = Questionnaire), ListProblems))]
#[routes]
#[get("/v1/questionnaire")]
#[head("/v1/questionnaire")]
pub(super) async fn get_questionnaire(
    request: HttpRequest,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    Ok(list::respond(&request, &knowledge, || body(&knowledge)))
}

fn body(knowledge: &Knowledge) -> Questionnaire<'_> {
    let catalogue = knowledge.catalogue();
    let mut questions: Vec<QuestionnaireQuestion<'_>> = Vec::new();
    for planned in questionnaire(catalogue, knowledge.model()) {
        // Numbers spare questions, and no number comes before a warning sign.
        let asked = questions.iter().any(|question| question.answer == "number" && question.id != "age");
        if planned.why == Why::Discriminates && !asked {
            questions.extend(catalogue.measures().iter().map(measure));
        }
        let kind = kind(catalogue, &planned.ask);
        let same = questions.iter().filter(|other| other.id.starts_with(&kind)).count();
        let id = if same == 0 { kind } else { format!("{kind}-{}", same + 1) };
        questions.push(question(catalogue, knowledge.model(), &planned, id));
    }
    Questionnaire {
        questions,
        rules: RULES.to_vec(),
        levels: TriageLevel::ALL.iter().rev().map(|level| meaning(*level)).collect(),
        disclaimer: &catalogue.about().disclaimer,
        catalogue: CatalogueStamp::of(catalogue),
    }
}

const fn meaning(level: TriageLevel) -> LevelMeaning {
    let action = match level {
        TriageLevel::Emergency => "Go to an emergency department now.",
        TriageLevel::Urgent => "Stop running and be seen today.",
        TriageLevel::Soon => "Be seen within days; an assessment says whether to stop running.",
        TriageLevel::Routine => "Make an ordinary appointment if it does not ease.",
        TriageLevel::SelfCare => "Rest and care for yourself; answer again if it changes.",
    };
    LevelMeaning { level: level.as_str(), action }
}

/// What an id begins with.
fn kind(catalogue: &Catalogue, ask: &Ask) -> String {
    match ask {
        Ask::Age => "age".into(),
        Ask::Sex => "sex".into(),
        Ask::Screen(place, _) => {
            catalogue.screens().get(*place).map_or_else(String::new, |screen| format!("screen-{}", screen.id))
        }
        Ask::Choice(place, _) => {
            catalogue.groups().get(*place).map_or_else(String::new, |group| format!("choice-{}", group.id))
        }
        Ask::Finding(finding) => format!("finding-{}", catalogue.finding_at(*finding).id),
        Ask::Checklist(topic, _) => {
            let topic = match topic {
                Topic::Places => "places",
                Topic::Triggers => "triggers",
                Topic::Safety => "safety",
                Topic::Sensations => "sensations",
                Topic::Background => "background",
                Topic::SelfTests => "self-tests",
                Topic::Examination => "examination",
            };
            format!("checklist-{topic}")
        }
    }
}

fn question<'a>(
    catalogue: &'a Catalogue,
    model: &Model,
    planned: &PlannedQuestion,
    id: String,
) -> QuestionnaireQuestion<'a> {
    let Wording { text, answer, options } = wording(catalogue, &planned.ask);
    let ages = catalogue.about().supported_ages;
    let range = NumberRange { unit: "years", least: ages.from.into(), most: ages.to.into() };
    QuestionnaireQuestion {
        field: matches!(planned.ask, Ask::Age | Ask::Sex).then(|| id.clone()),
        range: (planned.ask == Ask::Age).then_some(range),
        id,
        text,
        why: why(planned.why),
        reason: reason(catalogue, &planned.ask, planned.why, &[]),
        answer,
        asked_of: planned.asked_of.as_str(),
        options: options.iter().map(|finding| option(catalogue, model, *finding)).collect(),
    }
}

fn option<'a>(catalogue: &'a Catalogue, model: &Model, index: FindingIndex) -> QuestionnaireOption<'a> {
    let finding = catalogue.finding_at(index);
    QuestionnaireOption {
        finding: finding.id.as_str(),
        label: &finding.label,
        question: &finding.question,
        help: &finding.help,
        only_for: finding.only_for.map(OnlyForView::from),
        settled_by: catalogue
            .measures()
            .iter()
            .flat_map(|measure| measure.rules.iter().map(move |rule| (measure, rule)))
            .filter(|(_, rule)| rule.finding == finding.id)
            .map(|(measure, rule)| {
                let compared = rule.relative_to.as_ref().map(|other| other.as_str().replace('-', "_"));
                [field(measure)].into_iter().chain(compared).collect()
            })
            .collect(),
        level_alone: level_alone(catalogue, model, index).map(TriageLevel::as_str),
        loading_test: finding.loading_test,
        ends_scope: finding.out_of_scope.is_some(),
    }
}

fn measure(measure: &Measure) -> QuestionnaireQuestion<'_> {
    QuestionnaireQuestion {
        id: format!("measure-{}", measure.id),
        text: &measure.question,
        why: "discriminates",
        reason: "Where an app knows this number, it need not ask for what follows from it.".into(),
        answer: "number",
        field: Some(format!("measures.{}", field(measure))),
        range: Some(NumberRange { unit: &measure.unit, least: measure.least, most: measure.most }),
        asked_of: Examiner::Oneself.as_str(),
        options: Vec::new(),
    }
}

/// The name of a measure on the wire.
fn field(measure: &Measure) -> String {
    measure.id.as_str().replace('-', "_")
}
