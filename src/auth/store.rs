//! The token store: a file of one's own tokens, one entry a shop, shared by whatever processes use it at a time.
//!
//! - A pair of tokens is on the disk before anybody uses it: the file is replaced whole, and it and its folder are
//!   synced.
//! - One refresher a shop, over tasks and processes: Shopify rotates the refresh token with each use, and a second
//!   refresher would be left with a dead one (shopify-admin-api.md, section 6).
//! - What is no token store, is damaged or newer is left as it is.
//!
//! Two kinds of lock, in `<path>.locks/`: a shop's, held while it is refreshed, and the file's, held for one write. They
//! are taken in this order, and whoever holds the second waits for nothing, so there is no circle. This room sends
//! nothing and looks at no clock: when an entry is due, and how it is refreshed, the caller says.

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

/// How long a lock is waited for.
const PATIENCE: Duration = Duration::from_mins(2);
/// The most between two tries for a shop's lock, which is held for a request to Shopify.
const BEAT: Duration = Duration::from_millis(200);
/// Shops that are refreshed at a time. Each keeps a file open beside its connection, and many systems allow 1024.
const REFRESHES_AT_A_TIME: usize = 128;

/// The refreshes that this process has begun: what Shopify has given must be stored before the process ends. One tracker
/// for the process, since every command may end it.
static REFRESHES: LazyLock<TaskTracker> = LazyLock::new(TaskTracker::new);

/// Waits until no refresh is under way, at most `limit`. Returns whether there is none.
pub(crate) async fn settled(limit: Duration) -> bool {
    REFRESHES.close();
    tokio::time::timeout(limit, REFRESHES.wait()).await.is_ok()
}

/// One shop's tokens.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) access_token: SecretString,
    /// As granted.
    pub(crate) scopes: Vec<String>,
    pub(crate) obtained_at: Timestamp,
    /// `None` for a token that does not end.
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) refresh: Option<Refresh>,
    /// The id of the user of an online token.
    pub(crate) online_user: Option<String>,
    /// The app that the token belongs to.
    pub(crate) client_id: Option<String>,
}

/// What an expiring token is renewed with.
#[derive(Debug, Clone)]
pub(crate) struct Refresh {
    pub(crate) token: SecretString,
    pub(crate) expires_at: Option<Timestamp>,
    /// The one before, which stays valid until the new pair was used, and is kept until then.
    pub(crate) previous: Option<SecretString>,
}

/// Why there is no fresh entry.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FreshError<E> {
    /// The store could not be read or written. After a refresh the new pair is lost, and the old one, which is still
    /// stored, remains valid, since the new one was not used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The refresh itself failed; the store is as it was.
    #[error("{0}")]
    Refresh(E),
}

/// The token store at one path. Cheap to clone.
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
    /// Touches nothing.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self::with_limit(path, PATIENCE)
    }

    /// `limit` is how long a lock is waited for.
    fn with_limit(path: PathBuf, limit: Duration) -> Self {
        let commits = Arc::new(Commits::new(StoreFile::new(path), limit));
        Self { inner: Arc::new(Inner { commits, refreshes: Arc::new(Semaphore::new(REFRESHES_AT_A_TIME)), limit }) }
    }

    /// The shop's entry as it stands in the file now.
    pub(crate) async fn get(&self, shop: &ShopDomain) -> Result<Option<Entry>, StoreError> {
        let (commits, shop) = (Arc::clone(&self.inner.commits), shop.clone());
        let read = tokio::task::spawn_blocking(move || commits.file().read().map(|document| document.get(&shop)));
        read.await.unwrap_or_else(|_| Err(self.stopped()))
    }

    /// Puts the entry in place of the shop's last one; on the disk when it returns. Goes ahead of a refresh that is under
    /// way, whose pair is dropped then: somebody logged in meanwhile.
    pub(crate) async fn put(&self, shop: &ShopDomain, entry: Entry) -> Result<(), StoreError> {
        let shop = shop.clone();
        self.change(Box::new(move |document| {
            document.put(&shop, entry);
            Did::Change
        }))
        .await
        .map(drop)
    }

    /// Makes sure, as far as that can be known before, that what is put will be kept: the file's lock is taken, the file
    /// read, and its content written beside it and taken away again.
    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        self.change(Box::new(|_| Did::Rehearse)).await.map(drop)
    }

    /// The shop's entry, refreshed first if `is_due` says so; `None` if it has none.
    ///
    /// `refresh` is called at most once, and by one task of one process at a time for a shop. Who had to wait for its
    /// turn gets the entry that the other one stored. `refresh` gets the entry, and with it the refresh token and the
    /// previous one. If what it returns names no previous token, the one that it was called with is kept as such. The new
    /// pair is on the disk when this returns.
    ///
    /// While this waits for its turn, dropping the future ends it. Once `refresh` was called, it is carried through and
    /// stored though nobody waits any more, as long as the runtime lives: `settled` waits for that.
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

    /// The pair with this access token was used with success: the refresh token before it is done with. Writes nothing if
    /// there is none.
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

/// The refresh token that was just used stays valid until the new pair is (changelog "more resilient refreshes",
/// 2026-08-28).
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
