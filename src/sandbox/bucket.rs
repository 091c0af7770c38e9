//! The cost bucket of one shop: arithmetic only, milliseconds passed in.

use serde_json::{Value, json};

use super::store::BucketSize;

/// What is in a shop's bucket, and when that was so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    level: f64,
    at: u64,
}

impl Bucket {
    pub(super) fn full(size: BucketSize, now: u64) -> Self {
        Self { level: f64::from(size.max), at: now }
    }

    /// Lets time pass.
    pub(super) fn refill(&mut self, size: BucketSize, now: u64) {
        // Exact below 2^53 ms, and a sandbox does not run that long.
        #[allow(clippy::cast_precision_loss)]
        let elapsed = now.saturating_sub(self.at) as f64 / 1000.0;
        self.level = (self.level + elapsed * f64::from(size.restore)).min(f64::from(size.max));
        self.at = now;
    }

    pub(super) fn has(&self, cost: u32) -> bool {
        self.level >= f64::from(cost)
    }

    /// As if another caller of the app had just taken so much that `cost` points are not there.
    pub(super) fn starve(&mut self, cost: u32) {
        self.level = self.level.min(f64::from(cost) - 1.0).max(0.0);
    }

    pub(super) fn take(&mut self, cost: u32) {
        self.level = (self.level - f64::from(cost)).max(0.0);
    }

    /// What is in it, in whole points.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 ≤ level ≤ u32::MAX
    pub(super) fn whole(&self) -> u32 {
        self.level.floor() as u32
    }

    /// `extensions.cost` of an answer.
    pub(super) fn report(&self, size: BucketSize, requested: u32, actual: Option<u32>) -> Value {
        json!({
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": f64::from(size.max),
                // Whole points, as Shopify shows them.
                "currentlyAvailable": self.whole(),
                "restoreRate": f64::from(size.restore),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills_with_time_and_never_past_its_size() {
        let size = BucketSize { max: 100, restore: 10 };
        let mut bucket = Bucket::full(size, 1_000);
        bucket.take(95);
        assert!(bucket.has(5) && !bucket.has(6));
        bucket.refill(size, 1_500);
        assert!(bucket.has(10) && !bucket.has(11));
        bucket.refill(size, 999_000);
        assert!(bucket.has(100) && !bucket.has(101));
        bucket.refill(size, 0);
        assert!(bucket.has(100));
    }
}
