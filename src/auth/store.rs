//! The token store: a file with the tokens of each shop, shared by all processes that use it at the same time.
//!
//! - A pair of tokens is on the disk before it is used: the file is replaced atomically, and the file and its folder
//!   are synced.
//! - Only one task of one process refreshes a shop at a time: Shopify rotates the refresh token with each use, so a
//!   second refresher would be left with an invalid one (documented).
//! - A file that is not a token store, is damaged or has a newer format is not changed.
//!
//! There are two kinds of lock in `<path>.locks/`: a shop's, held during its refresh, and the file's, held for one
//! write. They are taken in this order, and the holder of the second waits for no lock, so no deadlock is possible.
//! This module sends no requests and reads no clock: the caller decides when an entry is due and how it is refreshed.

mod commit;
mod document;
mod error;
mod file;
mod folder;
mod lock;

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::model::ShopDomain;
use commit::{Change, Commits, Did};
use document::Document;
pub(crate) use error::StoreError;
use file::StoreFile;
use lock::{Lock, Patience};

/// The longest wait for a lock.
const PATIENCE: Duration = Duration::from_mins(2);
/// The longest pause between two attempts to take a shop's lock, which is held during a request to Shopify.
const BEAT: Duration = Duration::from_millis(200);
/// The maximum number of concurrent refreshes. Each keeps a file open beside its connection, and many systems allow
/// 1024.
const REFRESHES_AT_A_TIME: usize = 128;

/// The refreshes of this process: a token issued by Shopify must be stored before the process ends. There is one
/// tracker for the process, because any command may end it.
static REFRESHES: LazyLock<TaskTracker> = LazyLock::new(TaskTracker::new);

/// Waits until no refresh is in progress, for at most `limit`. Returns whether there is none.
pub(crate) async fn settled(limit: Duration) -> bool {
    REFRESHES.close();
    tokio::time::timeout(limit, REFRESHES.wait()).await.is_ok()
}

/// The tokens of one shop.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) access_token: SecretString,
    /// The granted scopes.
    pub(crate) scopes: Vec<String>,
    pub(crate) obtained_at: Timestamp,
    /// `None` for a token without expiry.
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) refresh: Option<Refresh>,
    /// The id of the user of an online token.
    pub(crate) online_user: Option<String>,
    /// The app that the token belongs to.
    pub(crate) client_id: Option<String>,
}

/// The refresh token of an expiring token.
#[derive(Debug, Clone)]
pub(crate) struct Refresh {
    pub(crate) token: SecretString,
    pub(crate) expires_at: Option<Timestamp>,
    /// The previous refresh token, which stays valid until the new pair is used, and is kept until then.
    pub(crate) previous: Option<SecretString>,
}

/// Why a fresh entry is unavailable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FreshError<E> {
    /// The store cannot be read or written. After a refresh the new pair is lost; the stored one stays valid, because
    /// the new one was not used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The refresh failed; the store is unchanged.
    #[error("{0}")]
    Refresh(E),
}

/// The token store at a path. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    commits: Arc<Commits>,
    refreshes: Arc<Semaphore>,
    limit: Duration,
}

impl Store {
    /// Creates the store without touching the file.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self::with_limit(path, PATIENCE)
    }

    /// Like `new`. `limit`: the longest wait for a lock.
    fn with_limit(path: PathBuf, limit: Duration) -> Self {
        let commits = Arc::new(Commits::new(StoreFile::new(path), limit));
        Self { inner: Arc::new(Inner { commits, refreshes: Arc::new(Semaphore::new(REFRESHES_AT_A_TIME)), limit }) }
    }

    /// Returns the shop's current entry in the file.
    pub(crate) async fn get(&self, shop: &ShopDomain) -> Result<Option<Entry>, StoreError> {
        let (commits, shop) = (Arc::clone(&self.inner.commits), shop.clone());
        let read = tokio::task::spawn_blocking(move || commits.file().read().map(|document| document.get(&shop)));
        read.await.unwrap_or_else(|_| Err(self.stopped()))
    }

    /// Replaces the shop's entry. It is on the disk when this returns. A refresh in progress then drops its pair,
    /// because this one comes from a newer login.
    pub(crate) async fn put(&self, shop: &ShopDomain, entry: Entry) -> Result<(), StoreError> {
        let shop = shop.clone();
        self.change(Box::new(move |document| {
            document.put(&shop, entry);
            Did::Change
        }))
        .await
        .map(drop)
    }

    /// Checks, as far as possible, that `put` will succeed: takes the file's lock, reads the file, and writes its
    /// content to a temporary file that is removed again.
    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        self.change(Box::new(|_| Did::Rehearse)).await.map(drop)
    }

    /// Returns the shop's entry, refreshed first if `is_due` returns true; `None` if the shop has none.
    ///
    /// `refresh` is called at most once, and by one task of one process at a time for a shop. Other callers wait for it
    /// and get the entry that it stored. `refresh` receives the entry, with the refresh token and the previous one. If
    /// its result has no previous token, the refresh token that it received is kept as the previous one. The new pair
    /// is on the disk when this returns.
    ///
    /// Dropping the future while it waits for its turn cancels it. After `refresh` was called, the refresh is completed
    /// and stored even if the future is dropped, while the runtime lives: `settled` waits for that.
    pub(crate) async fn fresh<E, F>(
        &self,
        shop: &ShopDomain,
        is_due: impl Fn(&Entry) -> bool,
        refresh: impl FnOnce(Entry) -> F + Send + 'static,
    ) -> Result<Option<Entry>, FreshError<E>>
    where
        E: Send + 'static,
        F: Future<Output = Result<Entry, E>> + Send,
    {
        match self.get(shop).await? {
            Some(entry) if is_due(&entry) => {}
            other => return Ok(other),
        }
        let path = self.inner.commits.file().lock(shop.as_str())?;
        let patience = Patience { beat: BEAT, limit: self.inner.limit };
        let lock = lock::take(path, patience, Some(&self.inner.refreshes)).await?;
        let old = match self.get(shop).await? {
            Some(entry) if is_due(&entry) => entry,
            other => return Ok(other),
        };
        let (me, shop) = (self.clone(), shop.clone());
        let task = REFRESHES.spawn(async move { me.refresh(&shop, old, lock, refresh).await });
        match task.await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(self.stopped().into()),
        }
    }

    async fn refresh<E, F>(
        &self,
        shop: &ShopDomain,
        old: Entry,
        lock: Lock,
        refresh: impl FnOnce(Entry) -> F,
    ) -> Result<Option<Entry>, FreshError<E>>
    where
        F: Future<Output = Result<Entry, E>>,
    {
        let mut new = refresh(old.clone()).await.map_err(FreshError::Refresh)?;
        keep_previous(&old, &mut new);
        let (of, pair) = (shop.clone(), new.clone());
        let change: Change = Box::new(move |document: &mut Document| {
            if !document.get(&of).is_some_and(|now| same_pair(&now, &old)) {
                return Did::Nothing;
            }
            document.put(&of, pair);
            Did::Change
        });
        match self.inner.commits.submit(change, Some(lock)).await? {
            Did::Change => Ok(Some(new)),
            Did::Nothing | Did::Rehearse => Ok(self.get(shop).await?),
        }
    }

    /// Records that the pair with this access token was used successfully, which makes the previous refresh token
    /// obsolete. Writes nothing if there is no previous token.
    pub(crate) async fn used(&self, shop: &ShopDomain, access_token: &SecretString) -> Result<(), StoreError> {
        if !self.get(shop).await?.is_some_and(|entry| has_previous(&entry, access_token)) {
            return Ok(());
        }
        let (shop, access_token) = (shop.clone(), access_token.clone());
        self.change(Box::new(move |document| {
            let Some(mut entry) = document.get(&shop).filter(|entry| has_previous(entry, &access_token)) else {
                return Did::Nothing;
            };
            entry.refresh = entry.refresh.map(|refresh| Refresh { previous: None, ..refresh });
            document.put(&shop, entry);
            Did::Change
        }))
        .await
        .map(drop)
    }

    async fn change(&self, change: Change) -> Result<Did, StoreError> {
        self.inner.commits.submit(change, None).await
    }

    fn stopped(&self) -> StoreError {
        StoreError::Stopped { path: self.inner.commits.file().path().display().to_string() }
    }
}

/// Keeps the refresh token that was just used, which stays valid until the new pair is used (Shopify's changelog "more
/// resilient refreshes", 2026-08-28).
fn keep_previous(old: &Entry, new: &mut Entry) {
    if let (Some(old), Some(new)) = (&old.refresh, &mut new.refresh)
        && new.previous.is_none()
        && !same(&old.token, &new.token)
    {
        new.previous = Some(old.token.clone());
    }
}

fn has_previous(entry: &Entry, access_token: &SecretString) -> bool {
    same(&entry.access_token, access_token) && entry.refresh.as_ref().is_some_and(|refresh| refresh.previous.is_some())
}

fn same_pair(one: &Entry, other: &Entry) -> bool {
    same(&one.access_token, &other.access_token)
        && match (&one.refresh, &other.refresh) {
            (Some(one), Some(other)) => same(&one.token, &other.token),
            (one, other) => one.is_none() && other.is_none(),
        }
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

#[cfg(test)]
#[path = "store/store_test.rs"]
mod tests;

#[cfg(test)]
#[path = "store/sharing_test.rs"]
mod sharing_tests;
