//! The shipped catalogue and cases over it, for tests of the pure core.

#![allow(dead_code, clippy::panic, reason = "each test binary uses its own part, and fails by panicking")]

use std::sync::LazyLock;

use coxa::{
    assessment::{Answer, Assessment, Case, Hypothesis, Model, assess},
    catalogue::{Catalogue, embedded, vocabulary::Sex},
};

/// The shipped catalogue and its model.
pub static KNOWLEDGE: LazyLock<(Catalogue, Model)> = LazyLock::new(|| {
    let catalogue = Catalogue::compile(&embedded()).unwrap_or_else(|faults| panic!("{faults}"));
    let model = Model::new(&catalogue);
    (catalogue, model)
});

/// A case over the shipped catalogue.
pub fn case<'a>(
    age: Option<u8>,
    sex: Option<Sex>,
    present: impl IntoIterator<Item = &'a str>,
    absent: impl IntoIterator<Item = &'a str>,
) -> Case {
    let catalogue = &KNOWLEDGE.0;
    let mut case = Case::new(age, sex);
    let present = present.into_iter().map(|id| (id, Answer::Present));
    for (id, answer) in present.chain(absent.into_iter().map(|id| (id, Answer::Absent))) {
        let finding = catalogue.finding_index(id).unwrap_or_else(|| panic!("no finding {id}"));
        case.answer(catalogue, finding, answer).unwrap_or_else(|conflict| panic!("{id}: {conflict:?}"));
    }
    case
}

/// A case assessed over the shipped catalogue.
pub fn assessed(case: &Case) -> Assessment {
    assess(&KNOWLEDGE.0, &KNOWLEDGE.1, case)
}

/// The id of a hypothesis' condition.
pub fn id(hypothesis: Hypothesis) -> &'static str {
    KNOWLEDGE.0.condition_at(KNOWLEDGE.1.condition(hypothesis)).id.as_str()
}

/// The hypothesis of a condition.
pub fn hypothesis(condition: &str) -> Hypothesis {
    let found = KNOWLEDGE.1.hypotheses().find(|(hypothesis, _)| id(*hypothesis) == condition);
    found.unwrap_or_else(|| panic!("no hypothesis {condition}")).0
}
