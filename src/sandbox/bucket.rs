//! The rate limit bucket of a shop. Pure: times are passed in, in milliseconds.

use serde_json::{Value, json};

use super::store::BucketSize;

/// The level of a bucket at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    level: f64,
    at: u64,
}

impl Bucket {
    pub(super) fn full(size: BucketSize, now: u64) -> Self {
        Self { level: f64::from(size.max), at: now }
    }

    /// Refills the bucket for the time since the last call.
    pub(super) fn refill(&mut self, size: BucketSize, now: u64) {
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 ms")]
        let elapsed = now.saturating_sub(self.at) as f64 / 1000.0;
        self.level = (self.level + elapsed * f64::from(size.restore)).min(f64::from(size.max));
        self.at = now;
    }

    pub(super) fn has(&self, cost: u32) -> bool {
        self.level >= f64::from(cost)
    }

    /// Lowers the level below `cost`, as if another client of the app had just used the bucket.
    pub(super) fn starve(&mut self, cost: u32) {
        self.level = self.level.min(f64::from(cost) - 1.0).max(0.0);
    }

    pub(super) fn take(&mut self, cost: u32) {
        self.level = (self.level - f64::from(cost)).max(0.0);
    }

    /// The level in whole points.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= level <= u32::MAX")]
    pub(super) fn whole(&self) -> u32 {
        self.level.floor() as u32
    }

    /// `extensions.cost` of a response.
    pub(super) fn report(&self, size: BucketSize, requested: u32, actual: Option<u32>) -> Value {
        json!({
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": f64::from(size.max),
                // Shopify returns whole points.
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
    fn a_bucket_refills_with_time_up_to_its_size() {
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
