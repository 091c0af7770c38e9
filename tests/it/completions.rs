//! Completions in a real shell.

#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::world::World;

const PROMPT: &str = "ready> ";

/// An interactive bash on a terminal of its own, which util-linux's `script` makes.
struct Bash {
    child: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<String>>,
}

impl Bash {
    fn start(world: &World) -> Self {
        let mut command = Command::new("script");
        command.args(["-qec", "bash --noprofile --norc -i", "/dev/null"]).current_dir(world.path("")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("TERM", "dumb").env("HOME", world.path(""));
        command.env("INPUTRC", "/dev/null").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (keys, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n) = out.read(&mut bytes) {
                if n == 0 {
                    return;
                }
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        });
        let mut bash = Self { child, keys, screen };
        let binary = env!("CARGO_BIN_EXE_hookwright");
        // The function replaces the program and prints the line at the time of Enter.
        for line in [
            "bind 'set show-all-if-ambiguous on'; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'",
            "bind 'set page-completions off'; bind 'set completion-query-items 0'",
            &format!("source <({binary} completions bash)"),
            "hookwright() { printf 'typed <%s>\\n' \"$*\"; }",
        ] {
            bash.press(&format!("{line}\n"));
        }
        // The quotes keep the terminal's echo of this line from being taken for the prompt.
        bash.press("PS1='rea''dy> '\n");
        bash.wait(PROMPT);
        bash
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen has it, and returns the screen.
    #[track_caller]
    fn wait(&self, text: &str) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen.lock().unwrap().clone();
            if screen.contains(text) {
                return screen;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{text:?} does not come: {screen}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types a line; returns all that was shown, up to the next prompt.
    #[track_caller]
    fn enter(&mut self, keys: &str) -> String {
        self.screen.lock().unwrap().clear();
        self.press(keys);
        self.press("\n");
        let screen = self.wait("typed <");
        let (_, typed) = screen.split_once("typed <").unwrap();
        assert!(!typed.contains("typed <"), "{screen}");
        self.wait(&format!(">\r\n{PROMPT}"))
    }

    /// The line that stood there when Enter was pressed.
    #[track_caller]
    fn typed(&mut self, keys: &str) -> String {
        let screen = self.enter(keys);
        let (_, typed) = screen.split_once("typed <").unwrap();
        typed.split(">\r\n").next().unwrap_or_default().to_owned()
    }

    /// What a tab offers where several things fit, sorted.
    #[track_caller]
    fn offered(&mut self, keys: &str) -> Vec<String> {
        let screen = self.enter(&format!("{keys}\t"));
        let (offered, _) = screen.split_once("typed <").unwrap();
        // The line as typed, the offers, and the line again.
        let lines = offered.lines().filter(|line| !line.contains("hookwright "));
        let words: BTreeSet<String> = lines.flat_map(str::split_whitespace).map(ToOwned::to_owned).collect();
        words.into_iter().collect()
    }
}

impl Drop for Bash {
    fn drop(&mut self) {
        let _ = self.keys.write_all(b"\x15exit\n");
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_bash_completes_commands_options_values_and_files() {
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    if !(there("bash") && there("script")) {
        assert!(std::env::var_os("HOOKWRIGHT_CI_TOOLS").is_none(), "bash or script is missing");
        eprintln!("skipped: bash or script (util-linux), which provides a terminal, not found");
        return;
    }
    let world = World::new("", "");
    world.write("shops/acme.yaml", "");
    let mut bash = Bash::start(&world);

    // Commands, also below another.
    assert_eq!(bash.typed("hookwright val\t"), "validate");
    assert_eq!(bash.typed("hookwright sand\tser\t"), "sandbox serve");
    let commands = bash.offered("hookwright ");
    for command in
        ["init", "validate", "plan", "apply", "drift", "show", "topics", "schema", "sandbox", "completions", "man"]
    {
        assert!(commands.iter().any(|c| c == command), "{command}: {commands:?}");
    }
    // Options.
    assert_eq!(bash.typed("hookwright apply --auto\t"), "apply --auto-approve");
    let options = bash.offered("hookwright plan --");
    for option in ["--file", "--shop", "--label", "--out", "--events", "--format", "--tolerate", "--sandbox"] {
        assert!(options.iter().any(|o| o == option), "{option}: {options:?}");
    }
    // Values of options.
    assert_eq!(bash.typed("hookwright plan --tolerate fr\t"), "plan --tolerate frozen");
    assert_eq!(bash.offered("hookwright plan --tolerate "), ["frozen", "locked", "uninstalled"]);
    assert_eq!(bash.offered("hookwright validate --format "), ["github", "json", "sarif", "text"]);
    assert_eq!(bash.typed("hookwright completions el\t"), "completions elvish");
    assert_eq!(bash.typed("hookwright schema ev\t"), "schema events");
    // Files and folders.
    assert_eq!(bash.typed("hookwright plan -f hookw\t"), "plan -f hookwright.yaml");
    assert_eq!(bash.typed("hookwright plan --file sho\tac\t"), "plan --file shops/acme.yaml");
    assert_eq!(bash.typed("hookwright show world\t"), "show world.sandbox.yaml");
    // A glob of shops is not a file.
    assert_eq!(bash.typed("hookwright plan --shop sho\t"), "plan --shop sho");
}
