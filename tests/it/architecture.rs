//! The rules of lib.rs as tests: who may import whom, and what the core may not touch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules of the core and the edge: without async, clock, environment, files and network.
const CORE: &[&str] = &[
    "model",
    "catalog",
    "state",
    "diagnostic",
    "manifest",
    "diff",
    "destinations",
    "plan",
    "since",
    "import",
    "select",
    "words",
    "text",
    "quote",
    "digest",
    "json",
    "wire",
    "schema",
    "render",
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

/// Every source file with its module. Tests inside a module may import what they like.
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
            let is_test =
                relative.iter().any(|part| ["test", "laws"].iter().any(|word| part.to_string_lossy().contains(word)));
            if path.extension().is_none_or(|e| e != "rs") || is_test {
                continue;
            }
            let module = relative.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let code: String =
                code.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect();
            out.push((module, relative, code));
        }
    }
    assert!(out.len() > 40, "the sources were not found");
    out
}

/// The modules that each module imports, as the code has it.
fn actual() -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, _, code) in sources().into_iter().filter(|(module, _, _)| !["lib", "main"].contains(&module.as_str()))
    {
        let imports = edges.entry(module.clone()).or_default();
        for part in code.split("crate::").skip(1) {
            let names: Vec<&str> = match part.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or_default().split(',').map(str::trim).collect(),
                None => vec![part],
            };
            let name = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            imports.extend(names.into_iter().map(name).filter(|target: &String| *target != module));
        }
    }
    edges
}

/// The modules that each module may import, from the tables in `src/lib.rs`: `| module | what it holds | imports |`.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let lib = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let rows =
        lib.lines().filter_map(|line| line.strip_prefix("//! | ")).map(|line| line.split('|').collect::<Vec<_>>());
    let words = |cell: &str| -> BTreeSet<String> {
        let names = cell.split(',').map(|name| name.trim().trim_matches(['`', '[', ']']).to_owned());
        names.filter(|name| !name.is_empty()).collect()
    };
    let mut table = BTreeMap::new();
    for cells in rows.filter(|cells| cells.len() == 4 && cells[0].contains('`')) {
        for module in words(cells[0]) {
            assert!(table.insert(module.clone(), words(cells[2])).is_none(), "src/lib.rs has two rows for {module}");
        }
    }
    table
}

#[test]
fn the_imports_are_those_of_the_table_in_lib_rs() {
    let (actual, allowed) = (actual(), allowed());
    let wrong: Vec<String> = actual
        .iter()
        .filter(|(module, imports)| allowed.get(*module) != Some(*imports))
        .map(|(module, imports)| {
            let imports: Vec<String> = imports.iter().map(|name| format!("`{name}`")).collect();
            format!("| `{module}` | … | {} |", imports.join(", "))
        })
        .collect();
    assert!(wrong.is_empty(), "src/lib.rs should say:\n{}", wrong.join("\n"));
    let gone: Vec<&String> = allowed.keys().filter(|module| !actual.contains_key(*module)).collect();
    assert!(gone.is_empty(), "src/lib.rs has rows for modules that do not exist: {gone:?}");
}

#[test]
fn no_module_of_the_core_and_no_edge_module_imports_the_shell() {
    for (module, imports) in actual().iter().filter(|(module, _)| CORE.contains(&module.as_str())) {
        let shell: Vec<&String> = imports.iter().filter(|name| !CORE.contains(&name.as_str())).collect();
        assert!(shell.is_empty(), "{module} imports {shell:?}");
    }
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for (_, path, code) in sources().into_iter().filter(|(module, _, _)| CORE.contains(&module.as_str())) {
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
        .filter(|(module, _, code)| module != "admin" && (code.contains("ShopWriter") || code.contains(".writer(")))
        .map(|(_, path, _)| path.display().to_string())
        .collect();
    let expected = ["apply.rs", "apply/send.rs", "apply/settle.rs", "run/apply.rs"];
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
fn every_module_has_a_description() {
    for (_, path, _) in sources() {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&path)).unwrap();
        assert!(text.starts_with("//!"), "{} has no module docs", path.display());
    }
}
