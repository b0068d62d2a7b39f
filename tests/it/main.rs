//! The real binary through its pipes, the engine through its API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

mod backup;
mod bad_input;
mod busy;
mod command_line;
mod copies;
mod costs;
mod creating;
mod damage;
mod disk_full;
mod doctor;
mod doctor_files;
mod documents;
mod durable;
mod embeddings;
mod ending;
mod facts;
mod foreign;
mod forget;
mod forget_erase;
mod forget_model;
mod formats;
mod hostile;
mod isolation;
mod layers;
mod library;
mod log_damage;
mod model;
mod model_client;
mod order;
mod parity;
mod process_suite;
mod processes;
mod read_only;
mod recall;
mod regressions_damage;
mod regressions_folder;
mod remote_embeddings;
mod removed;
mod said;
mod selftest;
mod sockets;
mod streams;
mod support;
mod versions;
mod views;
mod wordpiece;
