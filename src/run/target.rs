//! What a run talks to: Shopify, the embedded sandbox, or a URL that stands in for Shopify.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::embedded::{Embedded, Registrar};
use super::network;
use crate::admin::{AdminClient, AdminError, AdminErrorKind, Endpoint};
use crate::auth::{self, Life, NewApp, SecretResolver, TokenOptions, Tokens};
use crate::catalog;
use crate::cli::{AccessArgs, DEFAULT_MANIFEST, DEFAULT_STATE};
use crate::clock::{clock, now};
use crate::digest::hex;
use crate::error::Failure;
use crate::exit::Exit;
use crate::manifest::{Manifest, ManifestShop};
use crate::model::{Auth, ScopeSet, SecretRef};
use crate::plan;
pub(crate) use crate::words::word;

/// An open target. A sandbox runs as long as this lives.
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) name: String,
    pub(crate) sandbox: Option<plan::Sandbox>,
    /// What was added to the sandbox for the manifest, in words.
    pub(crate) remark: Option<String>,
    /// The options that lead another command to the same manifest and target, as a shell takes them.
    pub(crate) options: String,
    running: Option<Embedded>,
}

/// The files of the sandbox's state, which a command writes where there is a sandbox.
pub(crate) fn state_files(access: &AccessArgs) -> Vec<PathBuf> {
    if !access.sandbox {
        return Vec::new();
    }
    let state = &access.sandbox_state;
    let beside = |ending| PathBuf::from(format!("{}.{ending}", state.display()));
    vec![state.clone(), beside("journal"), beside("log.jsonl"), beside("lock")]
}

/// Whether two paths lead to one file, be it there or not.
fn same_file(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    a == b || matches!((whole(a), whole(b)), (Ok(a), Ok(b)) if a == b)
}

/// The error with `options` in the commands that it names.
pub(crate) fn with_target_options(mut error: AdminError, options: &str) -> AdminError {
    error.message = whole(&error.message, options);
    error
}

/// The error of a token that Shopify refused, with the cause that a token without expiry has from 2027-01-01 on.
pub(crate) fn refused(mut error: AdminError, shop: &ManifestShop, life: Life, options: &str) -> AdminError {
    let login = format!("`hookwright auth login --shop {}`", shop.shop.handle());
    let way_out = match shop.auth.as_deref() {
        Some(Auth::TokenStore { .. }) => format!("log in again: {login}"),
        _ => format!("use `client_assertion` in `auth`, or configure a `token_store` for the shop and run {login}"),
    };
    match error.kind {
        AdminErrorKind::NonExpiringToken => {
            let _ = write!(error.message, "; {way_out}");
        }
        AdminErrorKind::TokenRefused
            if plan::rejects_non_expiring(now())
                && (life == Life::Endless || (life == Life::Unknown && shop.token_expiry.is_none())) =>
        {
            let _ = write!(
                error.message,
                ". Since {}, Shopify rejects non-expiring tokens of public apps: if this app is public, {way_out}",
                plan::REJECTION_DAY
            );
        }
        _ => {}
    }
    with_target_options(error, options)
}

/// The text with `options` in the commands of `auth` that it names: who reads them is not told where a message was made.
pub(crate) fn whole(message: &str, options: &str) -> String {
    let is_command = |n: usize, part: &str| {
        n % 2 == 1 && part.starts_with("hookwright auth ") && !part.starts_with("hookwright auth key")
    };
    let parts = message.split('`').enumerate().map(|(n, part)| {
        if is_command(n, part) && !part.ends_with(options) { format!("{part}{options}") } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("`")
}

/// How a shop's merchant approves a scope: by a link, unless tokens are fetched without one. In the sandbox of `--sandbox`
/// a command grants it. `options` lead a command to this manifest.
pub(super) fn approval(
    shop: &ManifestShop,
    granted: Option<&ScopeSet>,
    sandbox: Option<&plan::Sandbox>,
    options: &str,
) -> String {
    let handle = shop.shop.handle();
    match (sandbox.zip(granted), shop.auth.as_deref()) {
        (Some((sandbox, granted)), _) => {
            let state = match sandbox.state.as_str() {
                DEFAULT_STATE => String::new(),
                path => format!(" --state {}", word(path)),
            };
            let scopes = with_lacking(shop, granted);
            format!(
                "have the shop approve it; in the sandbox, run `hookwright sandbox edit scopes --shop {handle} \
                 {scopes}{state}`"
            )
        }
        (None, Some(Auth::ClientCredentials(_) | Auth::ClientAssertion(_))) => {
            format!("have the shop approve it; `hookwright auth status{options}` shows the granted scopes")
        }
        (None, _) => {
            format!("have the shop approve it with the link that `hookwright auth url --shop {handle}{options}` prints")
        }
    }
}

/// How a shop gets a token that expires and is renewed. `options` lead a command to this manifest.
pub(super) fn way_to_expiry(shop: &ManifestShop, options: &str) -> String {
    let from = match shop.auth.as_deref() {
        Some(Auth::AccessToken(SecretRef::Env(name))) => format!(" --token-env {}", word(name)),
        Some(Auth::AccessToken(SecretRef::File(path))) => format!(" --token-file {}", word(path)),
        _ => String::new(),
    };
    let migrate = format!("`hookwright auth migrate --shop {}{from}{options}`", shop.shop.handle());
    match shop.auth.as_deref() {
        Some(Auth::TokenStore { .. }) => format!("exchange it for a token that is renewed: {migrate}"),
        Some(Auth::ClientAssertion(_) | Auth::ClientCredentials(_)) => {
            "the token was obtained in this run, but the answer had no `expires_in`; check the proxies between this \
             machine and the shop"
                .to_owned()
        }
        _ => format!("use `client_assertion` in `auth`, or configure a `token_store` for the shop and run {migrate}"),
    }
}

/// The scopes that a shop has and those that it lacks, separated by commas.
fn with_lacking(shop: &ManifestShop, granted: &ScopeSet) -> String {
    let lacking = shop.topics().into_iter().filter_map(|topic| catalog::missing_scopes(topic, granted));
    let lacking = lacking.filter_map(|any_of| any_of.first().map(ToString::to_string));
    let scopes = granted.iter().chain(shop.scopes().into_iter().flat_map(ScopeSet::iter)).map(ToString::to_string);
    scopes.chain(lacking).collect::<BTreeSet<String>>().into_iter().collect::<Vec<_>>().join(",")
}

/// The options that lead to the same manifest again.
pub(crate) fn manifest_options(files: &[PathBuf]) -> String {
    let mut options = String::new();
    if !matches!(files, [file] if file == Path::new(DEFAULT_MANIFEST)) {
        for file in files {
            let _ = write!(options, " -f {}", word(&file.display().to_string()));
        }
    }
    options
}

/// What leads to the same manifest again, and lets it run what it may.
fn options(files: &[PathBuf], access: &AccessArgs) -> String {
    let commands = if access.allow_commands { " --allow-commands" } else { "" };
    manifest_options(files) + commands
}

/// Registers apps at the sandbox in this process, which parses a public key as it is printed.
fn register_at(registrar: Registrar) -> auth::OnApp {
    Arc::new(move |id: &str, app: NewApp<'_>| match app {
        NewApp::Secret(secret) => registrar.app(id, secret),
        NewApp::Key { jwk, audience } => registrar.key(id, serde_json::json!(jwk), audience),
    })
}

/// What the tokens of another address than Shopify's are called by: readable, and one name for one URL.
fn name_of(url: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
    let place = url.split_once("://").map_or(url, |(_, place)| place).replace("{shop}", "");
    let readable: String = place.trim_matches('/').chars().map(plain).take(60).collect();
    format!("{readable}-{}", &hex(&Sha256::digest(url))[..8])
}

/// Hosts besides loopback that HOOKWRIGHT_ADMIN_URL may name.
pub(crate) fn trusted_hosts() -> Vec<String> {
    let list = std::env::var("HOOKWRIGHT_TRUST_HOSTS").unwrap_or_default();
    list.split(',').map(|h| h.trim().to_owned()).filter(|h| !h.is_empty()).collect()
}

impl Target {
    /// With `seeds`, also an empty list, a sandbox gets the shops of the manifest that it does not know. Without, it is
    /// taken as it is.
    pub(crate) async fn open(
        access: &AccessArgs,
        manifest: &Manifest,
        seeds: Option<Vec<PathBuf>>,
    ) -> Result<Self, Failure> {
        if access.sandbox {
            return Self::sandbox(access, manifest, seeds).await;
        }
        let Some(url) = std::env::var("HOOKWRIGHT_ADMIN_URL").ok().filter(|url| !url.is_empty()) else {
            network::check_certificates()?;
            let (endpoint, name) = (Endpoint::Shopify, "shopify".to_owned());
            return Ok(Self { endpoint, name, sandbox: None, remark: None, options: String::new(), running: None });
        };
        let endpoint = Endpoint::parse(&url, &trusted_hosts()).map_err(Failure::invalid)?;
        if !endpoint.is_plain() {
            network::check_certificates()?;
        }
        Ok(Self { endpoint, name: url, sandbox: None, remark: None, options: String::new(), running: None })
    }

    async fn sandbox(access: &AccessArgs, manifest: &Manifest, seeds: Option<Vec<PathBuf>>) -> Result<Self, Failure> {
        let (running, remark) = Embedded::start(access, manifest, seeds).await?;
        let endpoint = Endpoint::embedded(&running.url()).map_err(|e| Failure::new(Exit::Error, e))?;
        let state = plan::Sandbox { id: running.id().to_owned(), state: access.sandbox_state.display().to_string() };
        let options = match access.sandbox_state.as_path() {
            path if path == Path::new(DEFAULT_STATE) => " --sandbox".to_owned(),
            path => format!(" --sandbox --sandbox-state {}", word(&path.display().to_string())),
        };
        let name = "sandbox".to_owned();
        Ok(Self { endpoint, name, sandbox: Some(state), remark, options, running: Some(running) })
    }

    /// From now on commands that are named lead to this manifest, too.
    pub(crate) fn lead_to(&mut self, files: &[PathBuf], access: &AccessArgs) {
        self.options = options(files, access) + &self.options;
    }

    /// Whether one address serves many shops only by naming them.
    pub(crate) fn check_shops(&self, shops: usize) -> Result<(), Failure> {
        if self.endpoint.has_shop_placeholder() || shops <= 1 {
            return Ok(());
        }
        Err(Failure::invalid(format!("`HOOKWRIGHT_ADMIN_URL` has no `{{shop}}`, but the selection has {shops} shops"))
            .hint("put `{shop}` in the place of the shop's domain, or select one shop with `--shop`"))
    }

    /// Where secrets come from: none takes longer than the run has.
    pub(crate) fn secrets(access: &AccessArgs, deadline: Option<tokio::time::Instant>) -> SecretResolver {
        let mut options = auth::Options::new(Arc::new(|name| std::env::var_os(name)));
        options.allow_commands = access.allow_commands;
        options.pins = Some(access.secrets.clone()).filter(|pins| !pins.is_empty());
        if let Some(deadline) = deadline {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            options.time_limit = options.time_limit.min(left);
        }
        SecretResolver::new(options)
    }

    /// What stands in for Adobe, if anything does: the embedded sandbox, or HOOKWRIGHT_ADOBE_URL.
    pub(crate) fn adobe(&self) -> Option<String> {
        match &self.running {
            Some(running) => Some(running.adobe_url()),
            None => std::env::var("HOOKWRIGHT_ADOBE_URL").ok().filter(|url| !url.is_empty()),
        }
    }

    /// Where tokens come from against this target: in the sandbox nobody needs a secret.
    pub(crate) fn tokens(&self, access: &AccessArgs, client: &AdminClient) -> Tokens {
        let place = self.store_place();
        Tokens::new(TokenOptions {
            secrets: Self::secrets(access, client.deadline()),
            client: client.clone(),
            clock,
            place: Arc::new(move |path| place(path)),
            sandbox: self.running.as_ref().map(|running| register_at(running.registrar())),
        })
    }

    /// Where a token store of the manifest is. What is kept for Shopify's shops is never sent elsewhere, and never
    /// replaced by what something in Shopify's place hands out.
    fn store_place(&self) -> impl Fn(&Path) -> PathBuf + Send + Sync + 'static {
        // Of one state: a new one under the same name knows none of the tokens of the one before.
        let of_state = |sandbox: &plan::Sandbox| {
            let id = sandbox.id.get(..8).unwrap_or(&sandbox.id);
            PathBuf::from(format!("{}.{id}.tokens", sandbox.state))
        };
        let sandbox = self.sandbox.as_ref().map(of_state);
        let elsewhere = (self.endpoint != Endpoint::Shopify).then(|| name_of(&self.name));
        move |path| match (&sandbox, &elsewhere) {
            // Whatever the two files are called: one of Shopify's is never the sandbox's.
            (Some(sandbox), _) if same_file(sandbox, path) => PathBuf::from(format!("{}.sandbox", sandbox.display())),
            (Some(sandbox), _) => sandbox.clone(),
            (None, Some(name)) => PathBuf::from(format!("{}.{name}", path.display())),
            (None, None) => path.to_owned(),
        }
    }

    /// Flushes and stops a sandbox.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match self.running {
            Some(running) => running.stop().await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_is_named_leads_to_where_the_run_was() {
        let error = |text: &str| AdminError::new(crate::admin::AdminErrorKind::LoginRequired, text);
        let named = error("over: `hookwright auth login --shop acme` gets one");
        assert_eq!(with_target_options(named.clone(), ""), named);
        let there = with_target_options(named, " --sandbox");
        assert_eq!(there.message, "over: `hookwright auth login --shop acme --sandbox` gets one");
        assert_eq!(with_target_options(there.clone(), " --sandbox"), there, "once");
        let two = whole("a `b`: `hookwright auth status`, `hookwright auth url --shop a`; `hookwright plan`", " -f x");
        assert_eq!(two, "a `b`: `hookwright auth status -f x`, `hookwright auth url --shop a -f x`; `hookwright plan`");
    }

    #[test]
    fn a_command_that_is_printed_leads_to_the_same_manifest() {
        let of = |files: &[&str], allow_commands| {
            let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
            options(
                &files,
                &AccessArgs { allow_commands, secrets: Vec::new(), sandbox: false, sandbox_state: PathBuf::new() },
            )
        };
        assert_eq!(of(&[DEFAULT_MANIFEST], false), "");
        assert_eq!(of(&["base", "it's.yaml"], true), r#" -f base -f "it's.yaml" --allow-commands"#);
    }

    #[test]
    fn no_two_urls_have_one_name() {
        let urls =
            ["http://a.example/{shop}", "https://a.example/{shop}", "http://a.example/a/b", "http://a.example/a_b"];
        let names: BTreeSet<String> = urls.map(name_of).into();
        assert_eq!(names.len(), urls.len(), "{names:?}");
        let name = name_of("http://127.0.0.1:4000/{shop}");
        assert!(name.starts_with("127.0.0.1_4000-") && name.len() == "127.0.0.1_4000-".len() + 8, "{name}");
        let long = name_of(&format!("https://a.example/{}", "x".repeat(300)));
        assert_eq!(long.len(), 69);
    }
}
