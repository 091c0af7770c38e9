//! Files that a command writes, and a standard output that cannot be written.

use crate::world::{World, manifest, seed};

fn world() -> World {
    let shop = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n";
    World::new(&manifest(shop), &seed("acme", "      []\n"))
}

#[test]
fn a_report_that_cannot_be_written_is_noticed_before_anything_is_sent() {
    let world = world();
    world.plan(&["--out", "plan.json"]).exits(0);
    let asked = world.requests().len();
    let run = world.run(&["apply", "--sandbox", "plan.json", "--report", "no/such/folder/report.json"]);
    run.exits(3).err_has("cannot write no/such/folder/report.json");
    assert!(!run.err.contains(".hookwright-"), "{run}");
    world.run(&["plan", "--sandbox", "--out", "no/plan.json"]).exits(3);
    assert_eq!(world.requests().len(), asked);
    world.run(&["apply", "--sandbox", "plan.json", "--report", "."]).exits(3).err_has("folder");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_devices_are_not_replaced() {
    use std::os::unix::fs::FileTypeExt as _;
    let world = world();
    std::os::unix::fs::symlink("target.json", world.path("link.json")).unwrap();
    world.plan(&["--out", "link.json"]).exits(0);
    assert!(world.path("link.json").is_symlink() && world.read("target.json").contains("plan_digest"));
    world.plan(&["--out", "link.json"]).exits(0);
    assert!(world.path("link.json").is_symlink());
    let fifo = world.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || std::fs::read_to_string(fifo).unwrap()
    });
    world.plan(&["--out", "pipe"]).exits(0);
    assert!(reader.join().unwrap().contains("plan_digest"));
    assert!(std::fs::metadata(&fifo).unwrap().file_type().is_fifo());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_on_standard_output_is_an_error_and_a_closed_pipe_is_not() {
    let world = world();
    for args in [&["plan", "--sandbox", "--format", "json"][..], &["schema", "plan"], &["topics"], &["validate"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = world.command(args).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"), "{args:?}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(world.command(&["topics"]).stdout(writer).status().unwrap().code(), Some(0));
}
