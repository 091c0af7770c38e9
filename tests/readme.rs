//! The README is run: each `console` block is a command and what it prints. The blocks run in a
//! copy, so that the repository stays clean; `TRYCMD=overwrite cargo test --test readme` rewrites the README.

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
fn the_readme_does_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(root.join("README.md"), folder.path().join("README.md")).unwrap();
    copy(&root.join("examples"), &folder.path().join("examples"));
    // The commands run where the test runs; no other test is in this process.
    std::env::set_current_dir(folder.path()).unwrap();
    let cases = trycmd::TestCases::new();
    cases
        .case(folder.path().join("README.md"))
        .register_bin("hookwright", Path::new(env!("CARGO_BIN_EXE_hookwright")))
        .env("SOURCE_DATE_EPOCH", "1790000000")
        .env("NO_PROXY", "*");
    cases.run();
    if std::env::var("TRYCMD").is_ok_and(|v| v == "overwrite") {
        std::fs::copy(folder.path().join("README.md"), root.join("README.md")).unwrap();
    }
}
