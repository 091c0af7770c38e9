//! How many files this process may have open, of which connections take the most.

/// Files for everything else.
const RESERVE: usize = 64;
/// A connection that waits takes memory, too.
const MOST: usize = 2_048;
/// Where nobody says how many there may be: macOS gives a process 256.
const UNKNOWN: usize = 256;

/// How the files are shared out.
pub(super) struct Shares {
    /// Shops at a time: as many as wanted, or fewer.
    pub(super) at_a_time: usize,
    /// Shops whose connections may wait for their changes.
    pub(super) waiting: usize,
    /// For whoever wanted more.
    pub(super) remark: Option<String>,
}

/// What there is room for, with so many shops at a time wanted.
pub(super) fn shares(wanted: usize) -> Shares {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    shared_out(soft_limit(&limits).unwrap_or(UNKNOWN), wanted)
}

/// A shop may need two files while it connects: a name is looked up, or two addresses are tried.
fn shared_out(limit: usize, wanted: usize) -> Shares {
    let room = limit.saturating_sub(RESERVE);
    let at_a_time = wanted.min(room / 2).max(1);
    let remark = (at_a_time < wanted).then(|| {
        format!(
            "{at_a_time} shops at a time instead of {wanted}: this process may have {limit} files open. Raise that limit \
             (ulimit -n) or lower --parallelism"
        )
    });
    Shares { at_a_time, waiting: room.saturating_sub(at_a_time).min(MOST), remark }
}

/// The first figure of the line `Max open files`.
fn soft_limit(limits: &str) -> Option<usize> {
    let figures = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match figures.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        figure => figure.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_counts() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             96384                96384                processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit(&limits.replace("1024 ", "unlimited ")), Some(usize::MAX));
        assert_eq!(soft_limit(""), None);
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
