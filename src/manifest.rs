//! YAML text as the desired state, with complaints that point at the line.
//!
//! Pure: files are read by `commands::load`. The way: `tree` parses a file into nodes that know where they stand,
//! `decode` makes a document of them and collects every structural problem, `merge` puts the documents together,
//! `resolve` puts destinations and sets in their places and checks what only the whole shows. Nothing stops at the
//! first problem; a manifest comes out only if there is no error.

mod address;
mod aep;
mod app_config;
mod brackets;
mod check;
mod decode;
mod digest;
mod document;
mod filter;
mod findings;
mod habits;
mod merge;
mod resolve;
pub mod schema;
mod secrets;
pub(crate) mod suggest;
mod syntax;
mod topic_mix;
mod tree;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

pub(crate) use address::{Unusable, is_dcs, prefix_for, unusable};
pub(crate) use aep::is_placeholder;
pub(crate) use digest::auth_value;

use crate::diagnostic::{Code, Diagnostic, Place, Report, Severity, Source as Text, Sources};
pub use crate::model::Transport;
use crate::model::{Address, ApiVersion, Auth, ShopDomain, TokenExpiry};
use crate::state::aep::{AepAccount, Destination, Lookups};
use crate::state::{AppEvent, AppSubscription, Desired, Ownership, Safety, ShopLimits, Source};

/// One file as it was read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path as the user gave it.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// How to judge.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Warnings that are errors this time. What `lint.allow` silences stays silent.
    pub deny: Vec<Code>,
    /// What was found at Adobe. Bindings to what was not found have no address that could be used.
    pub found: Lookups,
    /// The day of the run. Without it nothing is said of versions that leave support.
    pub today: Option<Date>,
}

/// What became of the files.
#[derive(Debug)]
pub struct Loaded {
    /// The manifest; `Some` exactly if there is no error.
    pub manifest: Option<Manifest>,
    /// Every problem, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into, with secrets masked.
    pub sources: Sources,
}

impl Loaded {
    /// What an emitter prints.
    pub fn report(&self) -> Report<'_> {
        Report { diagnostics: &self.diagnostics, sources: &self.sources, root: None }
    }
}

/// A whole manifest, resolved.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// `sha256:…` over what it means, whatever files, order, comments and sets say it.
    pub digest: String,
    /// How to talk to Shopify.
    pub admin_api: AdminApi,
    /// Which live subscriptions are ours.
    pub ownership: Ownership,
    /// The limits.
    pub safety: Safety,
    /// Sorted by domain.
    pub shops: Vec<ManifestShop>,
    /// Every address that is named anywhere in it.
    pub addresses: BTreeSet<Address>,
    /// Accounts at Adobe, by name.
    pub aep: Vec<AepAccount>,
    /// Every destination that is defined, and addresses of Adobe's that bindings name themselves.
    pub destinations: Vec<Destination>,
    /// What the app declares for itself, sorted: a binding that repeats it is delivered twice.
    pub app: Vec<AppSubscription>,
    /// The events that the app declares for itself, sorted: beside a binding of the same resource an address gets two
    /// payload shapes.
    pub app_events: Vec<AppEvent>,
    /// Where the app lets a browser be sent after its approval, as `app_config` lists it. No part of what is wanted: the
    /// digest leaves it out.
    pub app_redirects: Vec<String>,
}

impl Manifest {
    /// What it says of a shop.
    pub fn shop(&self, shop: &ShopDomain) -> Option<&ManifestShop> {
        self.index_of(shop.as_str()).and_then(|at| self.shops.get(at))
    }

    /// The place of a shop, by its full domain.
    pub fn index_of(&self, shop: &str) -> Option<usize> {
        self.shops.binary_search_by(|s| s.shop.as_str().cmp(shop)).ok()
    }
}

/// How to talk to Shopify.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdminApi {
    /// The version asked for.
    pub version: ApiVersion,
    /// GraphQL or REST.
    pub transport: Transport,
}

/// One shop.
#[derive(Debug, Clone)]
pub struct ManifestShop {
    /// Its domain.
    pub shop: ShopDomain,
    /// For selection.
    pub labels: BTreeMap<String, String>,
    /// Its bindings, those of sets included, and the scopes it should have granted. Shops that ask for the same by the
    /// same sets share it.
    pub desired: Arc<Desired>,
    /// Where its token is to be had; `None`: the manifest does not say.
    pub auth: Option<Arc<Auth>>,
    /// What is said of the expiry of its token.
    pub token_expiry: Option<TokenExpiry>,
    /// Its own destinations over the common ones.
    pub destinations: Arc<BTreeMap<Arc<str>, Address>>,
    /// The destinations that its bindings need to have looked up: places in [`Manifest::destinations`].
    pub lookups: Vec<usize>,
    /// Its own limits.
    pub limits: ShopLimits,
    /// What does not make the run fail.
    pub tolerate: BTreeSet<Tolerable>,
    /// Where it stands.
    pub source: Source,
}

/// A state of a shop that a run may tolerate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tolerable {
    /// The app is gone.
    Uninstalled,
    /// The shop's plan lapsed.
    Frozen,
    /// Shopify locked the shop.
    Locked,
}

impl Tolerable {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Uninstalled, Self::Frozen, Self::Locked];

    /// The word in the manifest and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uninstalled => "uninstalled",
            Self::Frozen => "frozen",
            Self::Locked => "locked",
        }
    }
}

/// Reads a file that the manifest names, by its path, or says why not.
pub type ReadFile<'a> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'a;

/// As [`load_with`], of a manifest that names no other files.
pub fn load(files: Vec<SourceFile>, options: &Options) -> Loaded {
    load_with(files, options, &|_| Err("nothing else is read here".to_owned()))
}

/// Parses, merges, resolves and checks. Never panics, whatever the bytes are.
pub fn load_with(files: Vec<SourceFile>, options: &Options, read: &ReadFile<'_>) -> Loaded {
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
                // What can be read, up to the byte that cannot.
                let good = std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
                let good = String::from_utf8_lossy(bytes.get(..good).unwrap_or_default());
                sources.insert(Arc::clone(&path), Text::new(&format!("{good}\u{fffd}"), &[]));
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
        sources.insert(path, Text::new(text, &decoder.secrets));
        diagnostics.append(&mut decoder.diagnostics);
    }
    // What a file that cannot be read would have defined is not missing: only its own problem is reported.
    let mut named = Vec::new();
    let manifest =
        if whole { merge::manifest(&paths, &documents, options, read, &mut named, &mut diagnostics) } else { None };
    for (path, text) in named {
        paths.push(Arc::clone(&path));
        sources.insert(path, text);
    }
    for diagnostic in &mut diagnostics {
        if options.deny.contains(&diagnostic.code) {
            diagnostic.severity = Severity::Error;
        }
    }
    let order: BTreeMap<Arc<str>, usize> = paths.iter().enumerate().map(|(at, path)| (Arc::clone(path), at)).collect();
    diagnostics.sort_by_key(|d| (order.get(&d.place.file).copied(), d.place.line, d.place.column, d.code));
    // What is wrong with an anchored text is wrong wherever it is used.
    diagnostics.dedup();
    let diagnostics = unknown_keys_folded(diagnostics);
    let valid = diagnostics.iter().all(|d| d.severity != Severity::Error);
    Loaded { manifest: manifest.filter(|_| valid), diagnostics, sources }
}

/// One unknown key is one mistake wherever it stands: a habit, or a template.
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

/// The text of a file without its byte order mark.
fn text_of<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, Box<Diagnostic>> {
    let wide = [b"\xff\xfe".as_slice(), b"\xfe\xff"].iter().any(|mark| bytes.starts_with(mark));
    if wide {
        let diagnostic = Diagnostic::new(Code::Encoding, Place::file(path), "the file is UTF-16, expected UTF-8");
        return Err(Box::new(diagnostic.hint("save it as UTF-8")));
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
            let message = format!("the file is not UTF-8: byte {} cannot be read", at + 1);
            Err(Box::new(Diagnostic::new(Code::Encoding, place, message).hint("save it as UTF-8")))
        }
    }
}

fn parsed(path: &Arc<str>, text: &str, decoder: &mut decode::Decoder) -> Option<document::Document> {
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
mod tests;
