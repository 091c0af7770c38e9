//! `validate` for code review: annotations and SARIF name files as the checkout does, whatever folder it is called in,
//! and the schema in the first line of a manifest exists.

use std::path::Path;

use serde_json::Value;

use crate::world::{Run, World};

#[test]
fn a_finding_is_reported_at_its_file_and_line_in_the_checkout() {
    let world = World::new("version: 1\n", "");
    world.write("infra/a,b.yaml", "version: 1\nshops:\n  - { shop: acme, bindings: [], colour: 50% }\n");
    let validate = |format: &str, file: &str, workspace: Option<&Path>| {
        let mut command = world.command(&["validate", "-f", file, "--format", format]);
        command.current_dir(world.path("infra"));
        if let Some(workspace) = workspace {
            command.env("GITHUB_WORKSPACE", workspace);
        }
        let run = Run::of(&command.output().unwrap());
        run.exits(3);
        run.out
    };
    let top = world.path("");
    let absolute = world.path("infra/a,b.yaml").display().to_string();
    for file in ["a,b.yaml", "../infra/a,b.yaml", &absolute] {
        let annotation = validate("github", file, Some(&top));
        assert!(annotation.starts_with("::error file=infra/a%2Cb.yaml,line=3,col=33,title=HW010::"), "{annotation}");
        assert_eq!(annotation.lines().count(), 1, "{annotation}");
    }
    assert!(validate("github", "a,b.yaml", None).starts_with("::error file=a%2Cb.yaml,line=3,"), "without a checkout");

    let results = |text: &str| -> Vec<Value> {
        let sarif: Value = serde_json::from_str(text).unwrap();
        sarif["runs"][0]["results"].as_array().unwrap().clone()
    };
    let found = results(&validate("sarif", &absolute, Some(&top)));
    let place = &found[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "infra/a%2Cb.yaml");
    assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&3.into(), &33.into()));

    // The fingerprint stays when lines come and go above, and differs between findings that look alike.
    let print = |result: &Value| result["partialFingerprints"]["hookwright/v1"].as_str().unwrap().to_owned();
    let text = world.read("infra/a,b.yaml");
    let alike = ["b", "c"].map(|shop| format!("  - {{ shop: {shop}, bindings: [], labels: 50% }}\n")).concat();
    world.write("infra/a,b.yaml", &format!("# a line\n\n{text}{alike}"));
    let moved = results(&validate("sarif", "a,b.yaml", Some(&top)));
    assert_eq!((moved.len(), print(&moved[0])), (3, print(&found[0])));
    assert_eq!(moved[1]["message"], moved[2]["message"]);
    assert_ne!(print(&moved[1]), print(&moved[2]));

    // Of a file as a whole the first line is named: GitHub wants one.
    let missing = results(&validate("sarif", "nowhere.yaml", Some(&top)));
    assert_eq!(missing[0]["locations"][0]["physicalLocation"]["region"]["startLine"], 1);
}

#[test]
fn the_schema_in_the_first_line_of_an_example_exists() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let (mut folders, mut named) = (vec![examples], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let first = text.lines().next().unwrap_or_default();
            if let Some(schema) = first.strip_prefix("# yaml-language-server: $schema=") {
                assert!(folder.join(schema.trim()).is_file(), "{}: {schema}", path.display());
                named += 1;
            }
        }
    }
    assert!(named > 0);
}
