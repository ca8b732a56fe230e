//! A question: what it asks, and why.

use super::model::Hypothesis;
use crate::catalogue::{FindingIndex, vocabulary::FindingKind};

/// One question.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub ask: Ask,
    /// Why.
    pub why: Why,
    /// The information expected of the answer, in bits; 0 for questions of safety and profile.
    pub gain: f64,
    /// Conditions that the answer separates, the most affected first.
    pub separates: Vec<Hypothesis>,
}

/// What a question asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Age in years.
    Age,
    /// Sex.
    Sex,
    /// Which of several warning signs are present; the place of the screen in the catalogue.
    Screen(usize, Vec<FindingIndex>),
    /// Which of several findings of one topic are present.
    Checklist(Topic, Vec<FindingIndex>),
    /// Which one of several options holds; the place of the group in the catalogue.
    Choice(usize, Vec<FindingIndex>),
    /// Whether one finding is present.
    Finding(FindingIndex),
}

/// What the findings of a checklist have in common, so that a person can go through them in one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Where else it is felt.
    Places,
    /// What brings it on, and what eases it.
    Triggers,
    /// What would make it more urgent.
    Safety,
    /// What is felt.
    Sensations,
    /// How it began and went, and what the runner brings along.
    Background,
    /// What gentle tests show.
    SelfTests,
    /// What an examiner found or a scan showed.
    Examination,
}

impl Topic {
    /// The topic of a kind of finding.
    pub(super) const fn of(kind: FindingKind) -> Self {
        match kind {
            FindingKind::Location => Self::Places,
            FindingKind::Aggravating | FindingKind::Relieving => Self::Triggers,
            FindingKind::Symptom
            | FindingKind::Mechanical
            | FindingKind::Neurological
            | FindingKind::Systemic => Self::Sensations,
            FindingKind::Onset | FindingKind::History | FindingKind::RiskFactor => Self::Background,
            FindingKind::SelfTest => Self::SelfTests,
            FindingKind::ExamTest | FindingKind::Imaging => Self::Examination,
        }
    }

    /// The most findings that one checklist holds: tests take longer than a look.
    pub(super) const fn longest(self) -> usize {
        match self {
            Self::SelfTests => 4,
            Self::Safety
            | Self::Places
            | Self::Triggers
            | Self::Sensations
            | Self::Background
            | Self::Examination => 16,
        }
    }
}

/// Why a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A warning sign.
    Safety,
    /// Age and sex change what is likely and what must be asked.
    Profile,
    /// It separates conditions.
    Discriminates,
}
