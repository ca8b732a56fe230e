//! `GET /v1/red-flags`: the rules that overrule the ranking.

use actix_web::{HttpRequest, HttpResponse, routes};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    knowledge::Current,
    list::{self, list},
    openapi::ListProblems,
    problem::Problem,
    query::Parameters,
    sources,
};
use crate::catalogue::{
    entry::RedFlag,
    id::FindingId,
    relevance,
    vocabulary::{Sex, TriageLevel},
};

/// A rule that overrules the ranking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RedFlag)]
pub struct RedFlagView<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is about.
    pub concern: &'a str,
    /// Conditions that it guards against; empty means any.
    pub conditions: Vec<&'a str>,
    /// Findings that must all be present.
    pub all_of: Vec<&'a str>,
    /// Findings that must all be reported absent; unknown is not absent.
    pub all_absent: Vec<&'a str>,
    /// Findings of which at least `at_least` must be present.
    pub any_of: Vec<&'a str>,
    /// How many of `any_of`.
    #[schema(minimum = 0)]
    pub at_least: u8,
    /// From this age on, in years.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 120)]
    pub age_from: Option<u8>,
    /// Up to this age, in years.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 120)]
    pub age_to: Option<u8>,
    /// For this sex only: `female` or `male`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<&'static str>,
    /// How urgent the case is at least: `self_care`, `routine`, `soon`, `urgent` or `emergency`.
    pub level: &'static str,
    /// Whether running stops until someone has looked.
    pub stop_running: bool,
    /// What to do.
    pub action: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The sources.
    pub sources: Vec<&'a str>,
}

impl<'a> From<&'a RedFlag> for RedFlagView<'a> {
    fn from(rule: &'a RedFlag) -> Self {
        Self {
            id: rule.id.as_str(),
            concern: &rule.concern,
            conditions: rule.conditions.iter().map(|condition| condition.as_str()).collect(),
            all_of: rule.all_of.iter().map(FindingId::as_str).collect(),
            all_absent: rule.all_absent.iter().map(FindingId::as_str).collect(),
            any_of: rule.any_of.iter().map(FindingId::as_str).collect(),
            at_least: rule.at_least,
            age_from: rule.age_from,
            age_to: rule.age_to,
            sex: rule.sex.map(Sex::as_str),
            level: rule.level.as_str(),
            stop_running: rule.stop_running,
            action: &rule.action,
            reason: &rule.reason,
            sources: sources::ids(&rule.sources),
        }
    }
}

list! {
    /// Red-flag rules.
    RedFlagList of RedFlagView
}

/// Filters of the list of red-flag rules.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query; it is read by `Parameters`, which names every fault")]
pub struct RedFlagQuery {
    /// Words to look for in concerns and reasons; typing errors are forgiven.
    #[param(required = false, max_length = 100, example = "blood clot")]
    q: String,
    /// The level that the rule asks for.
    #[param(required = false, example = "emergency")]
    level: String,
    /// Only rules that guard against this condition.
    #[param(required = false, example = "femoral-neck-stress-fracture")]
    condition: String,
    /// How many entries at most.
    #[param(required = false, minimum = 1, maximum = 1000, example = 20)]
    limit: u32,
    /// How many entries to pass over first.
    #[param(required = false, minimum = 0, maximum = 1_000_000, example = 0)]
    offset: u32,
}

/// List the red-flag rules
#[utoipa::path(get, path = "/v1/red-flags", operation_id = "listRedFlags", tag = "catalogue", params(RedFlagQuery),
    description = "Rules over the findings that set a least triage level, whatever the ranking says.",
    responses((status = 200, description = "Rules in the order of their ids, or by relevance for a search", body = RedFlagList), ListProblems))]
#[routes]
#[get("/v1/red-flags")]
#[head("/v1/red-flags")]
pub(super) async fn list_red_flags(
    request: HttpRequest,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    let catalogue = knowledge.catalogue();
    let mut query = Parameters::of(&request, &["q", "level", "condition", "limit", "offset"])?;
    let q = query.text("q");
    let level = query.word("level", TriageLevel::ALL, TriageLevel::as_str);
    let ids = catalogue.conditions().iter().map(|condition| condition.id.as_str());
    let condition = query.id("condition", "a condition", ids);
    let page = query.page();
    query.end()?;
    Ok(list::respond(&request, &knowledge, || {
        let found = super::found(catalogue.red_flags(), q.as_deref(), |rule, q| {
            relevance(q, [rule.concern.as_str(), rule.id.as_str(), &rule.reason])
        })
        .filter(|rule| level.is_none_or(|level| rule.level == level))
        .filter(|rule| {
            condition.is_none_or(|id| rule.conditions.iter().any(|condition| condition.as_str() == id))
        });
        RedFlagList::page(found.map(RedFlagView::from).collect(), page, catalogue)
    }))
}
