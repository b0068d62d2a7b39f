//! The tiers of memory: plain computation, no I/O, no clock.

pub mod page;
