//! The shapes of the knowledge, as curators write it in TOML and as the rest of the program reads it.
//!
//! A value of these types is well formed (ids are ids, probabilities are probabilities). Whether it is
//! sound beside all the others is the business of [`check`](super::check).

mod about;
mod care;
mod condition;
mod finding;
mod red_flag;
mod source;

pub use self::{
    about::{
        About, EvaluationNotes, GradeMeaning, LikelihoodWord, PerAgeBand, PerSex, Population, SupportedAges,
    },
    care::{Circumstance, Contraindication, Exercise, Prevention, Progression, TrainingRule, Treatment},
    condition::{
        Codes, Condition, Course, Evidence, Gate, ImagingGate, InjectionCaps, PreTest, Raise, Step, Urgency,
    },
    finding::{Background, Finding, Group, Measure, MeasureRule, OnlyFor, Screen},
    red_flag::RedFlag,
    source::{Source, SourceRead},
};
