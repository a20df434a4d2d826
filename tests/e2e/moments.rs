//! Moments that look random and are the same in each run of the tests.

use std::time::Duration;

/// The same moments for the same seed (SplitMix64).
pub(crate) struct Moments(pub(crate) u64);

impl Moments {
    /// The next one within this time.
    pub(crate) fn next_within(&mut self, whole: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let nanoseconds = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(mixed % nanoseconds.max(1))
    }
}
