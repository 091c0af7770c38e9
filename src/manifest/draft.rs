//! Loads a manifest in two steps: a draft from its files, and a manifest after its destinations are resolved.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::document::Document;
use super::merge::{self, Merged};
use super::{Manifest, Options, SourceFile, decode, resolve, syntax, tree};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Severity, SourceText, Sources};
use crate::state::aep::Resolutions;

/// A loaded manifest and its problems.
#[derive(Debug)]
pub struct Loaded {
    /// The manifest; `Some` if and only if there is no error.
    pub manifest: Option<Manifest>,
    /// Every problem, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into, with secrets masked.
    pub sources: Arc<Sources>,
}

impl Loaded {
    /// Returns the report for the emitters.
    pub fn report(&self) -> Report<'_> {
        Report { diagnostics: &self.diagnostics, sources: &self.sources, root: None }
    }
}

/// Reads a file that the manifest names, given its path. The error is the reason why it cannot be read.
pub type ReadFile<'a> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'a;

/// Loads a manifest that names no other files, as [`load_with`].
pub fn load(files: Vec<SourceFile>, options: &Options) -> Loaded {
    load_with(files, options, &|_| Err("this command reads no other files".to_owned()))
}

/// Loads a manifest without looking up destinations.
pub fn load_with(files: Vec<SourceFile>, options: &Options, read: &ReadFile<'_>) -> Loaded {
    Draft::new(files, options, read).resolve(&Resolutions::new())
}

/// A parsed, merged and checked manifest whose destinations are not resolved yet.
pub struct Draft {
    /// `None` if a file cannot be read. Then only its own problem is reported, because its definitions would be
    /// missing from the merged manifest.
    merged: Option<Merged>,
    /// Problems that do not depend on lookups.
    diagnostics: Vec<Diagnostic>,
    sources: Arc<Sources>,
    paths: Vec<Arc<str>>,
    deny: Vec<Code>,
}

impl Draft {
    /// Parses, merges and checks the files. Never panics, whatever bytes they contain.
    pub fn new(files: Vec<SourceFile>, options: &Options, read: &ReadFile<'_>) -> Self {
        let mut diagnostics = Vec::new();
        let mut sources = Sources::default();
        let mut documents = Vec::new();
        let mut paths: Vec<Arc<str>> = Vec::new();
        let mut whole = true;
        for SourceFile { path, bytes } in files {
            let path: Arc<str> = path.into();
            let file = u32::try_from(paths.len()).unwrap_or(u32::MAX);
            paths.push(Arc::clone(&path));
            let text = match text_of(&path, &bytes) {
                Ok(text) => text,
                Err(diagnostic) => {
                    // The valid text before the invalid byte.
                    let good = std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
                    let good = String::from_utf8_lossy(bytes.get(..good).unwrap_or_default());
                    sources.insert(Arc::clone(&path), SourceText::new(&format!("{good}\u{fffd}"), &[]));
                    diagnostics.push(*diagnostic);
                    whole = false;
                    continue;
                }
            };
            let mut decoder = decode::Decoder::new(file, Arc::clone(&path));
            match parsed(&path, text, &mut decoder) {
                Some(document) => documents.push(document),
                None => whole = false,
            }
            sources.insert(path, SourceText::new(text, &decoder.secrets));
            diagnostics.append(&mut decoder.diagnostics);
        }
        let mut named = Vec::new();
        let merged = whole.then(|| merge::documents(&paths, &documents, options, read, &mut named, &mut diagnostics));
        for (path, text) in named {
            paths.push(Arc::clone(&path));
            sources.insert(path, text);
        }
        Self { merged, diagnostics, sources: Arc::new(sources), paths, deny: options.deny.clone() }
    }

    /// Resolves the destinations with the results of their lookups, and returns all problems, including those of the
    /// resolved addresses. A destination without a result has no address.
    pub fn resolve(&self, found: &Resolutions) -> Loaded {
        let mut diagnostics = self.diagnostics.clone();
        let manifest = self.merged.as_ref().and_then(|merged| {
            let (manifest, mut of_addresses) = resolve::resolve(merged, found);
            diagnostics.append(&mut of_addresses);
            manifest
        });
        for diagnostic in &mut diagnostics {
            if self.deny.contains(&diagnostic.code) {
                diagnostic.severity = Severity::Error;
            }
        }
        let order: BTreeMap<&Arc<str>, usize> = self.paths.iter().enumerate().map(|(at, path)| (path, at)).collect();
        diagnostics.sort_by_key(|d| (order.get(&d.place.file).copied(), d.place.line, d.place.column, d.code));
        // A problem in anchored text is found at each alias.
        diagnostics.dedup();
        let diagnostics = unknown_keys_folded(diagnostics);
        let valid = diagnostics.iter().all(|d| d.severity != Severity::Error);
        Loaded { manifest: manifest.filter(|_| valid), diagnostics, sources: Arc::clone(&self.sources) }
    }
}

/// Folds the diagnostics of the same unknown key into one.
fn unknown_keys_folded(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut folded: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    let mut first: HashMap<String, usize> = HashMap::new();
    for diagnostic in diagnostics {
        if diagnostic.code == Code::UnknownKey {
            match first.get(&diagnostic.message).and_then(|at| folded.get_mut(*at)) {
                Some(earlier) => {
                    earlier.also.push(diagnostic.place);
                    continue;
                }
                None => first.insert(diagnostic.message.clone(), folded.len()),
            };
        }
        folded.push(diagnostic);
    }
    folded
}

/// Returns the text of a file without its byte order mark.
fn text_of<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, Box<Diagnostic>> {
    let wide = [b"\xff\xfe".as_slice(), b"\xfe\xff"].iter().any(|mark| bytes.starts_with(mark));
    if wide {
        let diagnostic = Diagnostic::new(Code::Encoding, Place::file(path), "expected UTF-8 text, found UTF-16");
        return Err(Box::new(diagnostic.hint("save the file as UTF-8")));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let at = error.valid_up_to();
            let before = bytes.get(..at).and_then(|good| std::str::from_utf8(good).ok()).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let place = Place {
                line: narrow(line),
                column: narrow(column),
                start: narrow(at),
                end: narrow(at + 1),
                ..Place::file(path)
            };
            let message = format!("the file is not UTF-8 text: byte {} is invalid", at + 1);
            Err(Box::new(Diagnostic::new(Code::Encoding, place, message).hint("save the file as UTF-8")))
        }
    }
}

fn parsed(path: &Arc<str>, text: &str, decoder: &mut decode::Decoder) -> Option<Document> {
    let root = match tree::parse(text) {
        Ok(root) => root,
        Err(error) => {
            decoder.diagnostics.push(syntax::diagnostic(path, text, &error));
            return None;
        }
    };
    if let Some((message, hint)) = decode::Decoder::root_problem(&root) {
        decoder.diagnostics.push(Diagnostic::new(Code::NotAMapping, Place::file(path), message).hint(hint));
        return None;
    }
    Some(decode::document(decoder, root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::ShopDesired;
    use crate::model::Address;
    use crate::state::aep::NoAddress;

    const MANIFEST: &str = "version: 1
aep: { org: 0123456789ABCDEF01234567@AdobeOrg, sandbox: prod, client_id: { env: ID }, client_secret: { env: SECRET }, scopes: [openid] }
destinations:
  orders: { flow: { name: Orders } }
  others: { flow: { name: Others } }
shops:
  - { shop: one, bindings: [{ topic: orders/create, destination: orders }, { topic: orders/create, destination: others }] }
  - { shop: two, bindings: [{ topic: ORDERS_CREATE, destination: others }] }
";

    fn draft() -> Draft {
        let file = SourceFile { path: "m.yaml".into(), bytes: MANIFEST.into() };
        Draft::new(vec![file], &Options::default(), &|_| Err("this command reads no other files".to_owned()))
    }

    /// Returns lookup results with these addresses.
    fn answers(draft: &Draft, addresses: [&str; 2]) -> Resolutions {
        let manifest = draft.resolve(&Resolutions::new()).manifest.expect("manifest");
        let queries = manifest.destinations.iter().filter_map(|destination| destination.target.query().cloned());
        queries.zip(addresses).map(|(query, address)| (query, Ok(Address::new(address)))).collect()
    }

    #[test]
    fn lookup_results_change_the_addresses_of_a_draft_and_neither_its_problems_nor_its_digest() {
        let draft = draft();
        let inlet = |digit: char| format!("https://dcs.adobedc.net/collection/{}", digit.to_string().repeat(64));
        let resolve = |addresses: [&str; 2]| draft.resolve(&answers(&draft, addresses));
        let (first, second) = (resolve([&inlet('1'), &inlet('2')]), resolve([&inlet('3'), &inlet('4')]));
        assert_eq!(first.diagnostics, second.diagnostics);
        assert_eq!(first.diagnostics.len(), 1, "the spelling of a topic: {:?}", first.diagnostics);
        let (first, second) = (first.manifest.expect("manifest"), second.manifest.expect("manifest"));
        assert_eq!(first.digest, second.digest);
        let addresses = |manifest: &Manifest| manifest.addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(addresses(&first), [inlet('1'), inlet('2')]);
        assert_eq!(addresses(&second), [inlet('3'), inlet('4')]);
        assert!(first.shops.iter().all(|shop| shop.desired().is_ok()));

        // Only the resolved addresses show that two bindings are duplicates.
        let same = resolve([&inlet('1'), &inlet('1')]);
        let codes: Vec<Code> = same.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes, [Code::DuplicateBinding, Code::TopicSpelling]);
        assert!(same.manifest.is_none());
    }

    #[test]
    fn a_shop_with_a_destination_without_an_address_has_no_desired_state() {
        let draft = draft();
        let mut found =
            answers(&draft, ["https://dcs.adobedc.net/collection/1", "https://dcs.adobedc.net/collection/2"]);
        found.retain(|query, _| query.lookup.to_string().contains("Others"));
        let manifest = draft.resolve(&found).manifest.expect("manifest");
        let [one, two] = &manifest.shops[..] else { panic!("two shops") };
        let ShopDesired::Unresolved(unresolved) = &one.desired else { panic!("resolved") };
        let has_address: Vec<bool> = unresolved.entries.iter().map(|e| e.binding.address.address().is_some()).collect();
        assert_eq!(has_address, [false, true]);
        assert!(two.desired().is_ok());
        assert_eq!(manifest.destinations[0].address, Err(NoAddress::NotLookedUp));
        assert_eq!(manifest.addresses.len(), 1);
    }
}
