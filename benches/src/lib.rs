//! What measurements share: an allocator that counts, and ratios that hold on a noisy machine.

pub mod allocations;
pub mod ratio;
