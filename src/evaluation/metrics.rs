//! The arithmetic of evaluation: proportions with their uncertainty, and calibration.

use serde::Serialize;

/// The 97.5th centile of the normal distribution, for 95 % intervals.
const Z: f64 = 1.959_963_984_540_054;

/// A count out of a total, with its Wilson 95 % interval.
///
/// Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc 1927.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Proportion {
    /// How many.
    pub count: usize,
    /// Out of how many.
    pub of: usize,
    /// The share, from 0 to 1; 0 out of 0 is 0.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Proportion {
    /// `count` out of `of`.
    #[must_use]
    pub fn new(count: usize, of: usize) -> Self {
        if of == 0 {
            return Self { count, of, share: 0.0, low: 0.0, high: 1.0 };
        }
        let (share, total) = (ratio(count, of), float(of));
        let centre = share + Z * Z / (2.0 * total);
        let spread = Z * libm::sqrt(share * (1.0 - share) / total + Z * Z / (4.0 * total * total));
        let scale = 1.0 + Z * Z / total;
        Self {
            count,
            of,
            share,
            low: ((centre - spread) / scale).max(0.0),
            high: ((centre + spread) / scale).min(1.0),
        }
    }

    /// How many of `items` pass `test`.
    pub fn among<T>(items: impl IntoIterator<Item = T>, test: impl Fn(&T) -> bool) -> Self {
        let (mut count, mut of) = (0, 0);
        for item in items {
            of += 1;
            count += usize::from(test(&item));
        }
        Self::new(count, of)
    }
}

/// Predictions of about the same probability, and how often they were right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// The least probability of the bin.
    pub from: f64,
    /// How many predictions fall into it.
    pub count: usize,
    /// Their mean probability.
    pub predicted: f64,
    /// The share of them that was right.
    pub observed: f64,
}

/// Predictions in ten equal bins from 0 to 1; empty bins are left out.
#[must_use]
pub fn calibration_bins(predictions: &[(f64, bool)]) -> Vec<CalibrationBin> {
    (0_u8..10)
        .filter_map(|bin| {
            let from = f64::from(bin) / 10.0;
            let last = bin == 9;
            let inside: Vec<&(f64, bool)> = predictions
                .iter()
                .filter(|(probability, _)| *probability >= from && (last || *probability < from + 0.1))
                .collect();
            if inside.is_empty() {
                return None;
            }
            let count = inside.len();
            let predicted = inside.iter().map(|(probability, _)| probability).sum::<f64>() / float(count);
            let right = inside.iter().filter(|(_, right)| *right).count();
            Some(CalibrationBin { from, count, predicted, observed: ratio(right, count) })
        })
        .collect()
}

/// The mean distance between predicted and observed over the bins, weighted by their counts.
#[must_use]
pub fn expected_calibration_error(bins: &[CalibrationBin]) -> f64 {
    let total: usize = bins.iter().map(|bin| bin.count).sum();
    bins.iter().map(|bin| ratio(bin.count, total) * (bin.predicted - bin.observed).abs()).sum()
}

/// The mean squared distance between predicted probability and what came (0 or 1).
#[must_use]
pub fn brier_score(predictions: &[(f64, bool)]) -> f64 {
    let squared = predictions.iter().map(|(probability, right)| {
        let distance = probability - f64::from(u8::from(*right));
        distance * distance
    });
    mean(squared)
}

/// The mean of some numbers; 0 of none.
pub fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for number in numbers {
        sum += number;
        count += 1;
    }
    if count == 0 { 0.0 } else { sum / float(count) }
}

fn ratio(count: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { float(count) / float(of) }
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        let eight_of_ten = Proportion::new(8, 10);
        assert!((eight_of_ten.low - 0.490_16).abs() < 1e-4 && (eight_of_ten.high - 0.943_32).abs() < 1e-4);
        let none = Proportion::new(0, 20);
        assert!(none.low.abs() < 1e-12 && (none.high - 0.161_13).abs() < 1e-4);
    }

    #[test]
    fn perfect_and_worst_predictions_have_the_scores_they_should() {
        assert!(brier_score(&[(1.0, true), (0.0, false)]).abs() < 1e-12);
        assert!((brier_score(&[(1.0, false)]) - 1.0).abs() < 1e-12);
        let bins = calibration_bins(&[(0.95, true), (0.95, false), (0.05, false)]);
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 2]);
        assert!((expected_calibration_error(&bins) - (0.05 / 3.0 + 0.45 * 2.0 / 3.0)).abs() < 1e-12);
    }
}
