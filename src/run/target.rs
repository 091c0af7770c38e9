//! The target of a run: Shopify, the sandbox in this process, or a URL that replaces Shopify.

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

/// An open target. A sandbox runs until the target is closed.
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) name: String,
    pub(crate) sandbox: Option<plan::Sandbox>,
    /// Message about shops that were added to the sandbox.
    pub(crate) remark: Option<String>,
    /// Options with which another command uses the same manifest and target, quoted for a shell.
    pub(crate) options: String,
    running: Option<Embedded>,
}

/// Returns the files of the sandbox state that a command writes; empty without `--sandbox`.
pub(crate) fn state_files(access: &AccessArgs) -> Vec<PathBuf> {
    if !access.sandbox {
        return Vec::new();
    }
    let state = &access.sandbox_state;
    let beside = |ending| PathBuf::from(format!("{}.{ending}", state.display()));
    vec![state.clone(), beside("journal"), beside("log.jsonl"), beside("lock")]
}

/// Returns whether two paths name the same file, which need not exist.
fn same_file(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    a == b || matches!((whole(a), whole(b)), (Ok(a), Ok(b)) if a == b)
}

/// Adds `options` to the commands in the message of an error.
pub(crate) fn with_target_options(mut error: AdminError, options: &str) -> AdminError {
    error.message = whole(&error.message, options);
    error
}

/// Adds the remedy to the error of a rejected token. From 2027-01-01, also adds the cause that a non-expiring token can
/// have.
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

/// Adds `options` to the `auth` commands in a message, so that they use the same manifest and target.
pub(crate) fn whole(message: &str, options: &str) -> String {
    let is_command = |n: usize, part: &str| {
        n % 2 == 1 && part.starts_with("hookwright auth ") && !part.starts_with("hookwright auth key")
    };
    let parts = message.split('`').enumerate().map(|(n, part)| {
        if is_command(n, part) && !part.ends_with(options) { format!("{part}{options}") } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("`")
}

/// Returns how the merchant of a shop approves a scope, as a part of a message: with a link, unless tokens are obtained
/// without a login. In the sandbox of `--sandbox`, a command grants the scope. `options` make commands use this
/// manifest.
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
            format!("run `hookwright sandbox edit scopes --shop {handle} {scopes}{state}`")
        }
        (None, Some(Auth::ClientCredentials(_) | Auth::ClientAssertion(_))) => {
            format!("have the shop approve it. The next run then has it; see `hookwright auth status{options}`")
        }
        (None, _) => {
            format!("have the shop approve it with the link that `hookwright auth url --shop {handle}{options}` prints")
        }
    }
}

/// Returns how a shop gets a token that expires and is renewed, as a part of a message. `options` make commands use
/// this manifest.
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
            "the token was obtained in this run, but the response had no `expires_in`; check the proxies between this \
             machine and the shop"
                .to_owned()
        }
        _ => format!("use `client_assertion` in `auth`, or configure a `token_store` for the shop and run {migrate}"),
    }
}

/// Returns the granted and the missing scopes of a shop, separated by commas.
fn with_lacking(shop: &ManifestShop, granted: &ScopeSet) -> String {
    let lacking = shop.topics().into_iter().filter_map(|topic| catalog::missing_scopes(topic, granted));
    let lacking = lacking.filter_map(|any_of| any_of.first().map(ToString::to_string));
    let scopes = granted.iter().chain(shop.scopes().into_iter().flat_map(ScopeSet::iter)).map(ToString::to_string);
    scopes.chain(lacking).collect::<BTreeSet<String>>().into_iter().collect::<Vec<_>>().join(",")
}

/// Returns the options with which a command uses the same manifest.
pub(crate) fn manifest_options(files: &[PathBuf]) -> String {
    let mut options = String::new();
    if !matches!(files, [file] if file == Path::new(DEFAULT_MANIFEST)) {
        for file in files {
            let _ = write!(options, " -f {}", word(&file.display().to_string()));
        }
    }
    options
}

/// Returns the options with which a command uses the same sandbox.
pub(crate) fn sandbox_options(state: &Path) -> String {
    if state == Path::new(DEFAULT_STATE) {
        return " --sandbox".to_owned();
    }
    format!(" --sandbox --sandbox-state {}", word(&state.display().to_string()))
}

/// Returns the options with which a command uses the same manifest, with `--allow-commands` if it was given.
fn options(files: &[PathBuf], access: &AccessArgs) -> String {
    let commands = if access.allow_commands { " --allow-commands" } else { "" };
    manifest_options(files) + commands
}

/// Returns a function that registers apps at the sandbox in this process. The sandbox parses a public key in its
/// printed form.
fn register_at(registrar: Registrar) -> auth::OnApp {
    Arc::new(move |id: &str, app: NewApp<'_>| match app {
        NewApp::Secret(secret) => registrar.app(id, secret),
        NewApp::Key { jwk, audience } => registrar.key(id, serde_json::json!(jwk), audience),
    })
}

/// Returns a name for the token store of a URL that replaces Shopify: readable and unique for each URL.
fn name_of(url: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
    let place = url.split_once("://").map_or(url, |(_, place)| place).replace("{shop}", "");
    let readable: String = place.trim_matches('/').chars().map(plain).take(60).collect();
    format!("{readable}-{}", &hex(&Sha256::digest(url))[..8])
}

/// Returns the hosts, besides loopback, that `HOOKWRIGHT_ADMIN_URL` may name.
pub(crate) fn trusted_hosts() -> Vec<String> {
    let list = std::env::var("HOOKWRIGHT_TRUST_HOSTS").unwrap_or_default();
    list.split(',').map(|h| h.trim().to_owned()).filter(|h| !h.is_empty()).collect()
}

impl Target {
    /// Opens the target. If `seeds` is given, even an empty list, adds the shops of the manifest that the sandbox does
    /// not contain.
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
        let options = sandbox_options(&access.sandbox_state);
        let name = "sandbox".to_owned();
        Ok(Self { endpoint, name, sandbox: Some(state), remark, options, running: Some(running) })
    }

    /// Adds the options of this manifest to the commands in later messages.
    pub(crate) fn lead_to(&mut self, files: &[PathBuf], access: &AccessArgs) {
        self.options = options(files, access) + &self.options;
    }

    /// Fails if there are several shops, but the URL has no placeholder for the shop.
    pub(crate) fn check_shops(&self, shops: usize) -> Result<(), Failure> {
        if self.endpoint.has_shop_placeholder() || shops <= 1 {
            return Ok(());
        }
        Err(Failure::invalid(format!("`HOOKWRIGHT_ADMIN_URL` has no `{{shop}}`, but the selection has {shops} shops"))
            .hint("put `{shop}` in the place of the shop's domain, or select one shop with `--shop`"))
    }

    /// Returns the resolver of secrets. A secret takes at most the remaining time of the run.
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

    /// Returns the URL that replaces Adobe, if there is one: the sandbox in this process, or `HOOKWRIGHT_ADOBE_URL`.
    pub(crate) fn adobe(&self) -> Option<String> {
        match &self.running {
            Some(running) => Some(running.adobe_url()),
            None => std::env::var("HOOKWRIGHT_ADOBE_URL").ok().filter(|url| !url.is_empty()),
        }
    }

    /// Returns the source of tokens for this target. The sandbox in this process needs no secrets.
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

    /// Returns a function that maps the path of a token store in the manifest to its real path. Each target has its own
    /// file, so that tokens of Shopify are never sent to, or replaced by tokens of, another target.
    fn store_place(&self) -> impl Fn(&Path) -> PathBuf + Send + Sync + 'static {
        // The name contains the id of the state, because a new state at the same path does not know the tokens of the
        // previous one.
        let of_state = |sandbox: &plan::Sandbox| {
            let id = sandbox.id.get(..8).unwrap_or(&sandbox.id);
            PathBuf::from(format!("{}.{id}.tokens", sandbox.state))
        };
        let sandbox = self.sandbox.as_ref().map(of_state);
        let elsewhere = (self.endpoint != Endpoint::Shopify).then(|| name_of(&self.name));
        move |path| match (&sandbox, &elsewhere) {
            // The file of the sandbox must differ from the file of Shopify, whatever their names are.
            (Some(sandbox), _) if same_file(sandbox, path) => PathBuf::from(format!("{}.sandbox", sandbox.display())),
            (Some(sandbox), _) => sandbox.clone(),
            (None, Some(name)) => PathBuf::from(format!("{}.{name}", path.display())),
            (None, None) => path.to_owned(),
        }
    }

    /// Stops a sandbox and writes its state.
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
    fn a_login_command_in_a_message_has_the_target_of_the_run() {
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
    fn a_command_in_a_message_has_the_same_manifest() {
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
    fn different_urls_have_different_names() {
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
