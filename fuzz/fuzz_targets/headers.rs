//! See `checks::headers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coxa_fuzz::checks::headers(coxa_fuzz::address(), bytes));
