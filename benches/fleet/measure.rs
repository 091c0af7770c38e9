//! Runs a program and measures its wall time, CPU time and peak memory.
//!
//! The kernel reports CPU time and peak memory only for all ended children together. So each program is started by a
//! wrapper process that has no other child.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// The resources that a program used.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Took {
    /// Wall time in seconds.
    pub wall: f64,
    /// User and system time in seconds.
    pub cpu: f64,
    /// Peak resident memory in MiB.
    pub peak: f64,
    pub code: i32,
}

/// Runs `command` with only its own environment and writes its output to the file `out`.
pub fn run(command: &Command, out: &Path) -> Took {
    let mut wrapper = Command::new(std::env::current_exe().unwrap());
    wrapper.env_clear().arg("measured").arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        wrapper.env(key, value.unwrap_or_default());
    }
    // The program writes to `out`, the wrapper to the pipe.
    wrapper.env("BENCH_OUT", out).stdin(Stdio::null());
    let output = wrapper.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr));
    })
}

/// The main function of the wrapper process.
pub fn measured(args: &[String]) {
    let out = std::env::var_os("BENCH_OUT").unwrap();
    let out = std::fs::File::create(out).unwrap();
    let mut command = Command::new(&args[0]);
    command.args(&args[1..]).env_remove("BENCH_OUT").stdin(Stdio::null());
    command.stderr(out.try_clone().unwrap()).stdout(out);
    let start = Instant::now();
    let status = command.status().unwrap();
    let wall = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    #[allow(clippy::cast_precision_loss, reason = "KiB of a machine of today")]
    let peak = usage.max_rss() as f64 / 1024.0;
    let took = Took { wall, cpu: cpu(&usage), peak, code: status.code().unwrap_or(-1) };
    println!("{}", serde_json::to_string(&took).unwrap());
}

/// Returns the user and system time of this process in seconds.
pub fn own_cpu() -> f64 {
    cpu(&getrusage(UsageWho::RUSAGE_SELF).unwrap())
}

fn cpu(usage: &Usage) -> f64 {
    let total = usage.user_time() + usage.system_time();
    #[allow(clippy::cast_precision_loss, reason = "microseconds of a run")]
    let micros = total.tv_usec() as f64;
    #[allow(clippy::cast_precision_loss, reason = "seconds of a run")]
    let seconds = total.tv_sec() as f64;
    seconds + micros / 1e6
}
