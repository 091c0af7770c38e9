//! The issue of a night.

use serde_json::Value;

use super::runner::{Runner, world};
use crate::world::A;

/// Runs the steps of the action for a night. Returns the body of the open issue with this title.
fn night(runner: &Runner, env: &[(&str, &str)], exit: i32, title: &str) -> Option<String> {
    let command = [env, &[("COMMAND", "drift")]].concat();
    let (look, outputs) = runner.step("Run hookwright", &command);
    look.exits(0);
    // A run without drift is kept, too: it is the last proof that the subscriptions were live.
    assert_eq!(outputs["kept"], "true");
    let code = [env, &[("CODE", outputs["exit-code"].as_str())]].concat();
    runner.step("Open, update or close the issue", &code).0.exits(0);
    runner.ends("drift", &outputs).exits(exit);
    let issues = runner.gh("issues");
    let mut open = issues.as_array().unwrap().iter().filter(|issue| issue["open"] == true && issue["title"] == title);
    let body = open.next().map(|issue: &Value| issue["body"].as_str().unwrap().to_owned());
    assert!(open.next().is_none(), "one issue: {issues}");
    body
}

#[test]
fn drift_opens_updates_and_closes_one_issue_and_keeps_its_exit_code() {
    let Some(runner) = Runner::new(world()) else { return };
    let night = |exit: i32| night(&runner, &[], exit, "Webhooks have drifted");
    let first = night(2).unwrap();
    assert!(first.contains("Drift: 1 missing, 1 changed, 0 extra."), "{first}");
    assert!(runner.world.read("summary.md").contains("Drift: 1 missing, 1 changed, 0 extra."));
    runner.world.edit(&["add", "--shop", "acme", "--topic", "orders/updated", "--address", A]);
    let second = night(2).unwrap();
    assert!(second.contains("0 removed, 1 changed, 0 extra, 0 not yet created"), "{second}");
    assert!(
        second.contains("0 reported for the first time, 1 reported before"),
        "the report of the night before: {second}"
    );
    runner.world.apply(&[]).exits(0);
    assert_eq!(night(0), None);
    assert_eq!(night(0), None);
    runner.world.write("hookwright.yaml", "nonsense: 1\n");
    assert!(night(3).unwrap().contains("failed before it could look (exit code 3)"));
    let log = runner.world.read("gh/log");
    assert_eq!(log.matches("issue create").count(), 2);
    assert_eq!(log.matches("issue close").count(), 1);
    assert_eq!(runner.gh("issues")[0]["body"], "mine", "an issue with another title is not touched");
}

#[test]
fn each_environment_has_its_own_issue() {
    let Some(runner) = Runner::new(super::environments::world()) else { return };
    runner.world.edit(&["remove", "--shop", "globex-staging", "--topic", "orders/create"]);
    let night = |name: &str, exit: i32| {
        let options = format!("--label env={name}");
        let title = format!("Webhooks have drifted: {name}");
        night(&runner, &[("NAME", name), ("OPTIONS", &options)], exit, &title)
    };
    assert_eq!(night("prod", 0), None);
    let staging = night("stage", 2).unwrap();
    assert!(staging.contains("globex-staging"), "{staging}");
    runner.world.edit(&["remove", "--shop", "acme", "--topic", "orders/create"]);
    let prod = night("prod", 2).unwrap();
    assert!(prod.contains("acme") && !prod.contains("globex-staging"), "{prod}");
    runner.world.apply(&["--label", "env=stage"]).exits(0);
    assert_eq!(night("stage", 0), None);
    assert!(night("prod", 2).is_some());
    let log = runner.world.read("gh/log");
    assert_eq!((log.matches("issue create").count(), log.matches("issue close").count()), (2, 1), "{log}");
}
