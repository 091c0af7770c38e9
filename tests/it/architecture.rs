//! The rules of lib.rs as tests: who may import whom, and what the core may not touch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who may import whom; a room always sees itself. `lib.rs` says the same in words.
const MAY: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("digest", &[]),
    ("catalog", &["model"]),
    ("state", &["model"]),
    ("diagnostic", &["digest", "manifest", "model"]),
    ("manifest", &["digest", "diagnostic", "state", "catalog", "model", "words"]),
    ("diff", &["state", "catalog", "model"]),
    ("plan", &["digest", "diff", "state", "catalog", "model"]),
    ("wire", &["plan", "since", "diff", "digest", "state", "catalog", "diagnostic", "model", "json", "words"]),
    ("since", &["plan", "diff", "model"]),
    ("journal", &["wire", "printer", "words"]),
    ("render", &["plan", "wire", "state", "model", "text"]),
    ("import", &["diagnostic", "manifest", "render", "state", "model"]),
    ("schema", &["wire", "manifest"]),
    ("select", &["plan", "model"]),
    ("admin", &["http", "json", "state", "catalog", "model", "words"]),
    ("destinations", &["manifest", "plan", "diff", "http", "state", "model"]),
    ("adobe", &["http", "destinations", "state", "words"]),
    ("http", &[]),
    ("auth", &["admin", "http", "digest", "files", "model", "render", "words"]),
    ("concurrency", &[]),
    ("text", &[]),
    ("words", &[]),
    ("files", &["words"]),
    ("json", &[]),
    ("apply", &["admin", "http", "journal", "plan", "wire", "state", "model"]),
    ("printer", &[]),
    ("progress", &["model", "printer"]),
    ("clock", &[]),
    ("output", &["cli", "error", "exit", "printer", "progress", "render"]),
    (
        "run",
        &[
            "admin",
            "adobe",
            "apply",
            "auth",
            "catalog",
            "cli",
            "clock",
            "concurrency",
            "destinations",
            "diagnostic",
            "digest",
            "error",
            "exit",
            "files",
            "journal",
            "json",
            "manifest",
            "model",
            "output",
            "plan",
            "progress",
            "render",
            "sandbox",
            "select",
            "since",
            "state",
            "text",
            "wire",
        ],
    ),
    ("exit", &["admin", "adobe", "http"]),
    ("error", &["exit", "render"]),
    ("log", &["cli", "printer"]),
    ("cli", &["auth", "exit", "model", "diagnostic", "printer", "sandbox"]),
    ("sandbox", &["catalog", "files", "model", "words"]),
];

/// Rooms without async, clock, environment, files and network.
const CORE: &[&str] = &[
    "model",
    "catalog",
    "digest",
    "json",
    "state",
    "diagnostic",
    "manifest",
    "diff",
    "plan",
    "destinations",
    "wire",
    "since",
    "render",
    "import",
    "schema",
    "select",
    "text",
    "words",
];
const NOT_IN_CORE: &[&str] = &[
    "tokio",
    "reqwest",
    "axum",
    "std::fs",
    "std::env",
    "TcpStream",
    "TcpListener",
    "ToSocketAddrs",
    "std::process",
    "std::time",
    "SystemTime",
    "Instant::",
    "Timestamp::now",
    "async fn",
    ".await",
];

/// Every source file with the room that it is in. Tests inside a room may use what they like.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut out) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(&root).unwrap().to_path_buf();
            let is_test = relative.iter().any(|part| part.to_string_lossy().contains("test"));
            if path.extension().is_none_or(|e| e != "rs") || is_test {
                continue;
            }
            let room = relative.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code: String =
                code.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect();
            out.push((room, relative, code));
        }
    }
    assert!(out.len() > 40, "the sources were not found");
    out
}

#[test]
fn imports_run_one_way() {
    let may: BTreeMap<&str, &[&str]> = MAY.iter().copied().collect();
    let mut wrong = Vec::new();
    for (room, path, code) in sources() {
        if ["lib", "main", "commands"].contains(&room.as_str()) {
            continue;
        }
        let allowed = may.get(room.as_str()).unwrap_or_else(|| panic!("{room} is a room that MAY does not know"));
        for part in code.split("crate::").skip(1) {
            let names: Vec<&str> = match part.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or_default().split(',').map(str::trim).collect(),
                None => vec![part],
            };
            for name in names {
                let target: String = name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if target != room && !allowed.contains(&target.as_str()) {
                    wrong.push(format!("{} imports {target}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for (_, path, code) in sources().into_iter().filter(|(room, _, _)| CORE.contains(&room.as_str())) {
        wrong.extend(
            NOT_IN_CORE.iter().filter(|word| code.contains(**word)).map(|word| format!("{}: {word}", path.display())),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_apply_holds_a_writer() {
    let holders: BTreeSet<String> = sources()
        .into_iter()
        .filter(|(room, _, code)| room != "admin" && (code.contains("ShopWriter") || code.contains(".writer(")))
        .map(|(_, path, _)| path.display().to_string())
        .collect();
    let expected = ["apply.rs", "apply/send.rs", "apply/settle.rs", "commands/apply.rs"];
    assert_eq!(holders.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn only_the_printer_writes_to_the_streams() {
    // A question about a stream prints nothing.
    let prints = |code: &str| {
        let code = code.replace("io::stdout().is_terminal()", "").replace("io::stderr().is_terminal()", "");
        ["io::stdout", "io::stderr", "print!(", "println!("].iter().any(|word| code.contains(word))
    };
    let wrong: Vec<_> = sources().into_iter().filter(|(_, _, code)| prints(code)).map(|(_, path, _)| path).collect();
    assert_eq!(wrong, [PathBuf::from("printer.rs")]);
}

#[test]
fn every_module_says_what_it_is_for() {
    for (_, path, _) in sources() {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&path)).unwrap();
        assert!(text.starts_with("//!"), "{} has no module docs", path.display());
    }
}
