//! Runs the `console` blocks of README.md and docs/: each is a command and its output. The blocks of a page run in a
//! copy of the repository's examples, so that the repository stays clean; `TRYCMD=overwrite cargo test --test readme`
//! rewrites the pages.
//!
//! A separate binary, because trycmd runs the commands in the working directory of the process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::path::Path;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn console_blocks_match_the_output() {
    let docs = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    let mut pages: Vec<String> = docs
        .map(|entry| entry.unwrap().path())
        .filter(|page| page.extension().is_some_and(|extension| extension == "md"))
        .map(|page| format!("docs/{}", page.file_name().unwrap().to_str().unwrap()))
        .chain(["README.md".to_owned()])
        .collect();
    pages.sort();
    // One after the other: each has its own sandbox in the working directory.
    for page in pages {
        check(&page);
    }
}

fn check(page: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !std::fs::read_to_string(root.join(page)).unwrap().contains("```console") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("docs")).unwrap();
    std::fs::copy(root.join(page), folder.path().join(page)).unwrap();
    copy(&root.join("examples"), &folder.path().join("examples"));
    // The commands run where the test runs; no other test is in this process.
    std::env::set_current_dir(folder.path()).unwrap();
    let cases = trycmd::TestCases::new();
    cases
        .case(folder.path().join(page))
        .register_bin("hookwright", Path::new(env!("CARGO_BIN_EXE_hookwright")))
        .env("SOURCE_DATE_EPOCH", "1790000000")
        .env("NO_PROXY", "*");
    cases.run();
    std::env::set_current_dir(root).unwrap();
    if std::env::var("TRYCMD").is_ok_and(|v| v == "overwrite") {
        std::fs::copy(folder.path().join(page), root.join(page)).unwrap();
    }
}
