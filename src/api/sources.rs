//! `GET /v1/sources`: what stands behind the figures.

use actix_web::{HttpRequest, HttpResponse, routes, web};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    knowledge::Current,
    list::{self, list},
    openapi::{EntryProblems, ListProblems},
    problem::Problem,
    query::Parameters,
    stamp::CatalogueStamp,
    unknown_id,
};
use crate::catalogue::{Catalogue, entry::Source, id::SourceId, relevance};

/// A publication, page or estimate behind a figure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
pub struct SourceView<'a> {
    /// Its id.
    pub id: &'a str,
    /// Who wrote it.
    pub authors: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Journal or organisation.
    pub published_in: &'a str,
    /// Year of publication, or `not stated`.
    pub year: &'a str,
    /// DOI, PubMed Central id or address; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locator: Option<&'a str>,
    /// What sort of source it is.
    pub kind: &'a str,
    /// What it is used for here.
    pub used_for: &'a str,
    /// Whether it was read for this catalogue: `seen`, `from_memory` (verify before use) or `not_applicable`.
    pub read: &'static str,
    /// How much of it was read.
    pub extent_read: &'a str,
    /// Whether its identifier was looked up; `false` means that it is from memory.
    pub identifier_checked: bool,
}

impl<'a> From<&'a Source> for SourceView<'a> {
    fn from(source: &'a Source) -> Self {
        Self {
            id: source.id.as_str(),
            authors: &source.authors,
            title: &source.title,
            published_in: &source.published_in,
            year: &source.year,
            locator: (!source.locator.is_empty()).then_some(source.locator.as_str()),
            kind: &source.kind,
            used_for: &source.used_for,
            read: source.read.as_str(),
            extent_read: &source.extent_read,
            identifier_checked: source.identifier_checked,
        }
    }
}

list! {
    /// Sources.
    SourceList of SourceView
}

/// One source with the catalogue's stamp.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceDetail<'a> {
    /// The source.
    #[serde(flatten)]
    pub source: SourceView<'a>,
    /// Conditions whose entries name it.
    pub conditions: Vec<&'a str>,
    /// The catalogue behind it.
    pub catalogue: CatalogueStamp,
}

/// Filters of the list of sources.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query; it is read by `Parameters`, which names every fault")]
pub struct SourceQuery {
    /// Words to look for in authors and titles; typing errors are forgiven.
    #[param(required = false, max_length = 100, example = "labral")]
    q: String,
    /// How many entries at most.
    #[param(required = false, minimum = 1, maximum = 1000, example = 20)]
    limit: u32,
    /// How many entries to pass over first.
    #[param(required = false, minimum = 0, maximum = 1_000_000, example = 0)]
    offset: u32,
}

/// List the sources behind the figures
#[utoipa::path(get, path = "/v1/sources", operation_id = "listSources", tag = "catalogue", params(SourceQuery),
    description = "Publications, pages and estimates behind the figures of the catalogue, each with what was really read of it.",
    responses((status = 200, description = "Sources in the order of their ids, or by relevance for a search", body = SourceList), ListProblems))]
#[routes]
#[get("/v1/sources")]
#[head("/v1/sources")]
pub(super) async fn list_sources(request: HttpRequest, knowledge: Current) -> Result<HttpResponse, Problem> {
    let mut query = Parameters::of(&request, &["q", "limit", "offset"])?;
    let (q, page) = (query.text("q"), query.page());
    query.end()?;
    let catalogue = knowledge.catalogue();
    Ok(list::respond(&request, &knowledge, || {
        let found = super::found(catalogue.sources(), q.as_deref(), |source, q| {
            relevance(q, [source.id.as_str(), &source.title, &source.authors, &source.published_in])
        });
        SourceList::page(found.map(SourceView::from).collect(), page, catalogue)
    }))
}

/// Get one source
#[utoipa::path(get, path = "/v1/sources/{id}", operation_id = "getSource", tag = "catalogue",
    description = "One source, with the conditions whose entries name it.",
    params(("id" = String, Path, description = "Id of a source", max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "reiman-2013")),
    responses((status = 200, description = "The source", body = SourceDetail), EntryProblems))]
#[routes]
#[get("/v1/sources/{id}")]
#[head("/v1/sources/{id}")]
pub(super) async fn get_source(
    request: HttpRequest,
    id: web::Path<String>,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let catalogue = knowledge.catalogue();
    let source = catalogue.source(&id).ok_or_else(|| {
        unknown_id("source", &id, catalogue.sources().iter().map(|source| source.id.as_str()))
    })?;
    Ok(list::respond(&request, &knowledge, || SourceDetail {
        source: source.into(),
        conditions: catalogue
            .conditions()
            .iter()
            .filter(|condition| super::conditions::sources_of(condition).any(|id| *id == source.id))
            .map(|condition| condition.id.as_str())
            .collect(),
        catalogue: CatalogueStamp::of(catalogue),
    }))
}

/// The sources with these ids, in the order of their ids, each once.
pub(super) fn resolve<'a>(
    catalogue: &'a Catalogue,
    ids: impl Iterator<Item = &'a SourceId>,
) -> Vec<SourceView<'a>> {
    let mut ids: Vec<&SourceId> = ids.collect();
    ids.sort();
    ids.dedup();
    ids.into_iter().filter_map(|id| catalogue.source(id.as_str())).map(SourceView::from).collect()
}

/// Source ids as the wire has them.
pub(super) fn ids(sources: &[SourceId]) -> Vec<&str> {
    sources.iter().map(SourceId::as_str).collect()
}
