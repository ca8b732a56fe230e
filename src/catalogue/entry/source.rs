//! Sources: `sources.toml`.

use serde::Deserialize;

use super::super::id::SourceId;

/// A publication, page or estimate: an entry of `sources.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Who wrote it.
    pub authors: String,
    /// Its title.
    pub title: String,
    /// Journal or organisation.
    pub published_in: String,
    /// Year, or `not stated`.
    pub year: String,
    /// DOI, PubMed Central id or address; empty where there is none.
    pub locator: String,
    /// What sort of thing it is.
    pub kind: String,
    /// What it is used for here.
    pub used_for: String,
    /// Whether it was read, or is cited from memory.
    pub read: SourceRead,
    /// What was read of it.
    pub extent_read: String,
    /// Whether its identifier was looked up.
    pub identifier_checked: bool,
}

/// Whether a source was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceRead {
    /// At least in part.
    Seen,
    /// Cited from memory: verify before use.
    FromMemory,
    /// Nothing to read: a judgement.
    NotApplicable,
}

impl SourceRead {
    /// The word as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::FromMemory => "from_memory",
            Self::NotApplicable => "not_applicable",
        }
    }
}
