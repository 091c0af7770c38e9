//! Receives SIGINT, SIGTERM and SIGHUP.

/// Makes a write past the limit of a file's size (`ulimit -f`) fail like any other. By default the system ends the process,
/// and what was half written stays.
pub(super) fn limits_are_errors() {
    // SIGXFSZ has this number on both; a handler that was set once stays.
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(25)));
}

/// Signals that ask to stop. Made once, so that none gets lost between two of them.
pub(super) struct Signals {
    #[cfg(unix)]
    streams: Vec<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Self { streams: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
    }

    pub(super) async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let any = self.streams.iter_mut().any(|stream| stream.poll_recv(context).is_ready());
            if any { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> Self {
        Self {}
    }

    pub(super) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
