//! `app_config`: the subscriptions in the app's own configuration, read from its `shopify.app.toml`.
//!
//! Reads only what can cause double delivery or two payload shapes in one inlet, and the allowed redirect URLs. The
//! file is advisory: a path that cannot be read is an error, but no content of the file causes more than a warning.

mod entry;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::catalog;
use crate::diagnostic::{Code, Diagnostic, Place, SourceText};
use crate::model::{Address, Topic};
use crate::state::{AppEvent, AppSubscription, Source};

use self::entry::{Event, Subscription};
use super::ReadFile;
use super::decode::short;
use super::document::{Span, Spanned};
use super::expand::Ready;
use super::findings::{Findings, Reporter};

/// Maximum number of topics that one warning names.
const SHOWN: usize = 6;

/// One file of `app_config`.
struct File {
    path: Arc<str>,
    text: SourceText,
    /// The place at which the manifest names the file.
    named: Span,
}

impl File {
    fn place(&self, span: &Range<usize>) -> Place {
        let (line, column) = self.text.position(span.start);
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { file: Arc::clone(&self.path), line, column, start: narrow(span.start), end: narrow(span.end) }
    }

    /// Warns that a part of the file cannot be compared with the bindings. The file is advisory, so it never stops a
    /// run.
    fn not_compared(&self, span: &Range<usize>, what: &str, why: &str, hint: &str, findings: &mut Findings) {
        let message = format!("{what} not compared with the bindings: {why}");
        let diagnostic = Diagnostic::new(Code::NotCompared, self.place(span), message).hint(hint);
        findings.report(diagnostic.related(findings.place(self.named), "the manifest names the file here"));
    }
}

/// The subscriptions and events that the app declares, with their places.
#[derive(Default)]
pub(super) struct Declared {
    by_topic: HashMap<Topic, Vec<(AppSubscription, Place)>>,
    events: Vec<(AppEvent, Place)>,
    /// The redirect URLs that the app allows.
    pub(super) redirects: Vec<String>,
    /// The files, for diagnostics that point into them.
    pub(super) texts: Vec<(Arc<str>, SourceText)>,
}

impl Declared {
    /// Reads the files that the manifest names.
    pub(super) fn read(paths: &[Spanned<String>], read: &ReadFile<'_>, findings: &mut Findings) -> Self {
        let mut declared = Self::default();
        for path in paths {
            declared.file(path, read, findings);
        }
        declared
    }

    fn file(&mut self, named: &Spanned<String>, read: &ReadFile<'_>, findings: &mut Findings) {
        let manifest = findings.file(named.span);
        let folder = Path::new(&*manifest).parent().unwrap_or(Path::new(""));
        let path: Arc<str> = folder.join(&named.value).display().to_string().into();
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(why) => {
                let message = format!("cannot read {path}, which `app_config` names: {why}");
                let hint = "correct the path; it is relative to the folder of this file";
                return findings.report(findings.diagnostic(Code::AppConfig, named.span, message).hint(hint));
            }
        };
        let lossy = String::from_utf8_lossy(&bytes);
        let file = File { path: Arc::clone(&path), text: SourceText::new(&lossy, &[]), named: named.span };
        let parsed = match std::str::from_utf8(&bytes) {
            Ok(utf8) => DeTable::parse(utf8).map_err(|error| (error.span().unwrap_or_default(), "invalid TOML")),
            Err(error) => Err((error.valid_up_to()..error.valid_up_to(), "the file is not UTF-8 text")),
        };
        match parsed {
            Ok(root) => self.take(root.get_ref(), &file, findings),
            Err((span, why)) => {
                file.not_compared(
                    &span,
                    "the app's own configuration was",
                    why,
                    "correct the file at this place",
                    findings,
                );
            }
        }
        self.texts.push((path, file.text));
    }

    fn take(&mut self, root: &DeTable<'_>, file: &File, findings: &mut Findings) {
        let listed =
            root.get("auth").and_then(|auth| auth.get_ref().as_table()?.get("redirect_urls")?.get_ref().as_array());
        let urls = listed.into_iter().flatten().filter_map(|url| url.get_ref().as_str());
        self.redirects.extend(urls.map(str::to_owned));
        let application = root.get("application_url").and_then(|url| url.get_ref().as_str());
        let application = application.map(str::trim).filter(|url| !url.is_empty());
        let mut relative: Vec<(String, Range<usize>)> = Vec::new();
        let has_no_host = |uri: &str| application.is_none() && uri.starts_with('/');
        for entry in SUBSCRIPTIONS.entries(root, file, findings) {
            match Subscription::parse(entry) {
                Ok(Some(entry)) if has_no_host(entry.uri.0) => {
                    relative.extend(entry.topics.iter().map(|(topic, _)| ((*topic).to_owned(), entry.uri.1.clone())));
                }
                Ok(Some(entry)) => self.subscription(entry, application.unwrap_or_default(), file),
                Ok(None) => {}
                Err((span, why, hint)) => file.not_compared(&span, SUBSCRIPTIONS.one, why, hint, findings),
            }
        }
        for entry in EVENTS.entries(root, file, findings) {
            match Event::parse(entry) {
                Ok(entry) if has_no_host(entry.uri.0) => relative.push((entry.topic.0.to_owned(), entry.uri.1)),
                Ok(entry) => self.event(entry, application.unwrap_or_default(), file),
                Err((span, why, hint)) => file.not_compared(&span, EVENTS.one, why, hint, findings),
            }
        }
        if let Some((_, span)) = relative.first() {
            let topics: Vec<String> = relative.iter().map(|(topic, _)| format!("`{}`", short(topic))).collect();
            let what = format!("the app's own subscriptions to {} were", few(&topics));
            let why = "their `uri` is relative, and the file has no `application_url`";
            let hint = "add `application_url = \"https://…\"` at the top of the file, or write complete addresses. To silence this \
                        warning, write `lint: { allow: [HW116] }` in the manifest";
            file.not_compared(span, &what, why, hint, findings);
        }
    }

    fn subscription(&mut self, entry: Subscription<'_>, application: &str, file: &File) {
        let address = absolute(entry.uri.0, application);
        for (written, span) in entry.topics {
            let place = file.place(&span);
            let topic = Topic::from_slash(written);
            let source = Source { file: Arc::clone(&file.path), line: place.line };
            let filter = entry.filter.map(str::to_owned);
            let declared = AppSubscription { topic: topic.clone(), address: address.clone(), filter, source };
            self.by_topic.entry(topic).or_default().push((declared, place));
        }
    }

    fn event(&mut self, entry: Event<'_>, application: &str, file: &File) {
        let (topic, span) = entry.topic;
        let place = file.place(&span);
        let event = AppEvent {
            topic: topic.to_owned(),
            actions: entry.actions.into_iter().map(str::to_owned).collect(),
            handle: entry.handle.map(str::to_owned),
            address: absolute(entry.uri.0, application),
            source: Source { file: Arc::clone(&file.path), line: place.line },
        };
        self.events.push((event, place));
    }

    /// Warns if a binding to `address` duplicates a subscription of the app.
    pub(super) fn repeated(&self, ready: &Ready, address: &Address, reporter: &mut Reporter<'_, '_>) {
        let (binding, span) = (&ready.entry.binding, ready.span);
        let declared = self.by_topic.get(&binding.topic).into_iter().flatten();
        let Some((declared, place)) =
            declared.into_iter().find(|(declared, _)| declared.is_repeated_by(binding, address))
        else {
            return;
        };
        if reporter.is_silenced(Code::DoubleDelivery) {
            return;
        }
        let events = if declared.filter == binding.filter { "" } else { " if it passes both filters" };
        let message = format!(
            "the app declares this binding's topic and address, too ({}:{}), so each event of `{}` is delivered twice{events}",
            place.file, place.line, binding.topic
        );
        let hint = "remove one of the two: Shopify keeps both and delivers each event twice";
        let diagnostic = reporter.diagnostic(Code::DoubleDelivery, span, message).hint(hint);
        reporter.report(diagnostic.related(place.clone(), "the app's own subscription"));
    }

    /// Warns if a binding to `address` and an event of the app deliver the same resource to it.
    pub(super) fn two_payloads(&self, ready: &Ready, address: &Address, reporter: &mut Reporter<'_, '_>) {
        if self.events.is_empty() || reporter.is_silenced(Code::TwoPayloads) {
            return;
        }
        let binding = &ready.entry.binding;
        let Some(about) = catalog::event_of(&binding.topic) else { return };
        let met = |(event, place)| Some((event, place, AppEvent::meets(event, address, about.topic, about.action)?));
        let met = self.events.iter().map(|(event, place)| (event, place)).filter_map(met);
        let Some((event, place, twice)) = met.min_by_key(|(_, _, twice)| !twice) else { return };
        let twice = if twice { "; a change that triggers both is delivered twice" } else { "" };
        let message = format!(
            "the address receives two payload shapes: `{}` and the app's event {event} in {}:{}{twice}",
            binding.topic, place.file, place.line
        );
        let hint = "give one of the two another address, because the `query` of an event determines its payload, and a dataflow \
                    has one mapping";
        let diagnostic = reporter.diagnostic(Code::TwoPayloads, ready.span, message).hint(hint);
        reporter.report(diagnostic.related(place.clone(), "the app's event"));
    }

    /// Warns of events to an address of the manifest if the catalogue does not know the topics of their resource.
    pub(super) fn unknown_events(&self, addresses: &[&Address], findings: &mut Findings) {
        let unknown = self.events.iter().filter(|(event, _)| {
            !catalog::has_events(&event.topic) && addresses.iter().any(|address| event.goes_to(address))
        });
        let unknown: Vec<_> = unknown.collect();
        let Some((_, place)) = unknown.first() else { return };
        let events: BTreeSet<String> = unknown.iter().map(|(event, _)| event.to_string()).collect();
        let events: Vec<String> = events.into_iter().collect();
        let message = format!(
            "the app's events {} were not compared with the bindings: the catalogue does not know the webhook topics \
             of their resources",
            few(&events)
        );
        let hint = "check that their address, which the manifest also uses, accepts both payloads. To silence this warning, \
                    write `lint: { allow: [HW116] }` in the manifest";
        findings.report(Diagnostic::new(Code::NotCompared, place.clone(), message).hint(hint));
    }

    /// Returns the subscriptions, sorted by topic, address, filter and place, and the events, sorted by address.
    pub(super) fn declared(&self) -> (Vec<AppSubscription>, Vec<AppEvent>) {
        let mut all: Vec<_> = self.by_topic.values().flatten().map(|(declared, _)| declared.clone()).collect();
        all.sort_by(|a, b| {
            (&a.topic, &a.address, &a.filter, &a.source).cmp(&(&b.topic, &b.address, &b.filter, &b.source))
        });
        let mut events: Vec<_> = self.events.iter().map(|(event, _)| event.clone()).collect();
        events.sort();
        (all, events)
    }
}

/// The part of a file that contains one kind of subscription.
struct Section {
    /// The name of the section.
    name: &'static str,
    /// The key of the section that contains the entries.
    key: &'static str,
    /// Other known keys, which contain no subscriptions.
    others: &'static [&'static str],
    /// Whether `key` may be one section instead of a list: its only entry.
    may_be_one: bool,
    /// The start of a message about one entry.
    one: &'static str,
    /// The remedy.
    hint: &'static str,
}

const SUBSCRIPTIONS: Section = Section {
    name: "webhooks",
    key: "subscriptions",
    others: &["privacy_compliance"],
    may_be_one: false,
    one: "a subscription that the app declares was",
    hint: "write each subscription under `[[webhooks.subscriptions]]`, with double brackets",
};

/// Shopify's CLI also accepts one event as a section (its source, app_config_events.ts).
const EVENTS: Section = Section {
    name: "events",
    key: "subscription",
    others: &[],
    may_be_one: true,
    one: "an event that the app declares was",
    hint: "write each event under `[[events.subscription]]`, with double brackets",
};

impl Section {
    /// Returns the entries. Warns if the section contains anything else.
    fn entries<'a>(
        &self,
        root: &'a DeTable<'_>,
        file: &File,
        findings: &mut Findings,
    ) -> Vec<&'a toml::Spanned<DeValue<'a>>> {
        let Some(section) = root.get(self.name) else { return Vec::new() };
        let not_a_list = |value: &toml::Spanned<DeValue<'_>>, findings: &mut Findings| {
            let why = "the entries are not a list of sections";
            file.not_compared(&value.span(), "the app's own configuration was", why, self.hint, findings);
            Vec::new()
        };
        let Some(table) = section.get_ref().as_table() else {
            return not_a_list(section, findings);
        };
        for (key, value) in table {
            let key = key.get_ref().as_ref();
            let holds = value.get_ref().is_table() || value.get_ref().is_array();
            if holds && key != self.key && !self.others.contains(&key) {
                let what = format!("`{}.{}` was", self.name, short(key));
                file.not_compared(&value.span(), &what, "unknown key", self.hint, findings);
            }
        }
        let Some(value) = table.get(self.key) else { return Vec::new() };
        match value.get_ref().as_array() {
            Some(list) => list.iter().collect(),
            None if self.may_be_one && value.get_ref().is_table() => vec![value],
            None => not_a_list(value, findings),
        }
    }
}

/// Returns the address that Shopify's CLI builds from a `uri`.
fn absolute(uri: &str, application: &str) -> Address {
    match uri.strip_prefix('/') {
        Some(rest) => Address::new(&format!("{}/{rest}", application.trim_end_matches('/'))),
        None => Address::new(uri),
    }
}

/// Returns the first names and the number of the others.
fn few(names: &[String]) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", names[..names.len() - more].join(", "))
}
