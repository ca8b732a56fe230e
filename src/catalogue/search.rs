//! A search that forgives typing errors.

/// How well `texts` answer a search for `query`: `None` where they do not, else a number that is smaller
/// the better they fit.
///
/// Every word of the query must be met by a word of the texts: as itself, as its beginning, or with a slip
/// or two in a longer word. Case, hyphens and apostrophes do not count.
pub fn relevance<'a>(query: &str, texts: impl IntoIterator<Item = &'a str>) -> Option<u32> {
    let texts: Vec<&str> = texts.into_iter().collect();
    // "shock-wave" may stand for two words or for one.
    let apart = matched(&words(query), &texts);
    let joined = query.contains('-').then(|| matched(&words(&query.replace('-', "")), &texts)).flatten();
    apart.into_iter().chain(joined).min()
}

fn matched(wanted: &[String], texts: &[&str]) -> Option<u32> {
    if wanted.is_empty() {
        return Some(0);
    }
    texts
        .iter()
        .enumerate()
        .filter_map(|(place, text)| {
            let mut here = words(text);
            let said = here.len();
            if text.contains('-') {
                here.extend(words(&text.replace('-', "")));
            }
            let mut total = 0;
            for word in wanted {
                total += here.iter().filter_map(|candidate| word_cost(word, candidate)).min()?;
            }
            // A text that says more than was asked for fits a little less; later texts weigh less too.
            let surplus = u32::try_from(said.saturating_sub(wanted.len())).unwrap_or(u32::MAX).min(9);
            let place = u32::try_from(place).unwrap_or(u32::MAX).min(9);
            Some(total * 100 + surplus * 10 + place)
        })
        .min()
}

fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .replace(['\'', '\u{2019}'], "")
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(64)
        .map(ToOwned::to_owned)
        .collect()
}

fn word_cost(wanted: &str, candidate: &str) -> Option<u32> {
    if wanted == candidate {
        return Some(0);
    }
    let letters = wanted.chars().count();
    if letters >= 3 && candidate.starts_with(wanted) {
        return Some(1);
    }
    let slips = match letters {
        0..=3 => return None,
        4..=7 => 1,
        _ => 2,
    };
    if candidate.chars().count().abs_diff(letters) > slips {
        return None;
    }
    let distance = strsim::damerau_levenshtein(wanted, candidate);
    (distance <= slips).then(|| 2 + u32::try_from(distance).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_forgiven_and_other_words_are_not() {
        let texts = ["Runner's hip", "Acetabular labral tear"];
        assert!(relevance("runners hip", texts).is_some());
        assert!(relevance("labarl tear", texts).is_some());
        assert!(relevance("lab", texts).is_some());
        assert!(relevance("shock-wave", ["Shockwave therapy"]).is_some());
        assert!(relevance("shockwave", ["Shock-wave therapy"]).is_some());
        assert!(relevance("knee", texts).is_none());
        assert!(relevance("labral hip", texts).is_none(), "words of two texts are not one match");
        assert_eq!(relevance("", texts), Some(0));
    }

    #[test]
    fn an_exact_name_comes_before_a_near_one() {
        let exact = relevance("hip strain", ["Hip strain"]).unwrap();
        let near = relevance("hip strain", ["Hip strains of the groin"]).unwrap();
        assert!(exact < near);
    }
}
