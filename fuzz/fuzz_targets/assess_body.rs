//! See `checks::assess_body`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coxa_fuzz::checks::assess_body(bytes));
