//! The issue of a night.

use super::runner::{Runner, world};
use crate::world::A;

#[test]
fn drift_opens_updates_and_closes_one_issue_and_keeps_its_exit_code() {
    let Some(runner) = Runner::new(world()) else { return };
    let night = |exit: i32| {
        let (look, outputs) = runner.step_of("drift.yaml", "Look", &[]);
        look.exits(0);
        let code = [("CODE", outputs["exit-code"].as_str())];
        runner.step_of("drift.yaml", "Open, update or close the issue", &code).0.exits(0);
        runner.step_of("drift.yaml", "Say it in the exit code", &code).0.exits(exit);
        runner.world.path("gh/issue.open").exists().then(|| runner.world.read("gh/issue.md"))
    };
    let first = night(2).unwrap();
    assert!(first.contains("Plan: 1 to add, 1 to change, 0 to destroy."), "{first}");
    runner.world.edit(&["add", "--shop", "acme", "--topic", "orders/updated", "--address", A]);
    let second = night(2).unwrap();
    assert!(second.contains("Plan: 0 to add, 1 to change, 0 to destroy."), "{second}");
    runner.world.apply(&[]).exits(0);
    assert_eq!(night(0), None);
    assert_eq!(night(0), None);
    runner.world.write("hookwright.yaml", "nonsense: 1\n");
    assert!(night(3).unwrap().contains("failed before it could look (exit code 3)"));
    let log = runner.world.read("gh/log");
    assert_eq!(log.matches("issue create").count(), 2);
    assert_eq!(log.matches("issue close").count(), 1);
}
