//! See `checks::escalation_body`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coxa_fuzz::checks::escalation_body(coxa_fuzz::address(), bytes));
