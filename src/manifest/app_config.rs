//! `app_config`: what the app declares for itself, read from its `shopify.app.toml`.
//!
//! Only what leads to double delivery is read, and where a login may end. The file is advisory: a path that cannot be
//! read is an error of the manifest, and whatever the file holds is a warning at most.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Code, Diagnostic, Place, Source as Text};
use crate::model::{Address, Binding, Topic};
use crate::state::{AppSubscription, Source};

use super::ReadFile;
use super::decode::short;
use super::document::{At, Spot};
use super::findings::{Behalf, Findings};

/// As many topics are named in one warning.
const SHOWN: usize = 6;

/// One of the files.
struct File {
    path: Arc<str>,
    text: Text,
    /// Where the manifest names it.
    named: Spot,
}

impl File {
    fn place(&self, span: &Range<usize>) -> Place {
        let (line, column) = self.text.position(span.start);
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { file: Arc::clone(&self.path), line, column, start: narrow(span.start), end: narrow(span.end) }
    }

    /// Warns of something that the bindings cannot be compared with. The file is advisory, so it never stops a run.
    fn not_compared(&self, span: &Range<usize>, what: &str, why: &str, hint: &str, findings: &mut Findings) {
        let message = format!("{what} not compared with the bindings: {why}");
        let diagnostic = Diagnostic::new(Code::NotCompared, self.place(span), message).hint(hint);
        findings.report(diagnostic.related(findings.place(self.named), "the manifest names the file here"));
    }
}

/// One `[[webhooks.subscriptions]]`. Compliance topics have a key of their own; no binding can repeat them.
struct Subscription<'a> {
    topics: Vec<(&'a str, Range<usize>)>,
    uri: (&'a str, Range<usize>),
    filter: Option<&'a str>,
}

/// Why an entry is not understood, at its place, and what to write.
type Misunderstood = (Range<usize>, &'static str, &'static str);

impl<'a> Subscription<'a> {
    /// Takes an entry; `None`: it declares no topic that a binding could repeat.
    fn parse(entry: &'a Spanned<DeValue<'_>>) -> Result<Option<Self>, Misunderstood> {
        const SECTION: &str = "write [[webhooks.subscriptions]] with `topics` and `uri` below it";
        const TOPICS: &str = "write topics = [\"orders/create\"]";
        let Some(table) = entry.get_ref().as_table() else {
            return Err((entry.span(), "the entry is not a section", SECTION));
        };
        let Some(topics) = table.get("topics") else {
            let known = ["compliance_topics", "actions"].iter().any(|key| table.contains_key(*key));
            return if known { Ok(None) } else { Err((entry.span(), "the entry has no `topics`", TOPICS)) };
        };
        let list = topics.get_ref().as_array();
        let list = list.ok_or((topics.span(), "`topics` is not a list of texts", TOPICS))?;
        let topic = |item: &'a Spanned<DeValue<'_>>| {
            let text = item.get_ref().as_str().ok_or((item.span(), "the topic is not a text", TOPICS));
            text.map(|text| (text, item.span()))
        };
        let topics = list.iter().map(topic).collect::<Result<Vec<_>, _>>()?;
        let Some((_, first)) = topics.first() else { return Ok(None) };
        let text = |key: &str, not: &'static str, hint: &'static str| match table.get(key) {
            Some(value) => {
                value.get_ref().as_str().map(|text| Some((text, value.span()))).ok_or((value.span(), not, hint))
            }
            None => Ok(None),
        };
        let uri = "write uri = \"https://…\", or a path below application_url";
        let filter = text("filter", "`filter` is not a text", "write filter = \"id:*\"")?.map(|(text, _)| text);
        let uri = text("uri", "`uri` is not a text", uri)?.ok_or((first.clone(), "the entry has no `uri`", uri))?;
        Ok(Some(Self { topics, uri, filter: filter.filter(|filter| !filter.is_empty()) }))
    }
}

/// What the app declares, by topic, with the place of each.
#[derive(Default)]
pub(super) struct Declared {
    by_topic: HashMap<Topic, Vec<(AppSubscription, Place)>>,
    /// The redirect URLs that the app allows.
    pub(super) redirects: Vec<String>,
    /// The files, for diagnostics that point into them.
    pub(super) texts: Vec<(Arc<str>, Text)>,
}

impl Declared {
    /// Reads the files that the manifest names.
    pub(super) fn read(paths: &[At<String>], read: &ReadFile<'_>, findings: &mut Findings) -> Self {
        let mut declared = Self::default();
        for path in paths {
            declared.file(path, read, findings);
        }
        declared
    }

    fn file(&mut self, named: &At<String>, read: &ReadFile<'_>, findings: &mut Findings) {
        let manifest = findings.file(named.spot);
        let folder = Path::new(&*manifest).parent().unwrap_or(Path::new(""));
        let path: Arc<str> = folder.join(&named.value).display().to_string().into();
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(why) => {
                let message = format!("`app_config` names {path}, which cannot be read: {why}");
                let hint = "the path starts at the folder of this file";
                return findings.report(findings.diagnostic(Code::AppConfig, named.spot, message).hint(hint));
            }
        };
        let lossy = String::from_utf8_lossy(&bytes);
        let file = File { path: Arc::clone(&path), text: Text::new(&lossy, &[]), named: named.spot };
        let parsed = match std::str::from_utf8(&bytes) {
            Ok(utf8) => {
                DeTable::parse(utf8).map_err(|error| (error.span().unwrap_or_default(), "this is not valid TOML"))
            }
            Err(error) => Err((error.valid_up_to()..error.valid_up_to(), "the file is not UTF-8 text")),
        };
        match parsed {
            Ok(root) => self.take(root.get_ref(), &file, findings),
            Err((span, why)) => {
                file.not_compared(&span, "what the app declares was", why, "correct the file at this place", findings);
            }
        }
        self.texts.push((path, file.text));
    }

    fn take(&mut self, root: &DeTable<'_>, file: &File, findings: &mut Findings) {
        let listed =
            root.get("auth").and_then(|auth| auth.get_ref().as_table()?.get("redirect_urls")?.get_ref().as_array());
        let urls = listed.into_iter().flatten().filter_map(|url| url.get_ref().as_str());
        self.redirects.extend(urls.map(str::to_owned));
        let Some(webhooks) = root.get("webhooks") else { return };
        let subscriptions = webhooks.get_ref().as_table().and_then(|webhooks| webhooks.get("subscriptions"));
        let list = match subscriptions {
            Some(subscriptions) => subscriptions.get_ref().as_array().ok_or(subscriptions),
            None if webhooks.get_ref().as_table().is_some() => return,
            None => Err(webhooks),
        };
        let list = match list {
            Ok(list) => list,
            Err(value) => {
                let why = "the entries are not a list of sections";
                let hint = "write each one under [[webhooks.subscriptions]], with two brackets";
                return file.not_compared(&value.span(), "what the app declares was", why, hint, findings);
            }
        };
        let application = root.get("application_url").and_then(|url| url.get_ref().as_str());
        let application = application.map(str::trim).filter(|url| !url.is_empty());
        let mut relative = Vec::new();
        for entry in list {
            match Subscription::parse(entry) {
                Ok(Some(entry)) if application.is_none() && entry.uri.0.starts_with('/') => relative.push(entry),
                Ok(Some(entry)) => self.subscription(entry, application.unwrap_or_default(), file),
                Ok(None) => {}
                Err((span, why, hint)) => {
                    file.not_compared(&span, "a subscription that the app declares was", why, hint, findings);
                }
            }
        }
        if let Some(first) = relative.first() {
            let topics: Vec<&str> = relative.iter().flat_map(|entry| &entry.topics).map(|(topic, _)| *topic).collect();
            let named: Vec<String> = topics.iter().take(SHOWN).map(|topic| format!("`{}`", short(topic))).collect();
            let more = topics.len().saturating_sub(SHOWN);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            let what = format!("the app's own subscriptions to {}{rest} were", named.join(", "));
            let why = "their `uri` is relative, and the file has no `application_url`";
            let hint = "add application_url = \"https://…\" at the top of the file, or write each address in full; \
                        lint: { allow: [HW116] } in the manifest silences this";
            file.not_compared(&first.uri.1, &what, why, hint, findings);
        }
    }

    fn subscription(&mut self, entry: Subscription<'_>, application: &str, file: &File) {
        let address = match entry.uri.0.strip_prefix('/') {
            Some(rest) => Address::new(&format!("{}/{rest}", application.trim_end_matches('/'))),
            None => Address::new(entry.uri.0),
        };
        for (written, span) in entry.topics {
            let place = file.place(&span);
            let topic = Topic::from_slash(written);
            let source = Source { file: Arc::clone(&file.path), line: place.line };
            let filter = entry.filter.map(str::to_owned);
            let declared = AppSubscription { topic: topic.clone(), address: address.clone(), filter, source };
            self.by_topic.entry(topic).or_default().push((declared, place));
        }
    }

    /// Warns if a binding repeats what the app declares.
    pub(super) fn repeated(&self, binding: &Binding, spot: Spot, findings: &mut Findings, behalf: Behalf<'_>) {
        let declared = self.by_topic.get(&binding.topic).into_iter().flatten();
        let Some((declared, place)) = declared.into_iter().find(|(declared, _)| declared.is_repeated_by(binding))
        else {
            return;
        };
        if findings.is_silenced(Code::DoubleDelivery, behalf) {
            return;
        }
        let events = if declared.filter == binding.filter { "" } else { ", where an event passes both filters" };
        let message = format!(
            "`{}` is delivered twice{events}: the app declares it to the same address, in {}:{}",
            binding.topic, place.file, place.line
        );
        let hint = "remove one of the two; Shopify keeps both, and neither sees the other";
        let diagnostic = findings.diagnostic(Code::DoubleDelivery, spot, message).hint(hint);
        findings.report_for(diagnostic.related(place.clone(), "the app's own subscription"), behalf);
    }

    /// What is declared, in the order of topics and files.
    pub(super) fn into_subscriptions(self) -> Vec<AppSubscription> {
        let mut all: Vec<_> = self.by_topic.into_values().flatten().map(|(declared, _)| declared).collect();
        all.sort_by(|a, b| {
            (&a.topic, &a.address, &a.filter, &a.source).cmp(&(&b.topic, &b.address, &b.filter, &b.source))
        });
        all
    }
}
