//! See `checks::load_catalogue`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coxa_fuzz::checks::load_catalogue(bytes));
