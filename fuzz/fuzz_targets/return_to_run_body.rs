//! See `checks::return_to_run_body`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coxa_fuzz::checks::return_to_run_body(
    coxa_fuzz::address(),
    bytes
));
