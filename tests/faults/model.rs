//! Random operations on one to four open handles of a user against the naive model: over a disk
//! that works, and over one that fails.

use faults::{Fault, Lasts, Op, Rule};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::driver::{Driver, Step, sound_step};
use crate::support::{n_points, seed};

/// Runs `n` random cases; a failing one is shortened, and its seed is told.
fn run<S: Strategy>(n: usize, steps: &S, check: impl Fn(S::Value))
where
    S::Value: Clone,
{
    let config = Config {
        cases: u32::try_from(n).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(steps, |steps| {
        check(steps);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("with MEMORYOS_FAULT_SEED={}: {failure}", seed());
    }
}

fn rule() -> impl Strategy<Value = Rule> {
    const OPS: [&[Op]; 9] = [
        &[Op::Write],
        &[Op::Sync],
        &[Op::Write, Op::Sync],
        &[Op::Write, Op::Sync, Op::Truncate, Op::Delete],
        &[Op::Truncate, Op::Delete],
        &[Op::Lock],
        &[Op::Shm],
        &[Op::Open],
        &[Op::Read],
    ];
    const FILES: [&str; 4] = ["", "memory.db", "-wal", "static-128.db"];
    let fault = prop_oneof![
        2 => Just(Fault::Full), 2 => Just(Fault::Io), 1 => Just(Fault::ReadOnly),
        1 => Just(Fault::Busy),
    ];
    let times = prop_oneof![3 => (1..4_u64).prop_map(Lasts::Times), 1 => Just(Lasts::Onward)];
    let which = (prop::sample::select(&OPS[..]), prop::sample::select(&FILES[..]));
    (which, 0..16_u64, fault, times).prop_map(|((ops, file), after, fault, lasts)| {
        // Somebody else lets go some time; a disk may fail for good.
        let busy = fault == Fault::Busy;
        let lasts = if busy { Lasts::Times(2) } else { lasts };
        Rule { ops, file, thread: None, after, fault, lasts }
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => sound_step(),
        7 => rule().prop_map(Step::Fail),
        5 => Just(Step::Heal),
        1 => (0..40_u64).prop_map(|after| Step::Die { after }),
    ]
}

#[test]
fn whatever_is_done_on_however_many_handles_every_page_is_there_in_order() {
    let steps = (1..5_usize, prop::collection::vec(sound_step(), 5..30));
    run(n_points(60), &steps, |(n_handles, steps)| Driver::new(n_handles, false).run(&steps));
}

#[test]
fn whatever_fails_meanwhile_the_answers_are_true() {
    let steps = (1..4_usize, prop::collection::vec(any_step(), 5..25));
    run(n_points(80), &steps, |(n_handles, steps)| Driver::new(n_handles, true).run(&steps));
}
