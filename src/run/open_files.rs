//! Divides the number of files that this process can have open. Most of them are connections.

/// Number of files that are reserved for everything except connections.
const RESERVE: usize = 64;
/// Maximum number of shops with idle connections, which need memory, too.
const MOST: usize = 2_048;

/// How the open files are divided.
pub(super) struct Shares {
    /// Number of shops at a time: the wanted number or less.
    pub(super) at_a_time: usize,
    /// Number of shops whose connections can stay open until their changes are sent.
    pub(super) waiting: usize,
    /// Message if the number of shops at a time is less than wanted.
    pub(super) remark: Option<String>,
}

/// Divides the open files of this process for `wanted` shops at a time.
pub(super) fn shares(wanted: usize) -> Shares {
    shared_out(soft_limit(), wanted)
}

/// Returns the soft limit of open files.
#[cfg(unix)]
fn soft_limit() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Returns a number of open files that all systems allow.
#[cfg(not(unix))]
fn soft_limit() -> usize {
    256
}

/// Divides `limit` open files. A shop can need two files while it connects: for a name lookup, or for two addresses.
fn shared_out(limit: usize, wanted: usize) -> Shares {
    let room = limit.saturating_sub(RESERVE);
    let at_a_time = wanted.min(room / 2).max(1);
    let remark = (at_a_time < wanted).then(|| {
        format!(
            "{at_a_time} shops at a time instead of {wanted}, because this process can have at most {limit} files \
             open. Raise the limit (`ulimit -n`), or lower `--parallelism`"
        )
    });
    Shares { at_a_time, waiting: room.saturating_sub(at_a_time).min(MOST), remark }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_soft_limit_counts() {
        let limits = std::fs::read_to_string("/proc/self/limits").expect("limits");
        let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
        let soft = line.split_whitespace().nth(3).expect("a figure");
        assert_eq!(soft.parse().unwrap_or(usize::MAX), soft_limit());
    }

    #[test]
    fn shops_in_progress_and_idle_connections_stay_below_the_limit() {
        let shares = |limit, wanted| {
            let Shares { at_a_time, waiting, remark } = shared_out(limit, wanted);
            assert_eq!(remark.is_some(), at_a_time < wanted);
            (at_a_time, waiting)
        };
        assert_eq!(shares(1024, 64), (64, 896));
        assert_eq!(shares(256, 64), (64, 128));
        assert_eq!(shares(256, 200), (96, 96), "not 200, which would fail for want of files");
        assert_eq!(shares(usize::MAX, 1_000), (1_000, MOST));
        assert_eq!(shares(10, 32), (1, 0));
    }
}
