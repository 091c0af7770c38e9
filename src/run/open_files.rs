//! The number of files that this process may have open. Connections take the most of them.

/// Files for everything else.
const RESERVE: usize = 64;
/// The most shops with waiting connections: these take memory, too.
const MOST: usize = 2_048;

/// How the files are shared out.
pub(super) struct Shares {
    /// Shops at a time: as many as wanted, or fewer.
    pub(super) at_a_time: usize,
    /// Shops whose connections may wait for their changes.
    pub(super) waiting: usize,
    /// Says that there are fewer shops at a time than wanted.
    pub(super) remark: Option<String>,
}

/// Shares the files of this process out, with `wanted` shops at a time.
pub(super) fn shares(wanted: usize) -> Shares {
    shared_out(soft_limit(), wanted)
}

/// Returns the soft limit of open files.
#[cfg(unix)]
fn soft_limit() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Returns a number of open files that every system allows.
#[cfg(not(unix))]
fn soft_limit() -> usize {
    256
}

/// A shop may need two files while it connects: a name is looked up, or two addresses are tried.
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
    fn those_in_flight_and_those_that_wait_fit_together() {
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
