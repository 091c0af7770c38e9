//! The catalogue is updated from a schema file each quarter, by `.ci/update-catalogue`, and must not grow old.

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::civil::Date;

use crate::world::{A, Run, World, manifest, seed, tool};

/// Oldest catalogue that a build may have, in days: a quarter and a month.
const OLDEST: i64 = 120;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One line of the catalogue's head.
fn head(key: &str) -> String {
    let text = std::fs::read_to_string(repository().join("src/catalog/topics.tsv")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("# {key}: ")));
    line.unwrap_or_else(|| panic!("the catalogue does not say {key}")).to_owned()
}

fn age(updated: &str, built: &str) -> i64 {
    let date = |text: &str| text.parse::<Date>().unwrap_or_else(|e| panic!("{text}: {e}"));
    date(built).duration_since(date(updated)).as_hours() / 24
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that does nothing should say so")]
fn the_catalogue_is_at_most_120_days_older_than_the_build() {
    let updated = head("updated");
    assert_eq!([age(&updated, &updated), age("2026-11-26", "2027-03-26")], [0, OLDEST]);
    let Ok(built) = std::env::var("HOOKWRIGHT_BUILD_DATE") else {
        eprintln!("skipped: HOOKWRIGHT_BUILD_DATE does not say when this is built");
        return;
    };
    let days = age(&updated, &built);
    assert!(
        days <= OLDEST,
        "the catalogue is of {updated}, {days} days before {built}: update it with .ci/update-catalogue (CONTRIBUTING.md)"
    );
}

#[test]
fn a_version_that_leaves_support_is_a_warning_by_the_day_of_the_run() {
    let manifest = manifest("  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n");
    let manifest = manifest.replacen("version: 1\n", "version: 1\nadmin_api: { version: \"2026-04\" }\n", 1);
    let world =
        World::new(&manifest, &seed("acme", &format!("      - {{ topic: orders/create, address: \"{A}\" }}\n")));
    let run = |args: &[&str], seconds: &str| {
        Run::of(&world.command(args).env("SOURCE_DATE_EPOCH", seconds).output().unwrap())
    };
    // 2027-01-30T23:59:59Z and a second later.
    let (quiet, warned) = ("1801353599", "1801353600");
    let warning = "warning[HW118]: support for version 2026-04 of the Admin API ends on 2027-04-01, in 60 days";
    let hint = "write `version: \"2026-10\"`";
    for args in [&["validate"][..], &["plan", "--sandbox"]] {
        run(args, quiet).exits(0).lacks("HW118");
    }
    run(&["validate"], warned).exits(0).out_has_times(1, warning).out_has("hookwright.yaml:2").out_has(hint);
    run(&["plan", "--sandbox"], warned).exits(0).err_has_times(1, warning).err_has("hookwright.yaml:2").err_has(hint);
    run(&["validate", "--deny", "HW118"], "1801353600").exits(3);
    run(&["validate"], "1830000000").exits(0).out_has("ended on 2027-04-01");
}

/// The script on a copy of a catalogue; what it printed, and the catalogue after it.
fn updated(catalogue: &Path, schema: &Path, version: &str, date: &str) -> Option<(Run, String)> {
    tool("python3")?;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("topics.tsv");
    std::fs::copy(catalogue, &copy).unwrap();
    let mut script = Command::new(repository().join(".ci/update-catalogue"));
    script.arg(schema).args([version, date, "--catalogue"]).arg(&copy);
    let run = Run::of(&script.output().unwrap());
    Some((run, std::fs::read_to_string(copy).unwrap()))
}

fn fixture(name: &str) -> PathBuf {
    repository().join("tests/fixtures/catalogue").join(name)
}

#[test]
fn a_new_version_adds_topics_keeps_notes_and_marks_what_is_gone() {
    let of = |version: &str, date: &str| updated(&fixture("topics.tsv"), &fixture("schema.graphql"), version, date);
    let Some((run, after)) = of("2027-01", "2027-01-05") else { return };
    run.exits(0);
    for said in [
        "added: rollouts/allocation_changed (scopes: read_rollouts)",
        "added: shop/update (scopes: none stated)",
        "released: checkouts/paid",
        "published: publications/delete",
        "scopes of returns/approve: read_returns -> read_returns read_marketplace_returns",
        "gone: channels/delete, last seen in 2026-10",
        "9 topics; newest 2027-01, candidate 2027-04, updated 2027-01-05",
    ] {
        run.out_has(said);
    }
    assert_eq!(run.out.lines().count(), 7, "{run}");
    let expected = "# updated: 2027-01-05\n# newest: 2027-01\n# candidate: 2027-04\n\
        # topic\tscope alternatives\tsince\tuntil\ttraits\tnote\n\
        carts/update\tread_orders\t\t\t\twritten by hand\n\
        channels/delete\tread_publications\t\t2026-10\t\t\n\
        checkouts/paid\tread_orders\t2027-01\t\t\t\n\
        customers/redact\t\t\t\tcompliance\tcompliance topic\n\
        publications/delete\tread_publications\t2027-01\t\t\ta note\n\
        returns/approve\tread_returns read_marketplace_returns\t\t\tjson_only\tJSON only\n\
        rollouts/allocation_changed\tread_rollouts\t2027-01\t\t\t\n\
        shop/update\t\t2027-01\t\t\t\n\
        tax_partners/update\tread_taxes\t\t\tundocumented\tobserved in a live shop, not in the published schemas\n";
    assert_eq!(after, expected);

    // Before its release the version is the candidate, and the newest one stays.
    let (run, _) = of("2027-01", "2026-12-01").unwrap();
    run.exits(0).out_has("newest 2026-10, candidate 2027-01, updated 2026-12-01");
    let (run, after) = of("unstable", "2026-12-01").unwrap();
    run.exits(0).out_has("added: shop/update");
    assert!(
        !run.out.contains("gone:") && after.contains("shop/update\t\tunstable\t\t\tin no stable version yet\n"),
        "{run}"
    );
    let before = std::fs::read_to_string(fixture("topics.tsv")).unwrap();
    for (version, date) in [("2026-07", "2026-12-01"), ("2026-11", "2026-12-01"), ("2027-01", "soon")] {
        let (run, after) = of(version, date).unwrap();
        run.exits(1);
        assert_eq!(after, before, "{version} {date}");
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that does nothing should say so")]
fn the_published_schema_of_the_newest_version_changes_no_topic() {
    const SCHEMA: &str = "shared/data/admin-schema-2026-10.graphql";
    // Beside the repository, or beside the folder of its worktrees. It is too large for the repository.
    let places = ["..", "../.."].map(|folder| repository().join(folder).join(SCHEMA));
    let Some(schema) = places.into_iter().find(|path| path.exists()) else {
        eprintln!("skipped: {SCHEMA} not found next to the repository");
        return;
    };
    let catalogue = repository().join("src/catalog/topics.tsv");
    let Some((run, after)) = updated(&catalogue, &schema, "2026-10", &head("updated")) else { return };
    run.exits(0).out_has("no topic changed");
    assert_eq!(after, std::fs::read_to_string(catalogue).unwrap());
}
