//! The fingerprint of the knowledge: SHA-256 over what the files say, not over how they are written.

use std::{collections::BTreeMap, fmt::Write};

use sha2::{Digest, Sha256};
use toml::{Table, Value};

/// SHA-256 in hexadecimal over the canonical form of all files.
///
/// Canonical: files by name; in each, keys in alphabetical order and values as JSON writes them. Comments,
/// blank lines, quoting and the order of keys change nothing; every word and every figure does.
#[must_use]
pub fn fingerprint(tables: &BTreeMap<String, Table>) -> String {
    let mut text = String::new();
    for (name, table) in tables {
        write_json_text(&mut text, name);
        text.push('\n');
        write_table(&mut text, table);
        text.push('\n');
    }
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn write_table(into: &mut String, table: &Table) {
    let sorted: BTreeMap<&String, &Value> = table.iter().collect();
    into.push('{');
    for (number, (key, value)) in sorted.into_iter().enumerate() {
        if number > 0 {
            into.push(',');
        }
        write_json_text(into, key);
        into.push(':');
        write_value(into, value);
    }
    into.push('}');
}

fn write_value(into: &mut String, value: &Value) {
    // Writing to a String cannot fail.
    let _ = match value {
        Value::String(text) => {
            write_json_text(into, text);
            Ok(())
        }
        Value::Integer(number) => write!(into, "{number}"),
        Value::Float(number) => write!(into, "{number}"),
        Value::Boolean(answer) => write!(into, "{answer}"),
        Value::Datetime(moment) => write!(into, "\"{moment}\""),
        Value::Array(items) => {
            into.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    into.push(',');
                }
                write_value(into, item);
            }
            into.push(']');
            Ok(())
        }
        Value::Table(table) => {
            write_table(into, table);
            Ok(())
        }
    };
}

fn write_json_text(into: &mut String, text: &str) {
    into.push('"');
    for letter in text.chars() {
        match letter {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            control if (control as u32) < 0x20 => {
                // Writing to a String cannot fail.
                let _ = write!(into, "\\u{:04x}", control as u32);
            }
            other => into.push(other),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        fingerprint(&BTreeMap::from([("a.toml".to_owned(), toml::from_str::<Table>(text).unwrap())]))
    }

    #[test]
    fn only_what_is_said_counts() {
        let written = of("# why\nb = 0.50\na = \"x\"\n");
        assert_eq!(written, of("a = 'x'\nb = 0.5\n"));
        assert_ne!(written, of("a = 'x'\nb = 0.51\n"));
        assert_ne!(written, of("a = 'x '\nb = 0.5\n"));
        assert_eq!(written.len(), 64);
    }
}
