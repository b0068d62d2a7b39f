//! libFuzzer's way into `memoryos::fuzzing::texts`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| memoryos::fuzzing::texts(bytes));
