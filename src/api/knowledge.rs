//! One catalogue ready to answer: compiled, with its own answers rendered once and kept.

use std::{collections::HashMap, sync::OnceLock};

use serde::Serialize;

use super::representation::Representation;
use crate::{
    assessment::Model,
    catalogue::{Catalogue, CatalogueFile, Faults},
};

/// A catalogue, its model and its rendered answers. Immutable, shared by all workers.
#[derive(Debug)]
pub struct Knowledge {
    catalogue: Catalogue,
    model: Model,
    rendered: HashMap<String, OnceLock<Representation>>,
}

impl Knowledge {
    /// Compiles a catalogue.
    ///
    /// # Errors
    /// [`Faults`] with every fault of the catalogue.
    pub fn compile(files: &[CatalogueFile]) -> Result<Self, Faults> {
        let catalogue = Catalogue::compile(files)?;
        let model = Model::new(&catalogue);
        let rendered = paths(&catalogue).map(|path| (path, OnceLock::new())).collect();
        Ok(Self { catalogue, model, rendered })
    }

    /// The catalogue.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Its model.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The answer at a path, rendered by `make` the first time it is asked for.
    ///
    /// None for a path that is not one of the catalogue's own; nothing that a client sends can add one.
    pub fn rendered<T: Serialize>(&self, path: &str, make: impl FnOnce() -> T) -> Option<&Representation> {
        self.rendered.get(path).map(|place| place.get_or_init(|| Representation::json(&make())))
    }
}

fn paths(catalogue: &Catalogue) -> impl Iterator<Item = String> {
    let lists = [
        "catalogue",
        "model-card",
        "conditions",
        "findings",
        "measures",
        "questionnaire",
        "treatments",
        "exercises",
        "prevention",
        "red-flags",
        "return-to-run",
        "sources",
    ];
    let conditions = catalogue.conditions().iter().flat_map(|condition| {
        [format!("conditions/{}", condition.id), format!("conditions/{}/escalation", condition.id)]
    });
    let findings = catalogue.findings().iter().map(|finding| format!("findings/{}", finding.id));
    let treatments = catalogue.treatments().iter().map(|treatment| format!("treatments/{}", treatment.id));
    let exercises = catalogue.exercises().iter().map(|exercise| format!("exercises/{}", exercise.id));
    let sources = catalogue.sources().iter().map(|source| format!("sources/{}", source.id));
    lists
        .into_iter()
        .map(ToOwned::to_owned)
        .chain(conditions)
        .chain(findings)
        .chain(treatments)
        .chain(exercises)
        .chain(sources)
        .map(|path| format!("/v1/{path}"))
}
