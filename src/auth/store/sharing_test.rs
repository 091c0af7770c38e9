//! Tests of the token store, shared by tasks and processes. Two stores in one process exclude each other like two
//! processes; where processes are required, the test binary starts itself.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::tests::{access, all_of, entry, is_first, shop};
use super::*;

/// The number of concurrent shops, as with `--parallelism 512`: four times the maximum number of concurrent refreshes.
const PARALLELISM: usize = 512;
/// The environment variable with the role of a helper process.
const PART: &str = "HOOKWRIGHT_TEST_STORE_PART";
const FOLDER: &str = "HOOKWRIGHT_TEST_STORE_FOLDER";

fn tokens(folder: &Path) -> PathBuf {
    folder.join("tokens.json")
}

/// Appends one line for each call of a refresher.
fn count_call(folder: &Path) {
    let calls = File::options().create(true).append(true).open(folder.join("calls"));
    calls.expect("calls").write_all(b"call\n").expect("write");
}

fn calls(folder: &Path) -> usize {
    fs::read_to_string(folder.join("calls")).unwrap_or_default().lines().count()
}

/// Polls until the condition holds; the time limit of the test runner ends a condition that never holds.
async fn until(mut there: impl FnMut() -> bool) {
    while !there() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_over_two_stores_refresh_once() {
    let folder = tempfile::tempdir().expect("folder");
    let stores = [Store::new(tokens(folder.path())), Store::new(tokens(folder.path()))];
    stores[0].put(&shop("a"), entry(1)).await.expect("put");
    let called = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for n in 0..20 {
        let (store, called) = (stores[n % 2].clone(), Arc::clone(&called));
        tasks.spawn(async move {
            let refresh = async move |_: Entry| {
                called.fetch_add(1, Ordering::SeqCst);
                // Leaves time for the other tasks to arrive.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok::<_, String>(entry(2))
            };
            store.fresh(&shop("a"), is_first, refresh).await.expect("fresh").expect("entry")
        });
    }
    for got in tasks.join_all().await {
        assert_eq!(access(Some(&got)), Some("access-2"));
    }
    assert_eq!(called.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_shops_are_refreshed_with_few_writes_and_without_blocking_each_other() {
    const SHOPS: usize = 1500;
    let folder = tempfile::tempdir().expect("folder");
    let stores = [Store::new(tokens(folder.path())), Store::new(tokens(folder.path()))];
    let shops: Vec<ShopDomain> = (0..SHOPS).map(|n| shop(&format!("shop-{n}"))).collect();
    let mut puts = JoinSet::new();
    for shop in shops.clone() {
        let store = stores[0].clone();
        puts.spawn(async move { store.put(&shop, entry(1)).await.expect("put") });
    }
    puts.join_all().await;
    let put = stores[0].inner.commits.writes();
    assert!((1..SHOPS / 4).contains(&put), "{SHOPS} puts were {put} writes");

    // Both stores refresh every shop, in opposite order.
    let (called, turns) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(PARALLELISM)));
    let mut tasks = JoinSet::new();
    let pairs = shops.iter().zip(shops.iter().rev());
    for (store, shop) in pairs.flat_map(|(one, other)| [(&stores[0], one), (&stores[1], other)]) {
        let (store, shop) = (store.clone(), shop.clone());
        let (called, turns) = (Arc::clone(&called), Arc::clone(&turns));
        tasks.spawn(async move {
            let _turn = turns.acquire().await;
            let refresh = async move |_: Entry| {
                called.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok::<_, String>(entry(2))
            };
            let got = store.fresh(&shop, is_first, refresh).await.expect("fresh").expect("entry");
            store.used(&shop, &got.access_token).await.expect("used");
        });
    }
    tasks.join_all().await;
    assert_eq!(called.load(Ordering::SeqCst), SHOPS);
    let writes = stores[0].inner.commits.writes() + stores[1].inner.commits.writes() - put;
    assert!(writes < SHOPS / 4, "{SHOPS} refreshes were {writes} writes");
    let third = Store::new(tokens(folder.path()));
    for shop in &shops {
        assert_eq!(all_of(&third.get(shop).await.expect("get").expect("entry")), all_of(&entry(2)), "{shop}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_sees_half_a_file_and_no_change_is_lost() {
    let folder = tempfile::tempdir().expect("folder");
    let path = tokens(folder.path());
    let stores = [Store::new(path.clone()), Store::new(path.clone())];
    stores[0].put(&shop("always"), entry(1)).await.expect("put");
    let done = Arc::new(AtomicBool::new(false));
    let (seen, at) = (Arc::clone(&done), path.clone());
    let reader = std::thread::spawn(move || {
        let mut reads = 0;
        while !seen.load(Ordering::SeqCst) || reads == 0 {
            let text = fs::read(&at).expect("there is always a file");
            let document = Document::parse(&text).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&text)));
            assert!(document.get(&shop("always")).is_some());
            reads += 1;
        }
    });
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let store = stores[n % 2].clone();
        tasks.spawn(async move {
            for round in 1..=5 {
                store.put(&shop(&format!("shop-{n}")), entry(round)).await.expect("put");
            }
        });
    }
    tasks.join_all().await;
    done.store(true, Ordering::SeqCst);
    reader.join().expect("every read was a whole document");
    for n in 0..40 {
        let got = Store::new(path.clone()).get(&shop(&format!("shop-{n}"))).await.expect("get");
        assert_eq!(access(got.as_ref()), Some("access-5"), "{n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_stored_under_the_shops_lock_even_if_nothing_waits_for_it() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::new(tokens(folder.path()));
    store.put(&shop("a"), entry(1)).await.expect("put");
    let locks = folder.path().join("tokens.json.locks");
    // Another process writes, so that the pair has to wait.
    let other = File::options().write(true).open(locks.join("write.lock")).expect("the lock of the file");
    other.lock().expect("lock");
    let answered = Arc::new(Notify::new());
    let task = tokio::spawn({
        let (store, answered) = (store.clone(), Arc::clone(&answered));
        async move {
            let refresh = async move |_: Entry| {
                answered.notify_one();
                Ok::<_, String>(entry(2))
            };
            store.fresh(&shop("a"), is_first, refresh).await.map(drop)
        }
    });
    answered.notified().await;
    // The poll that answered has queued the pair; the next await can only be for the disk.
    until(|| store.inner.commits.is_waiting()).await;
    task.abort();
    assert!(task.await.expect_err("aborted").is_cancelled());
    let of_shop = File::options().write(true).open(locks.join("a.myshopify.com")).expect("the lock of the shop");
    assert!(of_shop.try_lock().is_err(), "the shop is free before its pair is stored");
    assert_eq!(access(store.get(&shop("a")).await.expect("get").as_ref()), Some("access-1"));
    drop(other);
    until(|| of_shop.try_lock().is_ok()).await;
    assert_eq!(access(store.get(&shop("a")).await.expect("get").as_ref()), Some("access-2"));
}

#[tokio::test]
async fn waiting_for_a_lock_times_out_and_names_its_file() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::with_limit(tokens(folder.path()), Duration::from_millis(20));
    store.put(&shop("a"), entry(1)).await.expect("put");
    store.put(&shop("b"), entry(1)).await.expect("put");
    let locks = folder.path().join("tokens.json.locks");
    let hold = |name: &str| {
        let file = File::create(locks.join(name)).expect("lock file");
        file.lock().expect("lock");
        file
    };
    let of_a = hold("a.myshopify.com");
    let never = async |_: Entry| -> Result<Entry, String> { panic!("refreshed") };
    let said = store.fresh(&shop("a"), is_first, never).await.expect_err("busy").to_string();
    assert!(said.contains(&locks.join("a.myshopify.com").display().to_string()) && said.contains("lsof"), "{said}");
    let b = store.fresh(&shop("b"), is_first, async |_| Ok::<_, String>(entry(2))).await;
    assert_eq!(access(b.expect("another shop").as_ref()), Some("access-2"));
    let of_file = hold("write.lock");
    let busy = store.put(&shop("b"), entry(3)).await;
    assert!(matches!(busy, Err(StoreError::Busy { .. })), "{busy:?}");
    drop((of_a, of_file));
    store.put(&shop("b"), entry(3)).await.expect("free again");
    let a = store.fresh(&shop("a"), is_first, async |_| Ok::<_, String>(entry(2))).await;
    assert_eq!(access(a.expect("free again").as_ref()), Some("access-2"));
    // The lock files are not deleted.
    assert!(["a.myshopify.com", "b.myshopify.com", "write.lock"].iter().all(|name| locks.join(name).exists()));
}

#[test]
fn a_store_outlives_the_runtime_that_wrote_with_it() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::new(tokens(folder.path()));
    for n in 1..4 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(store.put(&shop("a"), entry(n))).expect("put");
    }
}

/// Starts this test binary as a separate process with `part`.
fn helper(part: &str, folder: &Path) -> Child {
    let this = std::env::current_exe().expect("this test");
    let name = concat!(module_path!(), "::helper_process").split_once("::").expect("the crate's name").1;
    let mut command = Command::new(this);
    command.args(["--exact", name, "--nocapture"]).env(PART, part).env(FOLDER, folder).stdout(Stdio::null());
    command.spawn().expect("helper")
}

/// The body of the helper processes. In any other process it does nothing.
#[tokio::test]
async fn helper_process() {
    let (Ok(part), Some(folder)) = (std::env::var(PART), std::env::var_os(FOLDER)) else { return };
    let folder = PathBuf::from(folder);
    let store = Store::new(tokens(&folder));
    if part == "hang" {
        let hang = async move |_: Entry| -> Result<Entry, String> {
            count_call(&folder);
            std::future::pending().await
        };
        let _ = store.fresh(&shop("a"), is_first, hang).await;
        return;
    }
    File::create(folder.join(format!("ready-{part}"))).expect("ready");
    until(|| folder.join("go").exists()).await;
    let refresh = async move |_: Entry| {
        count_call(&folder);
        // Leaves time for the other processes to arrive.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, String>(entry(2))
    };
    let got = store.fresh(&shop("a"), is_first, refresh).await.expect("fresh");
    assert_eq!(access(got.as_ref()), Some("access-2"));
    store.put(&shop(&format!("by-{part}")), entry(1)).await.expect("put");
}

#[tokio::test]
async fn processes_that_need_the_same_shop_at_once_refresh_once() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::new(tokens(folder.path()));
    store.put(&shop("a"), entry(1)).await.expect("put");
    let parts = ["1", "2", "3", "4"];
    let helpers: Vec<Child> = parts.iter().map(|part| helper(part, folder.path())).collect();
    until(|| parts.iter().all(|part| folder.path().join(format!("ready-{part}")).exists())).await;
    File::create(folder.path().join("go")).expect("go");
    for mut helper in helpers {
        assert!(helper.wait().expect("helper").success());
    }
    assert_eq!(calls(folder.path()), 1);
    for part in parts {
        assert!(store.get(&shop(&format!("by-{part}"))).await.expect("get").is_some(), "{part} was overwritten");
    }
}

#[tokio::test]
async fn a_killed_process_frees_its_locks() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::new(tokens(folder.path()));
    store.put(&shop("a"), entry(1)).await.expect("put");
    let mut helper = helper("hang", folder.path());
    until(|| calls(folder.path()) == 1).await;
    let held = File::options().write(true).open(folder.path().join("tokens.json.locks/a.myshopify.com")).expect("lock");
    assert!(held.try_lock().is_err(), "the helper holds it");
    helper.kill().expect("kill");
    helper.wait().expect("wait");
    drop(held);
    let got = store.fresh(&shop("a"), is_first, async |_| Ok::<_, String>(entry(2))).await.expect("fresh");
    assert_eq!(access(got.as_ref()), Some("access-2"));
}
