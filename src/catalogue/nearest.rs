//! "Did you mean": the known word nearest to one that is not known.

/// The largest edit distance at which two words are still taken for one another.
pub const LARGEST_DISTANCE: usize = 3;

/// The known word nearest to `word`, if any is near enough to be what was meant.
///
/// Spelling of separators (`_`, space) and case does not count as a difference. The distance counts
/// swapped neighbours as one slip; at most [`LARGEST_DISTANCE`] slips, and no more than a third of the
/// longer word, are forgiven. Ties go to the alphabetically first.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer words cannot be ids: refusing them first bounds the cost for hostile input.
    if word.len() > 2 * super::id::LONGEST_ID {
        return None;
    }
    let written = normalise(word);
    known
        .into_iter()
        .filter_map(|candidate| {
            let wanted = normalise(candidate);
            let (letters, wanted_letters) = (written.chars().count(), wanted.chars().count());
            let allowed = LARGEST_DISTANCE.min(letters.max(wanted_letters) / 3);
            if letters.abs_diff(wanted_letters) > allowed {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&written, &wanted);
            (distance <= allowed).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

fn normalise(word: &str) -> String {
    word.chars()
        .map(|letter| if matches!(letter, '_' | ' ') { '-' } else { letter })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_forgiven_and_a_stranger_is_not() {
        let known = ["loc-groin", "loc-lateral", "pain-stairs"];
        assert_eq!(nearest("loc-gorin", known), Some("loc-groin"));
        assert_eq!(nearest("LOC_GROIN", known), Some("loc-groin"));
        assert_eq!(nearest("headache", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }
}
