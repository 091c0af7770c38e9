//! The files of a state: a snapshot, a journal of later changes, and the log of requests.
//!
//! A request that changed something appends one line to the journal before it is answered, so an answered mutation survives
//! the process. The journal is merged into the snapshot when the state is opened and when it is closed. Each line names the
//! snapshot that it continues: if the process is killed after it wrote a new snapshot and before it emptied the journal, the
//! lines belong to the previous snapshot and are ignored. Only one process at a time can open a state.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::model::ShopDomain;
use crate::words;

use super::error::SandboxError;
use super::log::LoggedRequest;
use super::oauth::{Grants, TokenIssuer};
use super::store::{ShopStatus, StoredShop, World};
use super::subscription::Subscription;

pub(super) const FORMAT: u64 = 1;
/// How long to wait for another process that has the state open.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether to wait for a state that another process has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LockWait {
    Always,
    /// Wait unless that process has a server, which can be asked instead.
    UnlessServed,
}

/// The content of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// The format. The key identifies the file as a sandbox state.
    hookwright_sandbox: u64,
    /// Random. A plan for one sandbox is not applied to another.
    pub(super) id: String,
    /// The number of the snapshot that was read. `Files` continues the count.
    #[serde(default, skip_serializing)]
    snapshot: u64,
    #[serde(flatten)]
    pub(super) world: World,
}

impl State {
    /// An empty state.
    pub(super) fn new() -> Self {
        let id = format!("{:032x}", fastrand::u128(..));
        Self { hookwright_sandbox: FORMAT, id, snapshot: 0, world: World::default() }
    }

    /// The issuer of the tokens of this state.
    pub(super) fn token_issuer(&self) -> TokenIssuer<'_> {
        TokenIssuer::new(&self.id)
    }
}

/// The JSON of a snapshot.
#[derive(Serialize)]
struct Snapshot<'a> {
    snapshot: u64,
    #[serde(flatten)]
    state: &'a State,
}

/// The changes of a request to a shop.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Ids of the subscriptions that were created, changed or deleted.
    pub(super) ids: Vec<u64>,
    /// Whether the access of the app was changed.
    pub(super) access: bool,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.access
    }
}

impl From<Vec<u64>> for Changes {
    fn from(ids: Vec<u64>) -> Self {
        Self { ids, access: false }
    }
}

/// A line of the journal: the result of the changes of a request.
#[derive(Serialize, Deserialize)]
struct JournalLine {
    state: String,
    /// The number of the snapshot that it continues.
    #[serde(default)]
    snapshot: u64,
    shop: ShopDomain,
    put: Vec<Subscription>,
    gone: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access: Option<Access>,
}

/// The access of the app to a shop.
#[derive(Serialize, Deserialize)]
struct Access {
    status: ShopStatus,
    scopes: Vec<String>,
    grants: Grants,
}

/// The open files of a state.
#[derive(Debug)]
pub(super) struct Files {
    state: PathBuf,
    id: String,
    /// The number of the snapshot on disk.
    snapshot: u64,
    journal: File,
    log: File,
    /// Locked while `Files` exists. It contains the address of the server, if there is one.
    lock: File,
}

impl Files {
    /// Opens or creates the state at `path`. Also returns the number of requests in its log.
    pub(super) fn open(path: &Path, wait: LockWait) -> Result<(Self, State, u64), SandboxError> {
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(SandboxError::io(parent))?;
        }
        let found = read(path)?; // before anything is written next to a foreign file
        let lock = lock(path, wait)?;
        // Read again under the lock, because its previous owner may have written.
        let mut state = if found.is_some() || path.exists() { read(path)? } else { None }.unwrap_or_else(State::new);
        let journal_path = beside(path, "journal");
        let journal = append(&journal_path)?;
        fold(&journal_path, &mut state)?;
        let log_path = beside(path, "log.jsonl");
        let log = append(&log_path)?;
        let text = read_bytes(&log_path).map_err(SandboxError::io(&log_path))?;
        let lines = text.split(|byte| *byte == b'\n').count() as u64 - 1;
        let snapshot = std::mem::take(&mut state.snapshot);
        let mut files = Self { state: path.to_owned(), id: state.id.clone(), snapshot, journal, log, lock };
        files.save(&state)?;
        Ok((files, state, lines))
    }

    /// Writes the address of the server for other processes.
    pub(super) fn announce(&mut self, address: SocketAddr) -> io::Result<()> {
        write!(self.lock, "{address}")
    }

    /// Appends the changes of `shop` to the journal.
    pub(super) fn record(&mut self, domain: &ShopDomain, shop: &StoredShop, changes: &Changes) -> io::Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let ids = &changes.ids;
        let put: Vec<_> = ids.iter().filter_map(|id| shop.subscriptions.get(id).cloned()).collect();
        let gone: Vec<_> = ids.iter().copied().filter(|id| !shop.subscriptions.contains_key(id)).collect();
        let access = changes.access.then(|| Access {
            status: shop.status,
            scopes: shop.scopes.clone(),
            grants: shop.grants.clone(),
        });
        let (state, shop) = (self.id.clone(), domain.clone());
        write_line(&mut self.journal, &JournalLine { state, snapshot: self.snapshot, shop, put, gone, access })
    }

    /// Appends to the log of requests.
    pub(super) fn log(&mut self, entry: &LoggedRequest) -> io::Result<()> {
        write_line(&mut self.log, entry)
    }

    /// Empties the log of requests.
    pub(super) fn clear_log(&mut self) -> io::Result<()> {
        self.log.set_len(0)
    }

    /// Writes the snapshot by atomic replace and empties the journal.
    pub(super) fn save(&mut self, state: &State) -> Result<(), SandboxError> {
        let next = Snapshot { snapshot: self.snapshot + 1, state };
        let text = serde_json::to_vec_pretty(&next).map_err(io::Error::other).map_err(SandboxError::io(&self.state))?;
        let parent = self.state.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(parent)?;
            file.write_all(&text)?;
            file.persist(&self.state)?;
            Ok(())
        };
        write().map_err(SandboxError::io(&self.state))?;
        self.snapshot = next.snapshot;
        self.journal.set_len(0).map_err(SandboxError::io(&self.state))
    }
}

/// `<state>.<what>`
fn beside(state: &Path, what: &str) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

fn append(path: &Path) -> Result<File, SandboxError> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600); // like the snapshot: the journal contains tokens
    options.create(true).append(true).open(path).map_err(SandboxError::io(path))
}

/// Writes a line with one call, so that it survives a kill of the process and lines are never mixed.
fn write_line(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}

/// The key that identifies a sandbox state.
#[derive(Deserialize)]
struct FormatKey {
    hookwright_sandbox: u64,
}

/// Reads a file of the state.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    Ok(crate::files::read(path, crate::files::OWN)?)
}

/// Reads the state. Returns `None` if there is no file.
fn read(path: &Path) -> Result<Option<State>, SandboxError> {
    let text = match read_bytes(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SandboxError::io(path)(error)),
    };
    let key: FormatKey =
        serde_json::from_slice(&text).map_err(|_| SandboxError::NotAState { path: path.to_owned() })?;
    let damaged = |why: String| SandboxError::Damaged { path: path.to_owned(), why };
    if key.hookwright_sandbox != FORMAT {
        return Err(damaged(format!(
            "it has format {}, but this version of Hookwright supports only format {FORMAT}",
            key.hookwright_sandbox
        )));
    }
    serde_json::from_slice(&text).map(Some).map_err(|error| damaged(words::of_json(&error)))
}

/// Applies the lines of the journal that continue this snapshot of this state; the user may have removed the snapshot to
/// start over. An incomplete last line is dropped: the process was killed before it answered the request.
fn fold(path: &Path, state: &mut State) -> Result<(), SandboxError> {
    let text = read_bytes(path).map_err(SandboxError::io(path))?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    for line in text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: JournalLine = serde_json::from_slice(line)
            .map_err(|error| SandboxError::Damaged { path: path.to_owned(), why: words::of_json(&error) })?;
        if line.state != state.id || line.snapshot != state.snapshot {
            continue;
        }
        let shop = state.world.shop_mut(&line.shop);
        for subscription in line.put {
            shop.put(subscription);
        }
        for id in line.gone {
            shop.subscriptions.remove(&id);
        }
        if let Some(Access { status, scopes, grants }) = line.access {
            (shop.status, shop.scopes, shop.grants) = (status, scopes, grants);
        }
    }
    Ok(())
}

fn lock(state: &Path, wait: LockWait) -> Result<File, SandboxError> {
    let path = beside(state, "lock");
    let file = append(&path)?;
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(SandboxError::io(path))?;
                return Ok(file);
            }
            Err(TryLockError::Error(error)) => return Err(SandboxError::io(path)(error)),
            Err(TryLockError::WouldBlock) => {
                let server: Option<SocketAddr> = fs::read_to_string(&path).ok().and_then(|text| text.parse().ok());
                if Instant::now() >= deadline || (wait == LockWait::UnlessServed && server.is_some()) {
                    return Err(SandboxError::InUse { path: state.to_owned(), server });
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::subscription::Input;
    use super::*;

    fn domain() -> ShopDomain {
        ShopDomain::parse("acme").expect("domain")
    }

    #[test]
    fn recorded_changes_survive_a_kill_and_an_incomplete_line() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("deep/er/state.json");
        let (mut files, mut state, _) = Files::open(&path, LockWait::Always).expect("new");
        let mut shop_now = state.world.shop_mut(&domain()).clone();
        files.save(&state).expect("save");
        let shop_of = |state: &State| state.world.shops[&domain()].clone();
        let input = Input { uri: Some("https://a.example/".into()), ..Input::default() };
        let kept = shop_now.create("SHOP_UPDATE", input, "2026-01-01T00:00:00Z").expect("create");
        files.record(&domain(), &shop_now, &vec![kept, 99].into()).expect("record");
        write!(files.journal, "{{\"shop\":\"acme.mysho").expect("torn");
        drop(files); // like a kill: the journal is not merged

        let (files, state, _) = Files::open(&path, LockWait::Always).expect("again");
        assert_eq!(shop_of(&state), shop_now);
        drop(files);
        let (mut files, again, _) = Files::open(&path, LockWait::Always).expect("a third time");
        assert_eq!(again, state);
        files.record(&domain(), &shop_now, &vec![kept].into()).expect("record");
        drop(files);
        fs::remove_file(&path).expect("start over");
        let (_files, fresh, _) = Files::open(&path, LockWait::Always).expect("fresh");
        assert!(fresh.world.shops.is_empty() && fresh.id != state.id);
    }

    /// The content of the snapshot and the journal.
    fn saved(path: &Path) -> [Vec<u8>; 2] {
        [path.to_owned(), beside(path, "journal")].map(|file| fs::read(file).expect("read"))
    }

    #[test]
    fn a_kill_at_any_point_of_a_save_leaves_the_state_before_or_after_it() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("state.json");
        let (mut files, mut state, _) = Files::open(&path, LockWait::Always).expect("new");
        let shop = state.world.shop_mut(&domain());
        let input = Input { uri: Some("https://a.example/".into()), ..Input::default() };
        let id = shop.create("SHOP_UPDATE", input, "2026-01-01T00:00:00Z").expect("create");
        files.record(&domain(), shop, &vec![id].into()).expect("record");
        let [old_snapshot, old_journal] = saved(&path);
        // An edit is written as a snapshot at once.
        state.world.shop_mut(&domain()).subscriptions.remove(&id);
        files.save(&state).expect("save");
        let [new_snapshot, new_journal] = saved(&path);
        drop(files);
        for (snapshot, journal, left, when) in [
            (&old_snapshot, &old_journal, 1, "before the snapshot is replaced"),
            (&new_snapshot, &old_journal, 0, "before the journal is emptied"),
            (&new_snapshot, &new_journal, 0, "after both"),
        ] {
            fs::write(&path, snapshot).expect("write");
            fs::write(beside(&path, "journal"), journal).expect("write");
            for again in ["once", "twice"] {
                let (files, state, _) = Files::open(&path, LockWait::Always).expect("open");
                assert_eq!(state.world.shops[&domain()].subscriptions.len(), left, "{when}, opened {again}");
                drop(files);
            }
        }
        // Changes that are recorded after such a kill are kept.
        fs::write(&path, &new_snapshot).expect("write");
        fs::write(beside(&path, "journal"), &old_journal).expect("write");
        let (mut files, mut state, _) = Files::open(&path, LockWait::Always).expect("open");
        let shop = state.world.shop_mut(&domain());
        let input = Input { uri: Some("https://b.example/".into()), ..Input::default() };
        let id = shop.create("SHOP_UPDATE", input, "2026-01-01T00:00:00Z").expect("create");
        files.record(&domain(), shop, &vec![id].into()).expect("record");
        drop(files);
        let (_files, again, _) = Files::open(&path, LockWait::Always).expect("again");
        assert_eq!(again, state);
    }

    #[test]
    fn a_foreign_file_is_not_changed_and_only_one_process_opens_a_state() {
        let folder = tempfile::tempdir().expect("folder");
        let foreign = folder.path().join("package.json");
        for text in ["{\"name\": \"mine\"}", "", "not json"] {
            fs::write(&foreign, text).expect("write");
            assert!(matches!(Files::open(&foreign, LockWait::Always), Err(SandboxError::NotAState { .. })), "{text}");
            assert_eq!(fs::read_to_string(&foreign).expect("read"), text);
            assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1);
        }
        let ours = folder.path().join("state.json");
        let held = Files::open(&ours, LockWait::Always).expect("first");
        assert!(matches!(Files::open(&ours, LockWait::Always), Err(SandboxError::InUse { .. })));
        drop(held);
        assert!(Files::open(&ours, LockWait::Always).is_ok());
    }
}
