//! The closed lists of words that the catalogue uses: levels, grades, kinds, stages, bands.
//!
//! Each word has one spelling in TOML (kebab-case) and one on the wire (`as_str`, snake_case).

use serde::Deserialize;

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $wire:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$word_doc])* $word),+ }

        impl $name {
            /// Every word of the list, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The word as the API writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $wire),+ }
            }

            /// The word that the API writes as `text`, if any.
            #[must_use]
            pub fn from_wire(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

vocabulary! {
    /// How soon someone should be seen, from least to most.
    TriageLevel {
        /// Rest and care for oneself.
        SelfCare = "self_care",
        /// An ordinary appointment.
        Routine = "routine",
        /// Within days.
        Soon = "soon",
        /// The same day.
        Urgent = "urgent",
        /// Now, in an emergency department.
        Emergency = "emergency",
    }
}

vocabulary! {
    /// How good the evidence behind a figure is.
    Grade {
        /// Meta-analysis or systematic review.
        #[serde(rename = "A")]
        A = "A",
        /// Primary study.
        #[serde(rename = "B")]
        B = "B",
        /// Guideline, review or clinical reference statement.
        #[serde(rename = "C")]
        C = "C",
        /// Expert estimate.
        #[serde(rename = "D")]
        D = "D",
    }
}

vocabulary! {
    /// The tissue or system that a condition belongs to.
    Category {
        /// A muscle.
        Muscle = "muscle",
        /// A tendon.
        Tendon = "tendon",
        /// A bursa.
        Bursa = "bursa",
        /// A joint.
        Joint = "joint",
        /// A bone.
        Bone = "bone",
        /// A nerve.
        Nerve = "nerve",
        /// Pain felt here that comes from elsewhere.
        Referred = "referred",
        /// Disease of the whole body, or infection or tumour.
        Systemic = "systemic",
        /// A blood vessel.
        Vascular = "vascular",
    }
}

vocabulary! {
    /// What sort of thing a finding is.
    FindingKind {
        /// Where it hurts.
        Location = "location",
        /// How it began.
        Onset = "onset",
        /// What is felt.
        Symptom = "symptom",
        /// What makes it worse.
        Aggravating = "aggravating",
        /// What makes it better.
        Relieving = "relieving",
        /// Clicking, locking, giving way, snapping.
        Mechanical = "mechanical",
        /// Numbness, weakness, shooting pain.
        Neurological = "neurological",
        /// Fever and other signs of the whole body.
        Systemic = "systemic",
        /// How it went so far.
        History = "history",
        /// What makes a cause likelier.
        RiskFactor = "risk_factor",
        /// A test that a runner can do alone.
        SelfTest = "self_test",
        /// A test that an examiner does.
        ExamTest = "exam_test",
        /// The result of a scan.
        Imaging = "imaging",
    }
}

impl FindingKind {
    /// Who can answer: the runner, or someone who examined or scanned the runner.
    #[must_use]
    pub const fn examiner(self) -> Examiner {
        match self {
            Self::ExamTest | Self::Imaging => Examiner::Clinician,
            Self::Location
            | Self::Onset
            | Self::Symptom
            | Self::Aggravating
            | Self::Relieving
            | Self::Mechanical
            | Self::Neurological
            | Self::Systemic
            | Self::History
            | Self::RiskFactor
            | Self::SelfTest => Examiner::Oneself,
        }
    }
}

vocabulary! {
    /// Who looks at the hip.
    Examiner {
        /// The runner.
        Oneself = "self",
        /// A clinician.
        Clinician = "clinician",
    }
}

vocabulary! {
    /// How findings of one group hang together.
    GroupKind {
        /// At most one of them is present.
        SingleChoice = "single_choice",
        /// They tend to be seen together, so that each says less than it would alone.
        Correlated = "correlated",
    }
}

vocabulary! {
    /// The stages of care, in the order in which they are tried.
    Stage {
        /// Load, exercise, medicine by mouth, aids.
        Conservative = "conservative",
        /// A needle.
        Injection = "injection",
        /// An operation.
        Surgery = "surgery",
    }
}

vocabulary! {
    /// What the sources say of a step of escalation.
    Recommendation {
        /// Advised.
        Recommended = "recommended",
        /// Advised when its gate holds and someone weighed it.
        Conditional = "conditional",
        /// Advised against; listed so that the reason can be read.
        NotRecommended = "not_recommended",
    }
}

vocabulary! {
    /// Sex, as far as it changes how often a condition is met.
    Sex {
        /// Female.
        Female = "female",
        /// Male.
        Male = "male",
    }
}

vocabulary! {
    /// The age bands over which pre-test probabilities differ, in years.
    AgeBand {
        /// Below 14.
        Under14 = "under_14",
        /// 14 to 17.
        From14To17 = "from_14_to_17",
        /// 18 to 39.
        From18To39 = "from_18_to_39",
        /// 40 to 59.
        From40To59 = "from_40_to_59",
        /// 60 and over.
        From60 = "from_60",
    }
}

impl AgeBand {
    /// The band of an age in years.
    #[must_use]
    pub const fn of(age: u8) -> Self {
        match age {
            0..14 => Self::Under14,
            14..18 => Self::From14To17,
            18..40 => Self::From18To39,
            40..60 => Self::From40To59,
            60.. => Self::From60,
        }
    }
}

vocabulary! {
    /// What part a condition plays in the ranking.
    Role {
        /// It is ranked.
        Ranked = "ranked",
        /// A name for several conditions; its probability is the sum of theirs.
        Umbrella = "umbrella",
        /// "None of these": its probability is what stays unexplained.
        Unexplained = "unexplained",
    }
}

vocabulary! {
    /// What sort of thing a treatment is.
    TreatmentClass {
        /// Explaining, resting, changing the load.
        EducationAndLoad = "education_and_load",
        /// Exercise.
        Exercise = "exercise",
        /// Something worn or held.
        PhysicalAid = "physical_aid",
        /// A medicine.
        Medicine = "medicine",
        /// Something done by a therapist without needle or knife.
        Procedure = "procedure",
        /// A scan, review or referral.
        ImagingOrReview = "imaging_or_review",
        /// An injection.
        Injection = "injection",
        /// An operation.
        Operation = "operation",
    }
}

vocabulary! {
    /// What sort of thing an exercise is.
    ExerciseKind {
        /// A stretch.
        Stretch = "stretch",
        /// Strengthening.
        Strength = "strength",
        /// A warm-up.
        WarmUp = "warm_up",
    }
}

vocabulary! {
    /// What sort of thing a prevention entry is.
    PreventionKind {
        /// A step that lowers the risk.
        Prevention = "prevention",
        /// A rule to run by.
        Rule = "rule",
    }
}

vocabulary! {
    /// How a treatment so far worked.
    Response {
        /// No better.
        None = "none",
        /// Somewhat better.
        Partial = "partial",
        /// Well again.
        Full = "full",
        /// Worse.
        Worse = "worse",
    }
}

vocabulary! {
    /// How much running is allowed, from most to least.
    Running {
        /// As before.
        Unrestricted = "unrestricted",
        /// Less, slower or flatter, by the rule for pain.
        Modified = "modified",
        /// No running or jumping; cycling, swimming and the like.
        NoImpact = "no_impact",
        /// No running and no loading until someone has looked.
        Stop = "stop",
    }
}

vocabulary! {
    /// Ways to look inside that a gate may ask for.
    Imaging {
        /// X-ray.
        Xray = "xray",
        /// Magnetic resonance imaging.
        Mri = "mri",
        /// Magnetic resonance imaging with contrast in the joint.
        MriArthrogram = "mri_arthrogram",
        /// Computed tomography.
        Ct = "ct",
        /// Ultrasound.
        Ultrasound = "ultrasound",
        /// Fluid drawn from the joint with a needle.
        JointAspiration = "joint_aspiration",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_from_least_to_most_urgent() {
        assert!(TriageLevel::ALL.is_sorted());
        assert!(TriageLevel::SelfCare < TriageLevel::Routine && TriageLevel::Urgent < TriageLevel::Emergency);
    }

    #[test]
    fn every_age_falls_into_the_band_that_names_it() {
        let edges = [
            (0, AgeBand::Under14),
            (13, AgeBand::Under14),
            (14, AgeBand::From14To17),
            (17, AgeBand::From14To17),
            (18, AgeBand::From18To39),
            (39, AgeBand::From18To39),
            (40, AgeBand::From40To59),
            (59, AgeBand::From40To59),
            (60, AgeBand::From60),
            (255, AgeBand::From60),
        ];
        for (age, band) in edges {
            assert_eq!(AgeBand::of(age), band);
        }
    }

    #[test]
    fn words_survive_the_wire() {
        for level in TriageLevel::ALL {
            assert_eq!(TriageLevel::from_wire(level.as_str()), Some(*level));
        }
        assert_eq!(TriageLevel::from_wire("panic"), None);
    }
}
