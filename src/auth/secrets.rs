//! Secrets: resolves a reference in the manifest to the text that goes into a header.
//!
//! Reads environment variables (through a function that is passed in), files, and the output of programs. Errors never
//! contain a secret; they name the variable, path or program instead.

mod command;
mod form;
mod pins;
mod secret_value;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, Semaphore, oneshot};

use crate::files::{self, ReadError};
use crate::model::{SecretRef, ShopDomain};
pub(crate) use form::{Role, wrong as wrong_form};
pub(crate) use pins::Pin;
use secret_value::SecretValue;

/// The maximum number of programs that run at the same time.
const COMMANDS_AT_A_TIME: usize = 4;
/// The maximum size of a secret file or output, in bytes.
const SIZE_LIMIT: u64 = 4 * 1024 * 1024;

/// Looks up an environment variable.
pub(crate) type Env = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// The options of a `SecretResolver`.
#[derive(Clone)]
pub(crate) struct Options {
    /// Looks up an environment variable.
    pub env: Env,
    /// Whether programs may run (`--allow-commands`, HOOKWRIGHT_ALLOW_COMMANDS=1).
    pub allow_commands: bool,
    /// The patterns of allowed references; `None`: every reference is allowed.
    pub pins: Option<Vec<Pin>>,
    /// The time limit of one program, and of reading one file.
    pub time_limit: Duration,
}

impl Options {
    /// Returns options that allow no programs.
    pub(crate) fn new(env: Env) -> Self {
        Self { env, allow_commands: false, pins: None, time_limit: Duration::from_secs(30) }
    }
}

/// Why a secret is unavailable. Names the reference, never the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reference} {problem}")]
pub(crate) struct SecretError {
    /// The variable, path or program.
    pub reference: String,
    /// The problem and its remedy. Continues a sentence that starts with `reference`, such as `is empty`.
    pub problem: String,
    /// Whether the secret exists, but has the wrong form.
    pub malformed: bool,
}

impl SecretError {
    /// The kind of this error in plans and reports.
    pub(crate) const KIND: &str = "secret_unavailable";
}

/// Resolves references. Each file, and each program without a placeholder, is read once per run. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SecretResolver {
    inner: Arc<Inner>,
}

type Shared = Arc<OnceCell<Result<SecretValue, SecretError>>>;

struct Inner {
    options: Options,
    commands: Semaphore,
    /// The contents of files and outputs of programs, by reference with its placeholders replaced.
    secret_value: Mutex<HashMap<SecretRef, Shared>>,
}

impl fmt::Debug for SecretResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretResolver").finish_non_exhaustive()
    }
}

impl SecretResolver {
    /// Creates a resolver, without reading anything.
    pub(crate) fn new(options: Options) -> Self {
        let commands = Semaphore::new(COMMANDS_AT_A_TIME);
        Self { inner: Arc::new(Inner { options, commands, secret_value: Mutex::default() }) }
    }

    /// Resolves the secret of `shop`.
    pub(crate) async fn resolve(&self, reference: &SecretRef, shop: &ShopDomain) -> Result<SecretString, SecretError> {
        let reference = expand(reference, shop);
        self.look_up(&reference, Some(shop)).await.and_then(|secret| usable(secret, &reference))
    }

    /// Resolves the secret of `shop`, and refuses it if its form shows that it is another kind of secret.
    pub(crate) async fn resolve_as(
        &self,
        reference: &SecretRef,
        shop: &ShopDomain,
        role: Role,
    ) -> Result<SecretString, SecretError> {
        let secret = match role {
            Role::PrivateKey => self.look_up(&expand(reference, shop), Some(shop)).await?,
            Role::AccessToken | Role::ClientId | Role::ClientSecret => self.resolve(reference, shop).await?,
        };
        match wrong_form(secret.expose_secret(), role) {
            Some(problem) => Err(malformed(&expand(reference, shop), &problem)),
            None => Ok(secret),
        }
    }

    /// Resolves a secret that belongs to no shop.
    pub(crate) async fn resolve_common(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        self.look_up(reference, None).await.and_then(|secret| usable(secret, reference))
    }

    async fn look_up(&self, reference: &SecretRef, shop: Option<&ShopDomain>) -> Result<SecretString, SecretError> {
        if self.inner.options.pins.as_ref().is_some_and(|pins| !pins.iter().any(|pin| pin.allows(reference, shop))) {
            let problem = "is not allowed by `--secrets` (`HOOKWRIGHT_SECRETS`). To allow it, add a pattern for it";
            return Err(error(reference, problem));
        }
        if let SecretRef::Env(name) = reference {
            let value = (self.inner.options.env)(name)
                .ok_or_else(|| error(reference, "is not set. Set it, or use another reference in the manifest"))?;
            let text = value.into_string().map_err(|_| error(reference, "is not valid UTF-8"))?;
            return Ok(text.into());
        }
        let cell = {
            let mut secret_value = self.inner.secret_value.lock().unwrap_or_else(PoisonError::into_inner);
            secret_value.entry(reference.clone()).or_default().clone()
        };
        let secret_value = cell.get_or_init(|| self.fetch(reference)).await.as_ref().map_err(Clone::clone)?;
        match shop {
            Some(shop) => secret_value.of(shop).ok_or_else(|| {
                error(reference, &format!("is a JSON object without the key `{shop}` or `{}`", shop.handle()))
            }),
            None => secret_value
                .whole()
                .ok_or_else(|| error(reference, "is a JSON object, but a single secret is expected")),
        }
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<SecretValue, SecretError> {
        let text = match reference {
            SecretRef::Env(_) => return Err(error(reference, "is not read here")),
            SecretRef::File(path) => {
                read(path, self.inner.options.time_limit).await.map_err(|problem| error(reference, &problem))?
            }
            SecretRef::Command(command) => {
                if !self.inner.options.allow_commands {
                    let problem = "is not allowed to run. Pass `--allow-commands` or set `HOOKWRIGHT_ALLOW_COMMANDS=1`";
                    return Err(error(reference, problem));
                }
                let _permit = self.inner.commands.acquire().await;
                let run = command::run(command, self.inner.options.time_limit, SIZE_LIMIT);
                run.await.map_err(|problem| error(reference, &problem))?
            }
        };
        SecretValue::parse(text).map_err(|problem| error(reference, &problem))
    }
}

/// Replaces `{shop}` and `{SHOP}`. A shop's handle has only letters, digits and dashes, and does not start with a dash,
/// so it can neither leave a folder nor be read as an option.
fn expand(reference: &SecretRef, shop: &ShopDomain) -> SecretRef {
    let put = |text: &String| text.replace("{shop}", shop.handle()).replace("{SHOP}", &shop.env_handle());
    match reference {
        SecretRef::Env(name) => SecretRef::Env(put(name)),
        SecretRef::File(path) => SecretRef::File(put(path)),
        SecretRef::Command(command) => SecretRef::Command(command.iter().map(put).collect()),
    }
}

fn error(reference: &SecretRef, problem: &str) -> SecretError {
    SecretError { reference: named(reference), problem: problem.to_owned(), malformed: false }
}

fn malformed(reference: &SecretRef, problem: &str) -> SecretError {
    SecretError { malformed: true, ..error(reference, problem) }
}

/// Describes the source of the secret of `shop`.
pub(crate) fn describe(reference: &SecretRef, shop: &ShopDomain) -> String {
    named(&expand(reference, shop))
}

fn named(reference: &SecretRef) -> String {
    match reference {
        SecretRef::Env(name) => format!("environment variable {name}"),
        SecretRef::File(path) => format!("secret file {path}"),
        SecretRef::Command(command) => format!("secret command {}", command.first().map_or("(none)", String::as_str)),
    }
}

/// Prepares a secret for a header: removes trailing line breaks, and refuses every other character that is not allowed
/// there.
fn usable(secret: SecretString, reference: &SecretRef) -> Result<SecretString, SecretError> {
    let text = secret.expose_secret();
    let trimmed = text.trim_end_matches(['\r', '\n']);
    if trimmed.trim().is_empty() {
        return Err(error(reference, "is empty. Store the secret there"));
    }
    if trimmed.starts_with("-----BEGIN") {
        let problem = "has a key or a certificate, but a secret of one line is expected. Adobe's Service Account (JWT) \
                       credentials, which had a private key, are retired; use an OAuth Server-to-Server credential";
        return Err(malformed(reference, problem));
    }
    if trimmed.lines().count() > 1 {
        return Err(malformed(
            reference,
            "has more than one line, but a secret is a single line. Remove the other lines",
        ));
    }
    if let Some(odd) = trimmed.chars().find(|c| !c.is_ascii_graphic()) {
        let problem = match odd {
            ' ' | '\t' if trimmed.trim().contains([' ', '\t']) => {
                "contains a blank, but no secret does. Store only the secret, without a prefix"
            }
            ' ' | '\t' => "begins or ends with a blank. Remove the blank",
            odd if odd.is_ascii() => {
                "contains a control character, but no secret does. It may be truncated or pasted from a terminal"
            }
            _ => "contains a character outside ASCII, but no secret does. An editor may have changed it",
        };
        return Err(malformed(reference, problem));
    }
    Ok(if trimmed.len() == text.len() { secret } else { trimmed.into() })
}

/// Reads a regular file on a separate thread, which does not keep the process alive: a file system that does not answer
/// must fail only its own shop.
async fn read(path: &str, limit: Duration) -> Result<SecretString, String> {
    let (done, read) = oneshot::channel();
    let path = PathBuf::from(path);
    let thread = std::thread::Builder::new().name("secret".to_owned());
    let spawned = thread.spawn(move || drop(done.send(files::read(&path, SIZE_LIMIT))));
    spawned.map_err(|error| format!("cannot be read: {error}"))?;
    let Ok(Ok(bytes)) = tokio::time::timeout(limit, read).await else {
        return Err(format!("cannot be read: timed out after {} s", limit.as_secs_f32()));
    };
    text(bytes.map_err(|error| match error {
        ReadError::NotRegular(_) => {
            format!("cannot be read: {error}. For the output of a program use `{{ command: […] }}`")
        }
        error => format!("cannot be read: {error}"),
    })?)
}

/// Converts bytes within the size limit to UTF-8.
fn text(bytes: Vec<u8>) -> Result<SecretString, String> {
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(format!("is larger than {} MiB", SIZE_LIMIT >> 20));
    }
    // Some editors write a byte order mark, which does not belong to the secret.
    let text = String::from_utf8(bytes).map_err(|_| "is not valid UTF-8".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.as_str().into(), SecretString::from))
}

#[cfg(test)]
#[path = "secrets/tests.rs"]
mod tests;
