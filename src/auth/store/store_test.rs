//! Tests of the token store in one process, on real files.

use std::fs;
use std::path::Path;

use super::*;

pub(super) fn shop(name: &str) -> ShopDomain {
    ShopDomain::parse(name).expect("shop")
}

/// An entry of the `n`th generation: `access-n`, `refresh-n`.
pub(super) fn entry(n: u32) -> Entry {
    Entry {
        access_token: format!("access-{n}").into(),
        scopes: vec!["read_orders".into(), "write_products".into()],
        obtained_at: "2026-11-01T10:00:00Z".parse().expect("time"),
        expires_at: Some("2026-11-01T11:00:00Z".parse().expect("time")),
        refresh: Some(Refresh {
            token: format!("refresh-{n}").into(),
            expires_at: Some("2027-01-30T10:00:00Z".parse().expect("time")),
            previous: None,
        }),
        online_user: None,
        client_id: Some("app".into()),
    }
}

/// Formats all fields of an entry, secrets included, for comparison.
pub(super) fn all_of(entry: &Entry) -> String {
    let refresh = entry.refresh.as_ref().map(|r| {
        let previous = r.previous.as_ref().map(|p| p.expose_secret().to_owned());
        (r.token.expose_secret().to_owned(), r.expires_at, previous)
    });
    let Entry { access_token, scopes, obtained_at, expires_at, refresh: _, online_user, client_id } = entry;
    let token = access_token.expose_secret();
    format!("{token} {scopes:?} {obtained_at} {expires_at:?} {refresh:?} {online_user:?} {client_id:?}")
}

pub(super) fn access(entry: Option<&Entry>) -> Option<&str> {
    entry.map(|entry| entry.access_token.expose_secret())
}

fn previous(entry: &Entry) -> Option<&str> {
    entry.refresh.as_ref()?.previous.as_ref().map(ExposeSecret::expose_secret)
}

/// Returns whether the entry is of the first generation.
pub(super) fn is_first(entry: &Entry) -> bool {
    entry.access_token.expose_secret() == "access-1"
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("write");
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("mode");
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).expect("read")).expect("JSON")
}

#[tokio::test]
async fn an_entry_can_be_read_by_its_store_and_by_another() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("tokens.json");
    let store = Store::new(path.clone());
    assert!(store.get(&shop("a")).await.expect("get").is_none());
    assert!(!path.exists());
    assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 0, "reading created files");

    let lasting = Entry { expires_at: None, refresh: None, online_user: Some("902541635".into()), ..entry(7) };
    store.put(&shop("a"), entry(1)).await.expect("put");
    store.put(&shop("b"), lasting.clone()).await.expect("put");
    for store in [&store, &Store::new(path.clone())] {
        assert_eq!(all_of(&store.get(&shop("a")).await.expect("get").expect("a")), all_of(&entry(1)));
        assert_eq!(all_of(&store.get(&shop("b")).await.expect("get").expect("b")), all_of(&lasting));
    }
    assert_eq!(json(&path)["hookwright_tokens"], 1);
    assert_eq!(json(&path)["shops"]["a.myshopify.com"]["refresh"]["token"], "refresh-1");

    let other = Store::new(path.clone());
    // The first store sees the changes of the second one.
    other.put(&shop("b"), entry(8)).await.expect("put");
    assert_eq!(access(store.get(&shop("b")).await.expect("get").as_ref()), Some("access-8"));
    fs::remove_file(&path).expect("remove");
    assert!(store.get(&shop("b")).await.expect("get").is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_others_may_access_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("new/deep er/tokens.json");
    let store = Store::new(path.clone());
    store.put(&shop("a"), entry(1)).await.expect("put");
    assert_eq!(mode(&path), 0o600);
    for created in ["new", "new/deep er", "new/deep er/tokens.json.locks"] {
        assert_eq!(mode(&folder.path().join(created)), 0o700, "{created}");
    }
    for open in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).expect("mode");
        let said = store.get(&shop("a")).await.expect_err("open").to_string();
        assert!(said.ends_with(&format!("chmod 600 '{}'`", path.display())), "{said}");
        assert_eq!(store.put(&shop("a"), entry(2)).await.expect_err("open").to_string(), said);
        assert_eq!(mode(&path), open);
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
    assert_eq!(access(store.get(&shop("a")).await.expect("get").as_ref()), Some("access-1"));
}

#[tokio::test]
async fn an_unusable_token_store_is_refused_and_not_changed() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("tokens.json");
    let good = r#"{"access_token": "s3cr3t", "scopes": [], "obtained_at": "2026-11-01T10:00:00Z"}"#;
    for (text, words) in [
        (String::new(), "is damaged: it is empty"),
        ("s3cr3t".into(), "is damaged: it is not valid JSON (line 1, column 1)"),
        (r#"{"hookwright_tokens": 1, "shops": {"a": {"access_token": "s3cr3t"#.into(), "is damaged: it is truncated"),
        (r#"{"hookwright_tokens": 1}"#.into(), "is damaged: a key is missing"),
        (r#"{"hookwright_tokens": 1, "shops": {"a": "s3cr3t"}}"#.into(), "value of the wrong type (line 1"),
        (r#"{"hookwright_tokens": 1, "shops": {"s3cr3t/..": {}}}"#.into(), "value of the wrong type"),
        (good.replace("2026-11-01T10:00:00Z", "s3cr3t"), "not a token store of Hookwright"),
        (format!(r#"{{"hookwright_tokens": 1, "shops": {{"a": {good}, "A.myshopify.com": {good}}}}}"#), "duplicate"),
        (format!(r#"{{"hookwright_tokens": 1, "shops": {{"a": {}}}}}"#, good.replace("2026", "s3cr3t")), "is damaged"),
        (r#"{"shops": {"a": "s3cr3t"}}"#.into(), "not a token store of Hookwright and was not changed"),
        (r#"["s3cr3t"]"#.into(), "not a token store of Hookwright"),
        (
            r#"{"hookwright_tokens": 2, "tokens": "s3cr3t"}"#.into(),
            "has format 2, but this version of Hookwright supports format 1",
        ),
    ] {
        write(&path, &text);
        let store = Store::new(path.clone());
        let errors = [
            store.get(&shop("a")).await.map(drop).expect_err(&text),
            store.put(&shop("a"), entry(1)).await.expect_err(&text),
        ];
        for error in errors {
            let said = format!("{error} {error:?}");
            assert!(said.contains(words) && said.contains("tokens.json") && !said.contains("s3cr3t"), "{text}: {said}");
        }
        assert_eq!(fs::read_to_string(&path).expect("read"), text);
    }
    let store = Store::new(folder.path().to_owned());
    assert!(matches!(store.put(&shop("a"), entry(1)).await, Err(StoreError::NotAFile { .. })));
    let below = Store::new(path.join("tokens.json"));
    assert!(matches!(below.get(&shop("a")).await, Err(StoreError::Io { .. })));
    assert!(matches!(below.put(&shop("a"), entry(1)).await, Err(StoreError::Io { .. })));
}

#[tokio::test]
async fn keys_of_a_later_minor_version_survive() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("tokens.json");
    write(
        &path,
        r#"{"hookwright_tokens": 1, "later": [1, {"x": null}], "shops": {"a.myshopify.com": {"access_token": "access-1",
            "scopes": [], "obtained_at": "2026-11-01T10:00:00Z", "note": {"y": 2.5},
            "refresh": {"token": "refresh-1", "kind": "z"}}}}"#,
    );
    let store = Store::new(path.clone());
    store.fresh(&shop("a"), is_first, async |_| Ok::<_, ()>(entry(2))).await.expect("fresh");
    store.used(&shop("a"), &"access-2".into()).await.expect("used");
    store.put(&shop("b"), entry(5)).await.expect("put");
    let now = json(&path);
    assert_eq!(now["later"], serde_json::json!([1, {"x": null}]));
    assert_eq!(now["shops"]["a.myshopify.com"]["note"], serde_json::json!({"y": 2.5}));
    assert_eq!(now["shops"]["a.myshopify.com"]["refresh"]["kind"], "z");
    assert_eq!(now["shops"]["a.myshopify.com"]["access_token"], "access-2");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_followed_and_stays_a_link() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("vault")).expect("folder");
    symlink("vault/second", at("link")).expect("link");
    // Relative to its own folder; its target does not exist yet.
    symlink("real.json", at("vault/second")).expect("link");
    let store = Store::new(at("link"));
    for n in [1, 2] {
        store.put(&shop("a"), entry(n)).await.expect("put");
        assert!(at("link").is_symlink() && at("vault/second").is_symlink() && !at("vault/real.json").is_symlink());
        let direct = Store::new(at("vault/real.json"));
        assert_eq!(all_of(&direct.get(&shop("a")).await.expect("get").expect("a")), all_of(&entry(n)));
    }
    // One folder of locks, for each name of the file.
    assert!(at("vault/real.json.locks").is_dir() && !at("link.locks").exists());
    symlink("round", at("round")).expect("link");
    let round = Store::new(at("round")).put(&shop("a"), entry(1)).await;
    assert!(matches!(round, Err(StoreError::Io { .. })), "{round:?}");
}

#[tokio::test]
async fn a_refresh_keeps_the_previous_refresh_token_until_the_new_pair_is_used() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::new(folder.path().join("tokens.json"));
    let a = shop("a");
    let never = async |_: Entry| -> Result<Entry, String> { panic!("refreshed") };
    assert!(store.fresh(&a, |_| true, never).await.expect("no entry").is_none());
    store.put(&a, entry(1)).await.expect("put");
    let same = store.fresh(&a, |_| false, never).await.expect("not due");
    assert_eq!(access(same.as_ref()), Some("access-1"));

    let failed = store.fresh(&a, is_first, async |_| Err::<Entry, _>("no answer")).await.expect_err("failed");
    assert!(matches!(failed, FreshError::Refresh("no answer")) && failed.to_string() == "no answer");
    assert_eq!(all_of(&store.get(&a).await.expect("get").expect("a")), all_of(&entry(1)));

    let got = store.fresh(&a, is_first, async |old| {
        assert_eq!((access(Some(&old)), previous(&old)), (Some("access-1"), None));
        Ok::<_, String>(entry(2))
    });
    let got = got.await.expect("fresh").expect("entry");
    let stored = Store::new(folder.path().join("tokens.json")).get(&a).await.expect("get").expect("a");
    assert_eq!(all_of(&got), all_of(&stored));
    assert_eq!((access(Some(&got)), previous(&got)), (Some("access-2"), Some("refresh-1")));

    store.used(&a, &"access-1".into()).await.expect("an older one");
    store.used(&shop("b"), &"access-2".into()).await.expect("no such shop");
    assert_eq!(previous(&store.get(&a).await.expect("get").expect("a")), Some("refresh-1"));
    store.used(&a, &"access-2".into()).await.expect("used");
    assert_eq!(all_of(&store.get(&a).await.expect("get").expect("a")), all_of(&entry(2)));
    let writes = store.inner.commits.writes();
    store.used(&a, &"access-2".into()).await.expect("used again");
    assert_eq!(store.inner.commits.writes(), writes);
}

#[tokio::test]
async fn a_login_during_a_refresh_wins() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::new(folder.path().join("tokens.json"));
    let a = shop("a");
    store.put(&a, entry(1)).await.expect("put");
    let (other, of) = (store.clone(), a.clone());
    let refresh = async move |_| other.put(&of, entry(9)).await.map(|()| entry(2));
    let got = store.fresh(&a, is_first, refresh).await;
    assert_eq!(access(got.expect("fresh").as_ref()), Some("access-9"));
    assert_eq!(all_of(&store.get(&a).await.expect("get").expect("a")), all_of(&entry(9)));
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_old_entry() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("tokens.json");
    let store = Store::new(path.clone());
    let a = shop("a");
    store.put(&a, entry(1)).await.expect("put");
    let before = fs::read(&path).expect("read");
    // A folder is in the place of the temporary file. (Permissions do not stop root, the user of CI.)
    fs::create_dir_all(folder.path().join(".tokens.json.new/x")).expect("folder");
    let fresh = store.fresh(&a, is_first, async |_| Ok::<_, String>(entry(2))).await;
    assert!(matches!(fresh, Err(FreshError::Store(StoreError::Io { .. }))), "{fresh:?}");
    let put = store.put(&a, entry(3)).await.expect_err("put").to_string();
    assert_eq!(store.ready().await.expect_err("ready").to_string(), put, "a login would have spent its code");
    assert!(put.contains("tokens.json cannot be written: ") && !put.contains("access"), "{put}");
    for store in [&store, &Store::new(path.clone())] {
        assert_eq!(all_of(&store.get(&a).await.expect("get").expect("a")), all_of(&entry(1)));
    }
    assert_eq!(fs::read(&path).expect("read"), before);
    // The remains of a killed process are removed.
    fs::remove_dir_all(folder.path().join(".tokens.json.new")).expect("remove");
    write(&folder.path().join(".tokens.json.new"), "half a fi");
    store.ready().await.expect("ready");
    assert_eq!(fs::read(&path).expect("read"), before, "a rehearsal changes nothing");
    assert!(!folder.path().join(".tokens.json.new").exists());
    store.put(&a, entry(4)).await.expect("put");
    assert_eq!(all_of(&store.get(&a).await.expect("get").expect("a")), all_of(&entry(4)));
    assert!(!folder.path().join(".tokens.json.new").exists());
}

#[test]
fn nothing_prints_a_secret() {
    let mut entry = entry(1);
    keep_previous(&self::entry(2), &mut entry);
    assert_eq!(previous(&entry), Some("refresh-2"));
    let refresh = FreshError::Refresh(entry.clone());
    let said = format!("{entry:?} {:?} {refresh:?}", entry.refresh);
    assert!(!said.contains("access-") && !said.contains("refresh-"), "{said}");
    assert!(said.contains("read_orders"), "{said}");
}
