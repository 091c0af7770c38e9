//! The ways to give the tokens of many shops to a job: examples/github-actions/secrets.yaml and
//! examples/gitlab/oidc.gitlab-ci.yml.

use serde_json::{Value, json};

use super::runner::{Runner, example, script};
use crate::world::World;

const WORKFLOW: &str = "github-actions/secrets.yaml";

/// The comment lines of a file that show the `auth` of the manifest.
fn auths(file: &str) -> Vec<String> {
    example(file)
        .lines()
        .filter_map(|l| l.trim_start_matches(['#', ' ']).strip_prefix("auth: ").map(str::to_owned))
        .collect()
}

/// Two shops, and a manifest with this `auth`.
fn runner(auth: &str) -> Option<Runner> {
    let shops = "shops: [{ shop: tea-house, bindings: [] }, { shop: x, bindings: [] }]\n";
    Runner::new(World::new(
        &format!("version: 1\nauth: {auth}\n{shops}"),
        &format!("sandbox: 1\n{shops}").replace(", bindings: []", ""),
    ))
}

/// The variables of the last step of a job of the workflow.
fn env(job: &str) -> Vec<(String, String)> {
    let yaml: Value = serde_yaml::from_str(&example(WORKFLOW)).unwrap();
    let steps = yaml["jobs"][job]["steps"].as_array().unwrap();
    let env = steps.last().unwrap()["env"].as_object().unwrap();
    env.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// Runs `auth status` as a job of the workflow does, and returns what it printed.
fn status(runner: &Runner, job: &str, code: &str) -> String {
    let env = env(job);
    let mut env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    env.extend([("COMMAND", "auth"), ("OPTIONS", "status -f hookwright.yaml")]);
    let (run, outputs) = runner.step("Run hookwright", &env);
    run.exits(0);
    assert_eq!(outputs["exit-code"], code, "{run}");
    run.out
}

#[test]
fn tokens_become_a_file_that_only_the_program_reads() {
    let auths = auths(WORKFLOW);
    assert_eq!(auths.len(), 3);
    let one = json!({ "tea-house": "shpat_a", "x.myshopify.com": "shpat_b" });
    let each = json!({ "SHOPIFY_TOKEN_TEA_HOUSE": "shpat_a", "SHOPIFY_TOKEN_X": "shpat_b", "AEP_CLIENT_SECRET": "p8e", "github_token": "ghs" });
    for (job, auth, secrets) in [("one-secret", &auths[1], one), ("each-secret", &auths[2], each)] {
        let Some(runner) = runner(auth) else { return };
        // The checkout puts links in the way.
        std::os::unix::fs::symlink(runner.world.path("gh"), runner.world.path(".hookwright")).unwrap();
        let written = runner.step("Write the tokens of the shops", &[("TOKENS", &secrets.to_string())]).0;
        written.exits(0).out_has("::add-mask::shpat_a").out_has("::add-mask::shpat_b").lacks("p8e").lacks("ghs");
        assert!(!runner.world.path("gh/shop-tokens.json").exists());
        let file = runner.world.path(".hookwright/shop-tokens.json");
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        let kept: Value = serde_json::from_str(&runner.world.read(".hookwright/shop-tokens.json")).unwrap();
        assert_eq!((kept["tea-house"].as_str(), kept.as_object().unwrap().len()), (Some("shpat_a"), 2), "{kept}");
        let said = status(&runner, job, "0");
        assert!(said.contains("2 shops: 2 ready") && !said.contains("placeholder"), "{said}");
        runner.step("Remove the tokens of the shops", &[]).0.exits(0);
        assert!(!file.exists());
        let said = status(&runner, job, "0");
        assert!(said.contains("uses a placeholder. For a real shop: "), "without the file it shows: {said}");
    }
}

#[test]
fn tokens_that_are_no_object_are_refused_and_not_shown() {
    for wrong in ["shpat_secret", "\"shpat_secret\"", "[\"shpat_secret\"]", "{\"x\": \"shpat_secret\""] {
        let Some(runner) = runner("{ access_token: { env: T } }") else { return };
        let run = runner.step("Write the tokens of the shops", &[("TOKENS", wrong)]).0;
        run.exits(1).out_has("the input tokens is not a JSON object of shops and tokens").lacks("shpat_secret");
    }
}

/// A stand-in for the AWS CLI: knows one secret, and its callers by the file of the identity.
fn aws(runner: &Runner, command: &str) {
    let text = format!(
        "#!/usr/bin/env bash\n[ \"aws $*\" = '{command}' ] && [ \"$(cat \"$AWS_WEB_IDENTITY_TOKEN_FILE\")\" = identity ] || {{ echo denied >&2; exit 1; }}\n\
         echo '{{\"tea-house\": \"shpat_a\", \"x\": \"shpat_b\"}}'\n"
    );
    runner.world.write("bin/aws", &text);
    runner.executable("aws");
}

#[test]
fn a_secret_store_gives_the_tokens_to_a_job_that_logs_in_with_openid_connect() {
    let Some(runner) = runner(&auths(WORKFLOW)[0]) else { return };
    let allowed = env("store").into_iter().find(|(name, _)| name == "HOOKWRIGHT_SECRETS").unwrap().1;
    aws(&runner, allowed.strip_prefix("command:").unwrap());
    assert!(status(&runner, "store", "0").contains("denied"), "without a login");
    let file = runner.world.path("identity");
    runner.world.write("identity", "identity");
    let login = ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap());
    let run = |env: &[(&str, &str)]| {
        let all = [&[login, ("COMMAND", "auth"), ("OPTIONS", "status -f hookwright.yaml")], env].concat();
        runner.step("Run hookwright", &all).0
    };
    let allow = ("HOOKWRIGHT_ALLOW_COMMANDS", "1");
    run(&[allow, ("HOOKWRIGHT_SECRETS", &allowed)]).out_has("2 shops: 2 ready").lacks("placeholder");
    run(&[("HOOKWRIGHT_SECRETS", &allowed)]).out_has("--allow-commands");
    // A pull request cannot read another secret of the store.
    let other = runner.world.read("hookwright.yaml").replace("hookwright/shop-tokens", "another");
    runner.world.write("hookwright.yaml", &other);
    run(&[allow, ("HOOKWRIGHT_SECRETS", &allowed)]).out_has("is not allowed by `--secrets`");
}

#[test]
fn gitlab_logs_in_with_openid_connect() {
    let file = "gitlab/oidc.gitlab-ci.yml";
    let Some(runner) = runner(&auths(file)[0]) else { return };
    let yaml: Value = serde_yaml::from_str(&example(file)).unwrap();
    let allowed = yaml[".aws"]["variables"]["HOOKWRIGHT_SECRETS"].as_str().unwrap();
    aws(&runner, allowed.strip_prefix("command:").unwrap());
    for job in ["plan", "apply", "drift"] {
        assert_eq!(yaml[job], json!({ "extends": ".aws" }), "{job}");
        assert!(!script(".gitlab-ci.yml", job).is_empty(), "the job of the included file");
    }
    // A link in the place of the file is not followed.
    let identity = runner.world.path("identity");
    std::os::unix::fs::symlink("kept", &identity).unwrap();
    runner.world.write("kept", "kept");
    let jobs = script("oidc.gitlab-ci.yml", ".aws") + "hookwright auth status -f hookwright.yaml\n";
    let env = [
        ("AWS_ID_TOKEN", "identity"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", identity.to_str().unwrap()),
        ("HOOKWRIGHT_ALLOW_COMMANDS", yaml[".aws"]["variables"]["HOOKWRIGHT_ALLOW_COMMANDS"].as_str().unwrap()),
        ("HOOKWRIGHT_SECRETS", allowed),
    ];
    runner.sh(&jobs, &env).exits(0).out_has("2 shops: 2 ready").lacks("placeholder");
    assert_eq!(runner.world.read("kept"), "kept");
}
