//! Runs work for many shops concurrently, a bounded number at a time. A failure of one shop does not affect another.

use std::future::Future;

use tokio::task::JoinSet;

/// Runs `work` for every item, at most `parallelism` at a time, and returns the results in the order of the items.
/// Besides the results, only items in progress are in memory, so memory does not grow with the data that `work` reads.
pub(crate) async fn for_each_bounded<I, T, W, F>(items: Vec<I>, parallelism: usize, work: W) -> Vec<T>
where
    I: Send + 'static,
    T: Send + 'static,
    W: Fn(I) -> F,
    F: Future<Output = T> + Send + 'static,
{
    let mut results: Vec<Option<T>> = items.iter().map(|_| None).collect();
    let mut running: JoinSet<(usize, T)> = JoinSet::new();
    let mut waiting = items.into_iter().enumerate();
    loop {
        while running.len() < parallelism.max(1) {
            let Some((at, item)) = waiting.next() else { break };
            let job = work(item);
            running.spawn(async move { (at, job.await) });
        }
        match running.join_next().await {
            Some(Ok((at, result))) => {
                if let Some(slot) = results.get_mut(at) {
                    *slot = Some(result);
                }
            }
            // Tasks are never cancelled. A panic in a task is a bug and must not be treated as a result.
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            // Every item has a result. Unlike `flatten`, `map_while` reuses the memory of the list.
            None => return results.into_iter().map_while(|result| result).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn results_keep_their_order_and_the_bound_is_kept() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let results = for_each_bounded((0..50_usize).collect(), 4, |n| {
            let (now, most) = (now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // The later ones finish first.
                for _ in 0..(50 - n) {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                n
            }
        })
        .await;
        assert_eq!(results, (0..50).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 4);
    }
}
