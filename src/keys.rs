//! API keys: how a new one is made, and how the settings hold one.
//!
//! The settings hold the SHA-256 of a key and never the key. Whether a request bears one is asked in
//! `api::access`.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

use sha2::{Digest, Sha256};
use thiserror::Error;

/// What every key begins with, so that tools that look for leaked secrets find it.
const PREFIX: &str = "coxa_";

/// Random bytes of a key: 256 bits, which nobody guesses.
const RANDOM_BYTES: usize = 32;

/// The longest name of a key, in characters.
const LONGEST_NAME: usize = 64;

/// A key as the settings hold it, written `name:sha256`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// Whose key it is: letters, digits, `.`, `_` and `-`, at most 64 of them.
    pub name: String,
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
}

/// Why an entry is refused. It never holds the entry: somebody may have put a key there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// There is no name, or it has other characters, or it is too long.
    #[error("the name of a key has 1 to {LONGEST_NAME} letters, digits, dots, underscores and hyphens")]
    Name,
    /// What follows the name is no SHA-256 in hex.
    #[error("an entry is `name:sha256`, with the SHA-256 of the key as 64 hex digits")]
    Sha256,
}

impl KeyEntry {
    /// The entry of a key.
    ///
    /// # Errors
    /// [`KeyFault::Name`] when the name is not plain.
    pub fn of(name: &str, key: &str) -> Result<Self, KeyFault> {
        let plain = (1..=LONGEST_NAME).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if !plain {
            return Err(KeyFault::Name);
        }
        Ok(Self { name: name.to_owned(), sha256: Sha256::digest(key).into() })
    }
}

impl FromStr for KeyEntry {
    type Err = KeyFault;

    fn from_str(text: &str) -> Result<Self, KeyFault> {
        let (name, digits) = text.split_once(':').ok_or(KeyFault::Sha256)?;
        let mut entry = Self::of(name, "")?;
        entry.sha256 = from_hex(digits).ok_or(KeyFault::Sha256)?;
        Ok(entry)
    }
}

impl fmt::Display for KeyEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.name, to_hex(&self.sha256))
    }
}

/// A new key from the random numbers of the operating system.
///
/// # Errors
/// When the operating system has none to give.
pub fn new_key() -> Result<String, getrandom::Error> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random)?;
    Ok(format!("{PREFIX}{}", to_hex(&random)))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn from_hex(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_random_and_bears_the_prefix() {
        let (one, other) = (new_key().unwrap(), new_key().unwrap());
        assert_ne!(one, other);
        let random = one.strip_prefix("coxa_").unwrap();
        assert_eq!(from_hex(random).unwrap().len() * 8, 256);
    }

    #[test]
    fn an_entry_survives_being_written() {
        let entry = KeyEntry::of("phone-app", "abc").unwrap();
        // The SHA-256 of `abc` as FIPS 180 gives it.
        let written = "phone-app:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(entry.to_string(), written);
        assert_eq!(written.parse(), Ok(entry.clone()));
        assert_eq!(written.replace("bf8f", "BF8F").parse(), Ok(entry));
    }

    #[test]
    fn an_entry_that_is_not_one_is_refused() {
        let digits = "a".repeat(64);
        for (text, fault) in [
            (digits.clone(), KeyFault::Sha256),
            ("name:".into(), KeyFault::Sha256),
            (format!("name:{}", "a".repeat(63)), KeyFault::Sha256),
            (format!("name:{}", "g".repeat(64)), KeyFault::Sha256),
            (format!("name:+{}", "a".repeat(63)), KeyFault::Sha256),
            (format!("name:{}", "é".repeat(32)), KeyFault::Sha256),
            (format!(":{digits}"), KeyFault::Name),
            (format!("two words:{digits}"), KeyFault::Name),
            (format!("{}:{digits}", "a".repeat(65)), KeyFault::Name),
        ] {
            assert_eq!(text.parse::<KeyEntry>(), Err(fault), "{text}");
        }
    }
}
