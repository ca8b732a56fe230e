//! A report as text: for people at a terminal, and for the model card.

use std::fmt::Write;

use super::{
    metrics::Proportion,
    report::{Figures, Report},
};
use crate::catalogue::vocabulary::TriageLevel;

impl Report {
    /// The figures for a terminal; with `rows` also each vignette that was not ranked first or not triaged as wanted.
    #[must_use]
    pub fn to_text(&self, rows: bool) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut text, rows);
        text
    }

    /// The figures of each of `parts`, taken in turn by the order of the vignettes, beside the interval of all others.
    ///
    /// They describe how much the figures vary over the vignettes at hand; the catalogue is the same for every part.
    #[must_use]
    pub fn folds_to_text(&self, parts: usize) -> String {
        let mut text = format!("{parts} parts in turn, first places of each beside those of all others\n");
        for part in 0..parts {
            let inside = self.outcomes.iter().enumerate().filter(|(place, _)| place % parts == part);
            let outside = self.outcomes.iter().enumerate().filter(|(place, _)| place % parts != part);
            let own = Proportion::among(inside, |(_, outcome)| outcome.rank == 1);
            let rest = Proportion::among(outside, |(_, outcome)| outcome.rank == 1);
            let within = own.share >= rest.low && own.share <= rest.high;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  part {}: {} | others {} | {}",
                part + 1,
                share(own),
                share(rest),
                if within { "within their interval" } else { "OUTSIDE their interval" }
            );
        }
        text
    }

    fn write_text(&self, text: &mut String, rows: bool) -> std::fmt::Result {
        writeln!(
            text,
            "catalogue {} ({}), {} vignettes",
            self.catalogue_version,
            short(&self.catalogue_sha256),
            self.vignettes
        )?;
        write_figures(text, "all", &self.all)?;
        for (name, figures) in &self.by_set {
            write_figures(text, name, figures)?;
        }
        writeln!(text, "over-triage of harmless cases      {}", share(self.over_triage_of_harmless))?;
        writeln!(text, "urgent or emergency below soon     {}", share(self.dangerous_below_soon))?;
        writeln!(text, "running stopped as wanted          {}", share(self.stop_running_agrees))?;
        for (name, calibration) in
            [("first", &self.calibration_of_first), ("listed", &self.calibration_of_listed)]
        {
            writeln!(
                text,
                "calibration, {name:<6} conditions: Brier score {:.3}, expected calibration error {:.3}",
                calibration.brier, calibration.expected_calibration_error
            )?;
        }
        writeln!(text, "mean number of conditions listed with at least 5 %: {:.1}", self.mean_listed)?;
        if rows {
            for outcome in
                self.outcomes.iter().filter(|row| row.rank > 1 || row.under_triage || row.over_triage)
            {
                let sign = if outcome.under_triage {
                    "UNDER"
                } else if outcome.over_triage {
                    "OVER"
                } else {
                    ""
                };
                writeln!(
                    text,
                    "{} rank {} p {:.2} wants {} | {} | {} wanted {} {sign}",
                    outcome.id,
                    outcome.rank,
                    outcome.right_probability,
                    outcome.acceptable.join("/"),
                    outcome.first.join(", "),
                    outcome.given,
                    outcome.triage,
                )?;
            }
        }
        Ok(())
    }

    /// The figures as Markdown tables, for the model card.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_markdown(&mut text);
        text
    }

    fn write_markdown(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "Catalogue {}, SHA-256 `{}`, {} vignettes. Shares with Wilson 95 % intervals.\n",
            self.catalogue_version, self.catalogue_sha256, self.vignettes
        )?;
        writeln!(text, "| group | n | first | first three | first five | under-triage | over-triage |")?;
        writeln!(text, "| --- | --- | --- | --- | --- | --- | --- |")?;
        write_row(text, "all", &self.all)?;
        for (kind, groups) in [("set", &self.by_set), ("sex", &self.by_sex), ("age", &self.by_age)] {
            for (name, figures) in groups {
                write_row(text, &format!("{kind}: {name}"), figures)?;
            }
        }
        writeln!(text, "\n| figure | value |\n| --- | --- |")?;
        writeln!(
            text,
            "| over-triage of self-care and routine cases | {} |",
            share(self.over_triage_of_harmless)
        )?;
        writeln!(text, "| urgent and emergency cases below `soon` | {} |", share(self.dangerous_below_soon))?;
        writeln!(text, "| running stopped as wanted | {} |", share(self.stop_running_agrees))?;
        for (name, calibration) in [
            ("the first condition", &self.calibration_of_first),
            ("every condition with 1 % or more", &self.calibration_of_listed),
        ] {
            writeln!(text, "| Brier score, {name} | {:.3} |", calibration.brier)?;
            let error = calibration.expected_calibration_error;
            writeln!(text, "| expected calibration error (ten bins), {name} | {error:.3} |")?;
        }
        writeln!(text, "| conditions with at least 5 %, mean | {:.1} |", self.mean_listed)?;
        let outside = self
            .mean_unexplained_outside
            .map_or_else(|| "no such vignette".into(), |mean| format!("{mean:.3}"));
        writeln!(text, "| mean \"none of these\" where the catalogue has no right condition | {outside} |")?;
        writeln!(text, "| mean \"none of these\" elsewhere | {:.3} |", self.mean_unexplained_inside)?;
        for (name, calibration) in [
            ("the first condition", &self.calibration_of_first),
            ("every condition with 1 % or more", &self.calibration_of_listed),
        ] {
            writeln!(text, "\nProbability of {name} against how often it was right:\n")?;
            writeln!(text, "| from | n | predicted | observed |\n| --- | --- | --- | --- |")?;
            for bin in &calibration.bins {
                writeln!(
                    text,
                    "| {:.1} | {} | {:.2} | {:.2} |",
                    bin.from, bin.count, bin.predicted, bin.observed
                )?;
            }
        }
        writeln!(text, "\nTriage given (columns) for the level wanted (rows):\n")?;
        let levels = TriageLevel::ALL.iter().map(|level| level.as_str());
        writeln!(text, "| wanted | {} |", levels.clone().collect::<Vec<_>>().join(" | "))?;
        writeln!(text, "| --- |{}", " --- |".repeat(TriageLevel::ALL.len()))?;
        for wanted in levels.clone() {
            let row = self.confusion.get(wanted);
            let counts = levels
                .clone()
                .map(|given| row.and_then(|row| row.get(given)).copied().unwrap_or(0).to_string());
            writeln!(text, "| {wanted} | {} |", counts.collect::<Vec<_>>().join(" | "))?;
        }
        writeln!(text, "\n| right condition | n | first | first three |\n| --- | --- | --- | --- |")?;
        for (name, figures) in &self.by_condition {
            writeln!(
                text,
                "| {name} | {} | {} | {} |",
                figures.top_1.of, figures.top_1.count, figures.top_3.count
            )?;
        }
        Ok(())
    }
}

fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

fn share(proportion: Proportion) -> String {
    let Proportion { count, of, share, low, high } = proportion;
    format!("{:.1} % ({count} of {of}, {:.1}-{:.1} %)", share * 100.0, low * 100.0, high * 100.0)
}

fn write_figures(text: &mut String, name: &str, figures: &Figures) -> std::fmt::Result {
    writeln!(text, "{name}")?;
    for (label, proportion) in [
        ("right condition first", figures.top_1),
        ("among the first three", figures.top_3),
        ("among the first five", figures.top_5),
        ("under-triage", figures.under_triage),
        ("over-triage", figures.over_triage),
    ] {
        writeln!(text, "  {label:<32} {}", share(proportion))?;
    }
    Ok(())
}

fn write_row(text: &mut String, name: &str, figures: &Figures) -> std::fmt::Result {
    let cells =
        [figures.top_1, figures.top_3, figures.top_5, figures.under_triage, figures.over_triage].map(share);
    writeln!(text, "| {name} | {} | {} |", figures.top_1.of, cells.join(" | "))
}
