//! What a manifest and a command line may do to the machine: read nothing outside the manifest's tree, wait for nothing
//! that never ends, overwrite no input, and never panic.

#![cfg(unix)]

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::world::{A, World, manifest, seed};

const SECRET: &str = "s3cr3t-line-of-the-machine";

fn world(more: &str) -> World {
    let shops = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n";
    World::new(
        &format!("{}{more}", manifest(shops)),
        &seed("acme", &format!("      - {{ topic: orders/create, address: \"{A}\" }}\n")),
    )
}

#[test]
fn a_manifest_cannot_read_or_reveal_a_file_outside_its_tree() {
    let outside = tempfile::tempdir().unwrap();
    let at = |name: &str| outside.path().join(name).display().to_string();
    std::fs::write(outside.path().join("app.toml"), format!("{SECRET} = [\n")).unwrap();
    let world = world("");
    for (link, target) in [
        ("link.toml", at("app.toml")),
        ("dangling.toml", at("none.toml")),
        ("folder", at("")),
        ("env.toml", "/proc/self/environ".into()),
    ] {
        symlink(target, world.path(link)).unwrap();
    }
    world.write("notes.json", &format!("{{ \"token\": \"{SECRET}\" "));
    let named = [
        at("app.toml"),
        at("none.toml"),
        "link.toml".into(),
        "dangling.toml".into(),
        "folder/app.toml".into(),
        "folder/none.toml".into(),
        "env.toml".into(),
        "/proc/self/environ".into(),
        "../../../../../../etc/passwd".into(),
    ];
    for name in named {
        let text = format!("app_config: {name}\n{}", manifest("  - { shop: acme, bindings: [] }\n"));
        world.write("hookwright.yaml", &text);
        for format in ["text", "json", "sarif", "github"] {
            let run = world.run(&["validate", "--format", format]);
            run.exits(3).out_has("is outside the folder or repository of the manifest").lacks(SECRET).lacks("HOME=");
            // One diagnostic, and the same whether or not anything is there.
            assert_eq!(run.out.matches("HW043").count().min(2), if format == "sarif" { 2 } else { 1 }, "{run}");
        }
        world.plan(&[]).exits(3);
        world.run(&["plan", "--sandbox", "--base", "hookwright.yaml"]).exits(3);
    }
    world.write(
        "hookwright.yaml",
        &format!("app_config: notes.json\n{}", manifest("  - { shop: acme, bindings: [] }\n")),
    );
    let run = world.run(&["validate"]);
    run.exits(3).out_has("not a TOML file").lacks(SECRET);
}

#[test]
fn a_file_below_a_folder_is_read_only_if_it_is_a_regular_one_in_the_tree() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x.yaml"), format!("{SECRET}: [\n")).unwrap();
    let told = |name: &str, prepare: &dyn Fn(&std::path::Path), says: &str| {
        let world = world("");
        std::fs::create_dir(world.path("m")).unwrap();
        std::fs::rename(world.path("hookwright.yaml"), world.path("m/hookwright.yaml")).unwrap();
        world.run(&["validate", "-f", "m"]).exits(0);
        prepare(&world.path("m").join(name));
        let run = world.run(&["validate", "-f", "m"]);
        run.exits(3).out_has(says).out_has(name);
        run.lacks(SECRET);
    };
    let link = |path: &std::path::Path| symlink(outside.path().join("x.yaml"), path).unwrap();
    told("x.yaml", &link, "is outside");
    told("x.sandbox.yaml", &link, "is outside");
    told("x.yaml", &|path| symlink(outside.path().join("none.yaml"), path).unwrap(), "is outside");
    let pipe = |path: &std::path::Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    told("x.yaml", &pipe, "it is a pipe");
    told("x.sandbox.yaml", &pipe, "it is a pipe");
    told("x.yaml", &|path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()), "it is a socket");
}

#[test]
fn an_endless_secret_fails_only_its_shop_and_does_not_delay_the_run() {
    let shops = |file: &str| {
        format!(
            "version: 1\ndestinations: {{ a: {A} }}\nshops:\n  \
         - {{ shop: acme, auth: {{ access_token: {{ file: \"{file}\" }} }}, bindings: [{{ topic: orders/create, destination: a }}] }}\n  \
         - {{ shop: bolt, auth: {{ access_token: {{ env: TOKEN_BOLT }} }}, bindings: [{{ topic: orders/create, destination: a }}] }}\n"
        )
    };
    let world = World::new(
        &shops("pipe"),
        "sandbox: 1\nshops:\n  - { shop: acme, scopes: [write_orders], token: its-own }\n  - { shop: bolt, scopes: [write_orders] }\n",
    );
    assert!(Command::new("mkfifo").arg(world.path("pipe")).status().unwrap().success());
    let server = crate::scene::Server::start(&world);
    for file in ["pipe", "/dev/ptmx", "/dev/zero", "/proc/kmsg", "/proc/self/environ", "/dev/stdin"] {
        world.write("hookwright.yaml", &shops(file));
        let started = Instant::now();
        let mut command = world.command(&["plan"]);
        let mut child = command
            .env("HOOKWRIGHT_ADMIN_URL", &server.url)
            .env("TOKEN_BOLT", "sandbox-token")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let _open = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(started.elapsed() < Duration::from_secs(20), "{file}");
        assert!(
            text.contains("placeholder token, because") && text.contains("not a regular file")
                || file == "/proc/kmsg" && text.contains("placeholder token, because"),
            "{file}: {text}"
        );
        assert!(text.contains("Plan incomplete: 1 to add"), "the other shop was read: {text}");
    }
}

#[test]
fn an_output_that_is_an_input_or_another_output_is_refused_before_anything_is_opened() {
    let world = world("");
    world.plan(&["--out", "p.json"]).exits(0);
    std::fs::hard_link(world.path("p.json"), world.path("hard.json")).unwrap();
    symlink("p.json", world.path("soft.json")).unwrap();
    let before = (world.read("hookwright.yaml"), world.read("p.json"));
    for args in [
        &["plan", "--sandbox", "--events", "hookwright.yaml"][..],
        &["plan", "--sandbox", "-f", "hookwright.yaml", "--out", "./hookwright.yaml"],
        &["plan", "--sandbox", "-f", ".", "--events", "new.yaml"],
        &["plan", "--sandbox", "--out", "x.json", "--events", "y/../x.json"],
        &["plan", "--sandbox", "--base", "b.yaml", "--out", "b.yaml"],
        &["plan", "--sandbox", "--sandbox-state", "x.json", "--out", "x.json"],
        &["apply", "--sandbox", "p.json", "--events", "p.json"],
        &["apply", "--sandbox", "p.json", "--events", "hard.json"],
        &["apply", "--sandbox", "p.json", "--report", "soft.json"],
        &["apply", "--sandbox", "p.json", "--journal", "p.json"],
        &["apply", "--sandbox", "p.json", "--report", "x", "--journal", "x"],
        &["apply", "--sandbox", "p.json", "--checked", "c.json", "--report", "c.json"],
        &["drift", "--sandbox", "--out", "x", "--metrics", "x"],
        &["drift", "--sandbox", "--since", "s.json", "--metrics", "s.json"],
        &["show", "p.json", "--check", "--out", "p.json"],
        &["plan", "--sandbox", "--out", "world.sandbox.yaml"],
        &["plan", "--sandbox", "-f", "hookwright.yaml", "--out", "new.sandbox.yaml"],
        &["plan", "--sandbox", "--sandbox-state", "s.json", "--out", "s.json.journal"],
        &["plan", "--sandbox", "--sandbox-state", "s.json", "--events", "s.json.log.jsonl"],
        &["apply", "--sandbox", "p.json", "--sandbox-state", "s.json", "--journal", "s.json.lock"],
    ] {
        let run = world.run(args);
        assert_eq!(run.code, 3, "{args:?}: {run}");
        assert!(run.err.contains("nothing was read or written"), "{args:?}: {run}");
        assert_eq!((world.read("hookwright.yaml"), world.read("p.json")), before, "{args:?}");
        assert!(!world.path("x").exists() && !world.path("new.yaml").exists(), "{args:?}");
    }
    // Another file of the user is not changed either, and an earlier stream is replaced.
    world.write("notes.txt", "mine");
    world.plan(&["--events", "notes.txt"]).exits(3).err_has("not an event stream");
    assert_eq!(world.read("notes.txt"), "mine");
    world.plan(&["--events", "events.jsonl"]).exits(0);
    world.plan(&["--events", "events.jsonl"]).exits(0);
    world.plan(&["--events", "/dev/null", "--out", "/dev/null"]).exits(0);
    world.run(&["drift", "--sandbox", "--out", "d.json"]).exits(0);
    world.run(&["drift", "--sandbox", "--since", "d.json", "--out", "d.json"]).exits(0);
}

#[test]
fn endless_and_oversized_files_are_not_read() {
    let world = world("");
    for args in [
        &["show", "/dev/zero"][..],
        &["apply", "--sandbox", "/dev/zero"],
        &["drift", "--sandbox", "--since", "/dev/zero"],
    ] {
        world.run(args).exits(3).err_has("a device, not a regular file");
    }
    assert!(Command::new("mkfifo").arg(world.path("pipe")).status().unwrap().success());
    for args in [
        &["sandbox", "seed", "pipe"][..],
        &["sandbox", "seed", "/dev/zero"],
        &["sandbox", "serve", "--listen", "127.0.0.1:0", "--faults", "pipe"],
        &["plan", "--sandbox", "--sandbox-state", "pipe"],
    ] {
        let run = world.run(args);
        assert!(run.code == 3 && run.err.contains("not a regular file"), "{args:?}: {run}");
    }
    let large = std::fs::File::create(world.path("large.json")).unwrap();
    large.set_len(3 << 30).unwrap();
    world.run(&["show", "large.json"]).exits(3).err_has("larger than 2048 MiB");
    // One damaged line of a journal costs nothing but itself.
    world.apply(&["--journal", "j.jsonl"]).exits(0);
    let journal = world.read("j.jsonl")
        + &world.read("j.jsonl").lines().last().unwrap().replace("\"at\":\"20", "\"at\":\"x")
        + "\n";
    world.write("j.jsonl", &journal);
    world.run(&["drift", "--sandbox", "--since", "j.jsonl"]).exits(0);
}

#[test]
fn no_option_makes_the_program_panic() {
    let world = world("");
    let nested = format!("{}a{}", "{".repeat(300), "}".repeat(300));
    for args in [
        &["plan", "--sandbox", "--shop", &nested][..],
        &["plan", "--sandbox", "--exclude-shop", &nested],
        &["apply", "--sandbox", "--auto-approve", "--allow", &format!("empty_shop:{nested}")],
        &["plan", "--sandbox", "--secrets", &format!("env:{nested}")],
        &["sandbox", "serve", "--listen", "127.0.0.1:0", "--fault", &format!("drop,shop={nested}")],
        &["plan", "--sandbox", "--timeout", "9223372036854775000s"],
        &["plan", "--sandbox", "--timeout", "9223372036854775807s"],
        &["auth", "login", "--sandbox", "--shop", "acme", "--wait", "9223372036854775000s"],
    ] {
        world.run(args).exits(3);
    }
    // Too few open files or threads: said, and not a panic.
    for limit in ["-n 5", "-n 6", "-n 7", "-n 8", "-n 10", "-n 12", "-n 14", "-n 15", "-n 16", "-n 18"] {
        let binary = env!("CARGO_BIN_EXE_hookwright");
        let script = format!("ulimit {limit} && exec {binary} plan --sandbox");
        let output = Command::new("sh").args(["-c", &script]).current_dir(world.path("")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| code < 9), "{limit}: {text}");
        assert!(!text.contains("panicked"), "{limit}: {text}");
    }
}

#[test]
fn a_run_that_is_killed_leaves_no_file_of_its_own() {
    let world = world("");
    let server = crate::scene::Server::start_with(&world, &["--fault", "latency,ms=5000"]);
    std::fs::create_dir(world.path("out")).unwrap();
    for args in [
        &["drift", "--out", "out/d.json", "--metrics", "out/m.prom"][..],
        &["plan", "--out", "out/p.json"],
        &["apply", "--auto-approve", "--report", "out/r.json"],
    ] {
        let mut command = world.command(args);
        let command = command.env("HOOKWRIGHT_ADMIN_URL", &server.url).env("TOKEN_ACME", "sandbox-token");
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        // The request is under way by then, and the outputs are known to be writable.
        std::thread::sleep(Duration::from_millis(700));
        assert!(child.try_wait().unwrap().is_none(), "{args:?} still waits for its answer");
        child.kill().unwrap();
        child.wait().unwrap();
        let left: Vec<_> = std::fs::read_dir(world.path("out")).unwrap().flatten().map(|e| e.file_name()).collect();
        assert!(left.is_empty(), "{args:?}: {left:?}");
    }
}

#[test]
fn a_limit_of_the_size_of_files_is_an_error_and_leaves_nothing_behind() {
    let world = world("");
    world.plan(&[]).exits(0);
    std::fs::create_dir(world.path("out")).unwrap();
    let names = |folder: &str| -> Vec<_> {
        let mut names: Vec<_> =
            std::fs::read_dir(world.path(folder)).unwrap().flatten().map(|e| e.file_name()).collect();
        names.sort();
        names
    };
    let before = names(".hookwright");
    let binary = env!("CARGO_BIN_EXE_hookwright");
    // 512 bytes: less than a plan, a metrics file or a state.
    for options in ["plan --sandbox --out out/p.json", "drift --sandbox --metrics out/m.prom"] {
        let script = format!("ulimit -f 1 && exec {binary} {options}");
        let output = Command::new("sh").args(["-c", &script]).current_dir(world.path("")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(1 | 3)), "{options}: {:?} {text}", output.status);
        assert!(text.contains("File too large"), "{options}: {text}");
        assert_eq!((names("out"), names(".hookwright")), (vec![], before.clone()), "{options}");
    }
}
