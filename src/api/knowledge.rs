//! One catalogue ready to answer: compiled, with its own answers rendered once and kept; and the one that is in use.

use std::{
    collections::HashMap,
    future::{Ready, ready},
    ops::Deref,
    sync::{Arc, OnceLock},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use arc_swap::ArcSwap;
use serde::Serialize;

use super::{
    problem::{Problem, ProblemKind},
    representation::Representation,
};
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

/// The knowledge in use. It is swapped whole while requests go on; copies share it.
#[derive(Debug, Clone)]
pub struct LiveKnowledge(Arc<ArcSwap<Knowledge>>);

impl LiveKnowledge {
    /// Begins with some knowledge.
    #[must_use]
    pub fn new(knowledge: Knowledge) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(knowledge)))
    }

    /// What requests are answered with from now on, until it is replaced.
    #[must_use]
    pub fn current(&self) -> Arc<Knowledge> {
        self.0.load_full()
    }

    /// Replaces it for all requests that begin from now on; those that have begun end with the old one.
    pub fn replace(&self, knowledge: Knowledge) {
        self.0.store(Arc::new(knowledge));
    }
}

/// The knowledge that one request is answered with. It is taken once, so that no answer mixes two versions.
#[derive(Debug, Clone)]
pub struct Current(Arc<Knowledge>);

impl Deref for Current {
    type Target = Knowledge;

    fn deref(&self) -> &Knowledge {
        &self.0
    }
}

impl FromRequest for Current {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The application is never built without it.
        let live = request.app_data::<web::Data<LiveKnowledge>>();
        ready(live.map(|live| Self(live.current())).ok_or_else(|| {
            Problem::new(ProblemKind::InternalError, "the service has no catalogue; others are not affected")
        }))
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
