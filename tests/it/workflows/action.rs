//! What the action does around each command: exit codes, workflow commands, pinned actions.

use super::runner::{Runner, root, script, world};

#[test]
fn an_exit_code_that_is_not_accepted_fails_the_action_and_is_reported() {
    let Some(runner) = Runner::new(world()) else { return };
    let run =
        |command: &str, options: &str| runner.step("Run hookwright", &[("COMMAND", command), ("OPTIONS", options)]);
    let (done, outputs) = run("plan", "--detailed-exitcode");
    done.exits(0);
    assert_eq!(outputs["exit-code"], "2");
    for (accept, exit) in [("0", 2), ("0 2", 0), ("0 22", 2)] {
        let env = [("COMMAND", "plan"), ("ACCEPT", accept), ("CODE", "2")];
        runner.step("Say it in the exit code", &env).0.exits(exit);
    }
    run("plan", "--shop $(touch${IFS}owned) --shop *").0.exits(0);
    assert!(!runner.world.path("owned").exists(), "options are not evaluated by a shell");
    assert_eq!(run("version", "").1["exit-code"], "3", "a command that does not exist");
    assert_eq!(run("none", "").1["exit-code"], "0");
}

#[test]
fn commands_of_the_runner_are_stopped_while_the_program_runs() {
    let Some(runner) = Runner::new(world()) else { return };
    // Replaces the program, with commands in both of its streams.
    runner.world.write(
        "bin/hookwright",
        "#!/usr/bin/env bash\necho '##[add-path]/tmp'; echo '::error::x' >&2; echo '::error file=a,line=1::b'\n",
    );
    let mut tokens = Vec::new();
    for command in ["drift", "validate"] {
        let (run, _) = runner.step("Run hookwright", &[("COMMAND", command)]);
        run.exits(0);
        assert_eq!(run.err, "", "one stream, in order");
        let token = run.out.lines().next().unwrap().strip_prefix("::stop-commands::").unwrap().to_owned();
        assert!(token.len() == 64, "{token}");
        let (inside, after) = run.out.split_once(&format!("\n::{token}::\n")).unwrap();
        assert!(inside.contains("::error::x"), "{run}");
        assert_eq!(after, if command == "validate" { "::error file=a,line=1::b\n" } else { "" });
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn a_plan_validates_first_with_annotations_and_a_fork_is_only_validated() {
    let Some(runner) = Runner::new(world()) else { return };
    let plan = |fork: &str| runner.step("Run hookwright", &[("COMMAND", "plan"), ("FORK", fork)]);
    let (run, outputs) = plan("true");
    run.exits(0).lacks("Plan: ").out_has("no access to secrets, so no plan was created");
    assert_eq!((outputs["exit-code"].as_str(), outputs.get("shown")), ("0", None));
    assert_eq!(runner.world.requests().len(), 0, "a fork has no secrets");
    assert_eq!(plan("false").1["shown"], "plan");
    let invalid = runner.world.read("hookwright.yaml").replace("orders/updated", "orders/updatd");
    runner.world.write("hookwright.yaml", &invalid);
    for fork in ["true", "false"] {
        let (run, outputs) = plan(fork);
        let after = run.out.rsplit_once("::\n").unwrap().1;
        assert!(after.starts_with("::error file=hookwright.yaml,line="), "{run}");
        assert_eq!((outputs["exit-code"].as_str(), outputs.get("shown")), ("3", None));
    }
}

#[test]
fn workflows_use_no_path_from_an_output_and_build_nothing_in_the_checkout() {
    let read = |file: &str| std::fs::read_to_string(root().join("examples/github-actions").join(file)).unwrap();
    for file in ["plan.yaml", "apply.yaml", "drift.yaml", "secrets.yaml", "action/action.yml"] {
        let text = read(file);
        for uses in text.lines().filter_map(|line| line.trim_start_matches(['-', ' ', '#']).strip_prefix("uses: ")) {
            let commit = uses.split_once('@').unwrap().1.split(' ').next().unwrap();
            assert!(commit.len() == 40 && commit.bytes().all(|c| c.is_ascii_hexdigit()), "{file}: {uses}");
        }
        for expression in text.split("${{").skip(1).filter_map(|part| part.split("}}").next()) {
            let output = expression.split(".outputs.").nth(1).map(|name| name.split([' ', ')']).next().unwrap());
            assert!(
                output.is_none_or(|name| ["exit-code", "digest", "pull", "shown", "artifact-url"].contains(&name)),
                "{file}: {expression}"
            );
        }
        assert!(!text.contains("GITHUB_PATH") && !text.contains("GITHUB_ENV"), "{file}");
    }
    let install = script("action/action.yml", "Install hookwright");
    assert!(install.find("cd \"$(mktemp -d \"$RUNNER_TEMP").unwrap() < install.find("cargo install").unwrap());
}
