//! Refreshes that this process has begun and not finished. It must not end before they do: what Shopify has given is
//! to be stored.
//!
//! One count for the process, since it is the process that ends, by whatever way out of whatever command.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::watch;

static COUNT: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

/// A refresh under way, until this is dropped.
pub(super) struct UnderWay(());

impl UnderWay {
    pub(super) fn begin() -> Self {
        COUNT.send_modify(|count| *count += 1);
        Self(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        COUNT.send_modify(|count| *count -= 1);
    }
}

/// Waits until no refresh is under way, `limit` at most. Whether that came true.
pub(crate) async fn settled(limit: Duration) -> bool {
    let mut count = COUNT.subscribe();
    let none = count.wait_for(|count| *count == 0);
    matches!(tokio::time::timeout(limit, none).await, Ok(Ok(_)))
}
