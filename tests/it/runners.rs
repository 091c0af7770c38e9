//! Nothing that is printed is a command to the CI runner that reads the output.

use serde_json::Value;

use crate::world::{B, World, manifest, seed};

const MARKS: [&str; 3] = ["##[", "##vso[", "##teamcity["];
/// A name of a subscription and an address, as a server would give them.
const HOSTILE: &str = "##[add-path]x ##vso[task.x]y ##teamcity[z]";

#[track_caller]
fn harmless(text: &str) {
    for mark in MARKS {
        assert!(!text.contains(mark), "{mark} in:\n{text}");
    }
    assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
}

fn world() -> World {
    let shop = format!(
        "  - {{ shop: acme, bindings: [{{ topic: orders/create, destination: a, filter: \"note:'{HOSTILE}'\" }}] }}\n"
    );
    let live = format!(
        "      - {{ topic: orders/create, address: \"{B}\", filter: \"tag:'{HOSTILE}'\" }}\n      - {{ topic: \
         orders/updated, address: \"https://other.example/##[add-path]x\" }}\n"
    );
    World::new(&manifest(&shop), &seed("acme", &live))
}

#[test]
fn no_output_of_any_command_is_a_command_to_a_runner() {
    let world = world();
    world.plan(&["--out", "plan.json"]).exits(0);
    let mut outputs = vec![
        world.plan(&["-vvv"]),
        world.plan(&["-vvv", "--log-format", "json", "--format", "json"]),
        world.run(&["drift", "--sandbox", "--format", "markdown"]),
        world.run(&["apply", "--sandbox", "--auto-approve", "--events", "-"]),
        world.run(&["import", "--sandbox", "-f", "hookwright.yaml", "--all"]),
        world.run(&["validate", "--format", "\n::error::x ##[error]y"]),
    ];
    for format in ["text", "json", "markdown", "html"] {
        outputs.push(world.run(&["show", "plan.json", "--format", format]));
    }
    for run in &outputs {
        harmless(&run.out);
        harmless(&run.err);
    }
    let told = outputs.iter().filter(|run| run.out.contains("add-path"));
    assert!(told.count() >= 8, "the texts are there, disarmed");
}

#[test]
fn escaping_for_runners_does_not_change_json_and_yaml() {
    let world = world();
    let plan = world.plan_json(&[]);
    assert_eq!(plan["shops"][0]["changes"][0]["after"]["filter"], format!("note:'{HOSTILE}'"));
    let run = world.run(&["apply", "--sandbox", "--auto-approve", "--events", "-"]);
    let events: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.len() > 3, "{run}");
    let imported = world.run(&["import", "--sandbox", "-f", "hookwright.yaml", "--all"]);
    world.write("hookwright.yaml", &imported.out);
    world.converged();
}

#[test]
fn annotations_for_github_are_commands_and_their_content_is_escaped() {
    let binding = "{ topic: \"##[add-path]/a,b:c%\\n::error::x\", destination: a }";
    let world =
        World::new(&manifest(&format!("  - {{ shop: acme, bindings: [{binding}] }}\n")), &seed("acme", "      []\n"));
    for format in ["text", "json", "sarif"] {
        harmless(&world.run(&["validate", "--format", format]).exits(3).out);
    }
    let run = world.run(&["validate", "--format", "github"]);
    run.exits(3).out_has("::error file=hookwright.yaml,line=").out_has("c%25");
    assert!(
        run.out.lines().all(|line| line.starts_with("::error file=") || line.starts_with("::warning file=")),
        "{run}"
    );
    for mark in MARKS {
        assert!(!run.out.contains(mark), "{run}");
    }
}
