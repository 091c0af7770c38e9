//! Paths for code review: relative to the top of the checkout, with forward slashes. Works on the text only; the caller
//! passes the folders.

/// The working directory, and the top folder of a code review.
#[derive(Debug, Clone)]
pub struct Root {
    here: String,
    top: String,
}

impl Root {
    /// Takes two absolute folders. If `top` does not contain `here`, `here` is used as the top.
    pub fn new(here: &str, top: Option<&str>) -> Self {
        let here = parts(here).join("/");
        let top = top.filter(|top| is_absolute(top)).map(|top| parts(top).join("/"));
        let top = top.filter(|top| below(&here, top).is_some()).unwrap_or_else(|| here.clone());
        Self { here, top }
    }

    /// Returns a path of the user relative to the top. `Err` is the absolute path of a file outside it.
    fn seen(&self, path: &str) -> Result<String, String> {
        let whole = if is_absolute(path) { path.to_owned() } else { format!("{}/{path}", self.here) };
        let whole = parts(&whole).join("/");
        let rooted = |path: &str| if path.contains(':') { path.to_owned() } else { format!("/{path}") };
        below(&whole, &self.top).map(ToOwned::to_owned).ok_or_else(|| rooted(&whole))
    }
}

/// Returns a path for an annotation.
pub(super) fn plain(root: Option<&Root>, path: &str) -> String {
    match root {
        Some(root) => root.seen(path).unwrap_or_else(|elsewhere| elsewhere),
        None => path.to_owned(),
    }
}

/// Returns a path as a URI reference: relative inside the top folder, a `file:` URI outside it.
pub(super) fn uri(root: Option<&Root>, path: &str) -> String {
    match root.map(|root| root.seen(path)) {
        Some(Ok(relative)) => encoded(&relative),
        Some(Err(absolute)) => {
            format!("file://{}{}", if absolute.starts_with('/') { "" } else { "/" }, encoded(&absolute))
        }
        None => encoded(path.replace('\\', "/").trim_start_matches("./")),
    }
}

fn encoded(path: &str) -> String {
    use std::fmt::Write as _;
    path.bytes().fold(String::with_capacity(path.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.as_bytes().get(1) == Some(&b':')
}

fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    match path.strip_prefix(folder)? {
        rest if folder.is_empty() => Some(rest),
        rest => rest.strip_prefix('/').or_else(|| rest.is_empty().then_some("")),
    }
}

/// Returns the components of a path, with `.`, `..` and repeated slashes resolved.
fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            name => parts.push(name),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_top_of_the_checkout() {
        let root = Root::new("/work/repo/infra", Some("/work/repo"));
        for (given, uri_, plain_) in [
            ("hookwright.yaml", "infra/hookwright.yaml", "infra/hookwright.yaml"),
            ("./a b/ü.yaml", "infra/a%20b/%C3%BC.yaml", "infra/a b/ü.yaml"),
            ("../shops//x.yaml", "shops/x.yaml", "shops/x.yaml"),
            ("/work/repo/infra/x.yaml", "infra/x.yaml", "infra/x.yaml"),
            ("/work/repository/x.yaml", "file:///work/repository/x.yaml", "/work/repository/x.yaml"),
            ("../../x.yaml", "file:///work/x.yaml", "/work/x.yaml"),
        ] {
            assert_eq!((uri(Some(&root), given), plain(Some(&root), given)), (uri_.to_owned(), plain_.to_owned()));
        }
        // A workspace that does not contain the working directory is ignored.
        for top in [None, Some("/elsewhere"), Some("relative")] {
            assert_eq!(uri(Some(&Root::new("/work/repo", top)), "x.yaml"), "x.yaml");
        }
        let windows = Root::new(r"C:\work\repo", None);
        assert_eq!(uri(Some(&windows), r"shops\x.yaml"), "shops/x.yaml");
        assert_eq!(uri(Some(&windows), r"D:\x.yaml"), "file:///D%3A/x.yaml");
        assert_eq!(uri(Some(&Root::new("/", None)), "x.yaml"), "x.yaml");
    }
}
