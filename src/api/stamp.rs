//! The stamp of the knowledge that goes with every answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalogue::Catalogue;

/// Which catalogue an answer rests on: with it the same request gives the same answer years later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatalogueStamp {
    /// Version of the catalogue.
    pub version: String,
    /// SHA-256 over its content, in hexadecimal.
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
}

impl CatalogueStamp {
    /// The stamp of a catalogue.
    #[must_use]
    pub fn of(catalogue: &Catalogue) -> Self {
        Self { version: catalogue.about().version.clone(), sha256: catalogue.sha256().to_owned() }
    }
}
