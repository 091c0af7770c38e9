//! Tests of secrets. The environment is a function, files are in a temporary folder, programs are `sh`.

use super::*;

const SECRET: &str = "s3cr3t-t0k3n";

fn shop(name: &str) -> ShopDomain {
    ShopDomain::parse(name).expect("shop")
}

fn options() -> Options {
    let env = |name: &str| match name {
        "TOKEN_MY_SHOP" => Some(format!("{SECRET}\n").into()),
        "EMPTY" => Some("\n".into()),
        "BROKEN" => Some("s3cr3t\u{1b}".into()),
        "FOREIGN" => Some("s3crét".into()),
        "LINES" => Some("s3cr3t\ns3cr3t".into()),
        _ => None,
    };
    Options { allow_commands: true, ..Options::new(Arc::new(env)) }
}

async fn resolve(options: Options, reference: SecretRef, name: &str) -> Result<String, String> {
    let resolver = SecretResolver::new(options);
    match resolver.resolve(&reference, &shop(name)).await {
        Ok(secret) => Ok(secret.expose_secret().to_owned()),
        Err(error) => Err(format!("{error} {error:?}")),
    }
}

fn sh(script: &str) -> SecretRef {
    SecretRef::Command(["sh", "-c", script, "sh", "{shop}", "{SHOP}"].map(str::to_owned).to_vec())
}

#[tokio::test]
async fn an_environment_variable_may_depend_on_the_shop() {
    let env = |name: &str| SecretRef::Env(name.to_owned());
    assert_eq!(resolve(options(), env("TOKEN_{SHOP}"), "my-shop").await.as_deref(), Ok(SECRET));
    for (name, problem) in [
        ("TOKEN_{SHOP}", "environment variable TOKEN_OTHER is not set. Set it, or use another reference"),
        ("EMPTY", "environment variable EMPTY is empty"),
        ("BROKEN", "contains a control character"),
        ("FOREIGN", "outside ASCII"),
        ("LINES", "more than one line"),
    ] {
        let error = resolve(options(), env(name), "other").await.expect_err(name);
        assert!(error.contains(problem) && !error.contains("s3cr"), "{error}");
    }
}

#[tokio::test]
async fn a_file_has_one_secret_or_one_for_each_shop() {
    let folder = tempfile::tempdir().expect("folder");
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("write");
    };
    let at = |name: &str| SecretRef::File(folder.path().join(name).to_string_lossy().into_owned());
    file("my-shop.txt", &format!("\u{feff}{SECRET}\r\n"));
    file("map.json", r#" {"MY-shop": "s3cr3t-1", "b.myshopify.com": "s3cr3t-2"}"#);
    file("cut.json", r#"{"a": "s3cr3t"#);
    file("odd.json", r#"{"a": ["s3cr3t"]}"#);
    file("empty", "\n");
    assert_eq!(resolve(options(), at("{shop}.txt"), "my-shop").await.as_deref(), Ok(SECRET));
    assert_eq!(resolve(options(), at("map.json"), "my-shop").await.as_deref(), Ok("s3cr3t-1"));
    assert_eq!(resolve(options(), at("map.json"), "b").await.as_deref(), Ok("s3cr3t-2"));
    for (name, problem) in [
        ("map.json", "without the key `c.myshopify.com` or `c`"),
        ("cut.json", "not a valid JSON object (line 1, column"),
        ("odd.json", "the value of `a` is not a string"),
        ("empty", "is empty"),
        ("{shop}.txt", "c.txt cannot be read"),
    ] {
        let error = resolve(options(), at(name), "c").await.expect_err(name);
        assert!(error.contains(problem) && !error.contains("s3cr"), "{error}");
    }
}

#[tokio::test]
async fn a_private_key_has_several_lines_and_may_be_one_for_each_shop() {
    let pem = || crate::auth::Key::generate().and_then(|key| key.pem()).expect("key").expose_secret().to_owned();
    let (own, others) = (pem(), pem());
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("keys.json").display().to_string();
    std::fs::write(&path, serde_json::json!({ "a": own, "b": others }).to_string()).expect("write");
    let variable = own.clone();
    let env = move |name: &str| (name == "KEY").then(|| variable.clone().into());
    let resolver = SecretResolver::new(Options::new(Arc::new(env)));
    let file = || SecretRef::File(path.clone());
    for (reference, name, key) in
        [(SecretRef::Env("KEY".to_owned()), "a", &own), (file(), "a", &own), (file(), "b", &others)]
    {
        let secret = resolver.resolve_as(&reference, &shop(name), Role::PrivateKey).await.expect("a key");
        assert_eq!(secret.expose_secret(), key);
    }
    let error = resolver.resolve_as(&SecretRef::Env("KEY".to_owned()), &shop("a"), Role::ClientSecret).await;
    assert!(error.expect_err("a private key is not a client secret").malformed);
}

#[tokio::test]
async fn programs_run_only_if_they_are_allowed() {
    let folder = tempfile::tempdir().expect("folder");
    let mark = folder.path().join("ran");
    let script = format!("touch {}; echo {SECRET}", mark.display());
    let refusing = Options { allow_commands: false, ..options() };
    let error = resolve(refusing, sh(&script), "a").await.expect_err("refused");
    assert!(error.contains("--allow-commands") && error.contains("HOOKWRIGHT_ALLOW_COMMANDS=1"), "{error}");
    assert!(!mark.exists());
    assert_eq!(resolve(options(), sh(&script), "a").await.as_deref(), Ok(SECRET));
    assert!(mark.exists());
    assert_eq!(resolve(options(), sh("echo $1/$2"), "my-shop").await.as_deref(), Ok("my-shop/MY_SHOP"));
    assert_eq!(resolve(options(), sh(r#"echo '{"a":"s3cr3t-a"}'"#), "a").await.as_deref(), Ok("s3cr3t-a"));
}

#[tokio::test]
async fn the_error_of_a_program_shows_stderr_and_not_its_output() {
    let missing = SecretRef::Command(vec!["/nonexistent/vault".into(), "s3cr3t-argument".into()]);
    let short = Options { time_limit: Duration::from_millis(100), ..options() };
    for (options, reference, problem) in [
        (
            options(),
            sh("echo s3cr3t; printf 'no\\033[2J s3cr3t' >&2; exit 3"),
            "exit code 3; stderr: no\\\\u{1b}[2J [redacted]",
        ),
        (options(), sh("printf 's3cr3t-1\\ns3cr3t-2\\n'; echo no s3cr3t-2 >&2; exit 3"), "stderr: no [redacted]"),
        (options(), sh("exit 1"), "; stderr is empty"),
        (options(), sh("true"), "is empty"),
        (options(), sh("kill -9 $$"), "by a signal"),
        (options(), sh("head -c 9000000 /dev/zero"), "is larger than 4 MiB"),
        (options(), sh("printf '\\377'"), "is not valid UTF-8"),
        (options(), missing, "secret command /nonexistent/vault cannot be started"),
        (options(), SecretRef::Command(vec![]), "has no program name"),
        (short, sh("echo s3cr3t; exec sleep 60"), "timed out after 0.1 s"),
    ] {
        let error = resolve(options, reference, "a").await.expect_err(problem);
        assert!(error.contains(problem) && !error.contains("s3cr"), "{error}");
    }
}

#[tokio::test]
async fn a_program_without_a_placeholder_runs_once_and_few_run_at_the_same_time() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().display();
    let count = |prefix: &str| {
        let names = std::fs::read_dir(folder.path()).expect("folder").map(|e| e.expect("entry").file_name());
        names.filter(|name| name.to_string_lossy().starts_with(prefix)).count()
    };
    let resolver = SecretResolver::new(options());
    let shared = SecretRef::Command(vec!["sh".into(), "-c".into(), format!("mktemp {path}/once.XXXXXX >&2; echo x")]);
    // Each records how many programs are running when it starts.
    let own = sh(&format!(
        "f=$(mktemp {path}/run.XXXXXX); ls {path} | grep -c '^run' > {path}/seen.$1; sleep 0.05; rm $f; echo x"
    ));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..12 {
        for reference in [shared.clone(), own.clone()] {
            let resolver = resolver.clone();
            tasks.spawn(async move { resolver.resolve(&reference, &shop(&format!("shop-{n}"))).await });
        }
    }
    for result in tasks.join_all().await {
        result.expect("a secret");
    }
    assert_eq!(count("once"), 1);
    assert_eq!(count("seen"), 12);
    for n in 0..12 {
        let seen = std::fs::read_to_string(folder.path().join(format!("seen.shop-{n}"))).expect("seen");
        assert!(seen.trim().parse::<usize>().expect("number") <= 4, "{seen}");
    }
}

#[tokio::test]
async fn a_reference_that_no_pin_allows_is_not_resolved() {
    let pinned =
        |pins: &[&str]| Options { pins: Some(pins.iter().map(|pin| pin.parse().expect("pin")).collect()), ..options() };
    let env = || SecretRef::Env("TOKEN_{SHOP}".to_owned());
    assert_eq!(resolve(pinned(&["file:*", "env:TOKEN_{SHOP}"]), env(), "my-shop").await.as_deref(), Ok(SECRET));
    for reference in [env(), SecretRef::File("/dev/zero".to_owned()), sh("echo ran >&2; exit 1")] {
        let error = resolve(pinned(&["env:OTHER_*"]), reference, "my-shop").await.expect_err("outside");
        assert!(error.contains("HOOKWRIGHT_SECRETS") && !error.contains("ran"), "{error}");
    }
    let resolver = SecretResolver::new(pinned(&["env:OTHER_*"]));
    assert!(resolver.resolve_common(&SecretRef::Env("TOKEN_MY_SHOP".to_owned())).await.is_err());
}
