//! `app_config`: what the app declares for itself, read from its `shopify.app.toml`.
//!
//! Only what leads to double delivery is looked at, and where a login may end; the rest of the file is Shopify's business, and never a problem.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::diagnostic::{Code, Diagnostic, Place, Source as Text};
use crate::model::{Address, Binding, Topic};
use crate::state::{AppSubscription, Source};

use super::ReadFile;
use super::document::{At, Spot};
use super::findings::{Behalf, Findings};

#[derive(Deserialize)]
struct File {
    application_url: Option<String>,
    #[serde(default)]
    webhooks: Webhooks,
    auth: Option<toml::Value>,
}

impl File {
    /// Whatever else may stand there is no problem of the manifest's.
    fn redirect_urls(&self) -> Vec<String> {
        let listed = self.auth.as_ref().and_then(|auth| auth.get("redirect_urls")?.as_array());
        listed.into_iter().flatten().filter_map(|url| url.as_str().map(str::to_owned)).collect()
    }
}

#[derive(Default, Deserialize)]
struct Webhooks {
    #[serde(default)]
    subscriptions: Vec<Subscription>,
}

/// Compliance topics stand under a key of their own; no binding can repeat them.
#[derive(Deserialize)]
struct Subscription {
    #[serde(default)]
    topics: Vec<Spanned<String>>,
    uri: Option<Spanned<String>>,
    filter: Option<String>,
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
        let text = Text::new(&lossy, &[]);
        let parsed = match std::str::from_utf8(&bytes) {
            Ok(utf8) => toml::from_str::<File>(utf8).map_err(|error| (error.span(), first_line(error.message()))),
            Err(error) => Err((Some(error.valid_up_to()..error.valid_up_to()), "it is not UTF-8".to_owned())),
        };
        match parsed {
            Ok(file) => {
                self.redirects.append(&mut file.redirect_urls());
                self.subscriptions(&path, &text, file, named.spot, findings);
            }
            Err((span, why)) => {
                let message = format!("the app's configuration cannot be understood: {why}");
                refuse(
                    place(&path, &text, &span.unwrap_or_default()),
                    message,
                    "correct it there",
                    named.spot,
                    findings,
                );
            }
        }
        self.texts.push((path, text));
    }

    fn subscriptions(&mut self, path: &Arc<str>, text: &Text, file: File, named: Spot, findings: &mut Findings) {
        let application = file.application_url.as_deref().map(|url| url.trim_end_matches('/'));
        for Subscription { topics, uri, filter } in file.webhooks.subscriptions {
            let Some(first) = topics.first() else { continue };
            let Some(uri) = uri else {
                let message = "a subscription of the app has topics and no `uri`";
                refuse(place(path, text, &first.span()), message.to_owned(), "add its `uri`", named, findings);
                continue;
            };
            let address = match (uri.get_ref().strip_prefix('/'), application) {
                (None, _) => Address::new(uri.get_ref()),
                (Some(rest), Some(url)) => Address::new(&format!("{url}/{rest}")),
                (Some(_), None) => {
                    let message = "a relative `uri` needs `application_url`".to_owned();
                    let hint = "add application_url at the top, or write the whole address";
                    refuse(place(path, text, &uri.span()), message, hint, named, findings);
                    continue;
                }
            };
            for written in topics {
                let place = place(path, text, &written.span());
                let topic = Topic::from_slash(written.get_ref());
                let source = Source { file: Arc::clone(path), line: place.line };
                let filter = filter.clone().filter(|filter| !filter.is_empty());
                let declared = AppSubscription { topic: topic.clone(), address: address.clone(), filter, source };
                self.by_topic.entry(topic).or_default().push((declared, place));
            }
        }
    }

    /// Warns if a binding repeats what the app declares.
    pub(super) fn repeated(&self, binding: &Binding, spot: Spot, findings: &mut Findings, behalf: Behalf<'_>) {
        let declared = self.by_topic.get(&binding.topic).into_iter().flatten();
        let Some((_, place)) = declared.into_iter().find(|(declared, _)| declared.is_repeated_by(binding)) else {
            return;
        };
        if findings.is_silenced(Code::DoubleDelivery, behalf) {
            return;
        }
        let message = format!(
            "`{}` is delivered twice: the app declares it to the same address, in {}:{}",
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

fn refuse(place: Place, message: String, hint: &str, named: Spot, findings: &mut Findings) {
    let diagnostic = Diagnostic::new(Code::AppConfig, place, message).hint(hint);
    findings.report(diagnostic.related(findings.place(named), "the manifest names it here"));
}

fn place(path: &Arc<str>, text: &Text, span: &std::ops::Range<usize>) -> Place {
    let (line, column) = text.position(span.start);
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { file: Arc::clone(path), line, column, start: narrow(span.start), end: narrow(span.end) }
}

fn first_line(text: &str) -> String {
    super::decode::short(text.lines().next().unwrap_or_default())
}
