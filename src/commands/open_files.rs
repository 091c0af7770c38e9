//! How many files this process may have open, of which connections take the most.

/// Files for everything else.
const RESERVE: usize = 128;
/// A connection that waits takes memory, too.
const MOST: usize = 2_048;
/// Where nobody says how many there may be: macOS gives a process 256.
const UNKNOWN: usize = 256;

/// Shops whose connections may be open at a time.
pub(super) fn for_shops() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    soft_limit(&limits).unwrap_or(UNKNOWN).saturating_sub(RESERVE).min(MOST)
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
        assert!(for_shops() <= MOST);
    }
}
