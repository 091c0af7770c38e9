//! `auth key`: a private key for client assertions, and its public half for the Dev Dashboard.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use secrecy::ExposeSecret;

use crate::auth::Key;
use crate::cli::auth::{KeyArgs, KeyCommand, NewKeyArgs, PublicKeyArgs};
use crate::commands::Output;
use crate::error::Failure;
use crate::exit::Exit;
use crate::files;
use crate::run::target::word;
use crate::words::of_io;

/// The maximum size of a private key file, in bytes.
const LARGEST: u64 = 1 << 20;

pub(super) fn run(args: &KeyArgs, output: Output) -> Result<Exit, Failure> {
    match &args.command {
        KeyCommand::New(args) => new(args, output),
        KeyCommand::Public(args) => public(args, output),
    }
}

fn new(args: &NewKeyArgs, output: Output) -> Result<Exit, Failure> {
    let failed = |why: String| Failure::new(Exit::Error, why);
    let key = Key::generate().map_err(failed)?;
    let pem = key.pem().map_err(failed)?;
    let path = args.out.display();
    create(&args.out, pem.expose_secret().as_bytes()).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::invalid(format!(
            "{path} already exists and is not overwritten. Nothing was written"
        ))
        .hint(format!(
            "to print the public half of its key, run `hookwright auth key public {}`",
            word(&path.to_string())
        )),
        _ => Failure::invalid(format!("cannot write {path}: {}", of_io(&error))),
    })?;
    let jwk = key.public(args.key_id.as_deref());
    output.print_json(&jwk)?;
    output.remark(&format!(
        "Wrote the private key to {path}, which only its owner can read. Keep it out of version control.\n\
         Next steps:\n  \
         1. Add the public key above (JWK) to the app in Shopify's Dev Dashboard, under the key id {}.\n  \
         2. Add to the manifest:\n       \
              auth:\n         \
                client_assertion:\n           \
                  client_id: {{ env: SHOPIFY_CLIENT_ID }}\n           \
                  private_key: {{ file: {} }}\n           \
                  key_id: {}\n  \
         3. Run `hookwright auth status`.\n",
        jwk.kid,
        quoted(&path.to_string()),
        quoted(&jwk.kid),
    ));
    Ok(Exit::Done)
}

fn public(args: &PublicKeyArgs, output: Output) -> Result<Exit, Failure> {
    let path = args.file.display();
    let text = files::read_text(&args.file, LARGEST)
        .map_err(|error| Failure::invalid(format!("cannot read {path}: {}", of_io(&error))))?;
    let key = Key::parse(&text).map_err(|problem| Failure::invalid(format!("{path} {problem}")))?;
    output.print_json(&key.public(args.key_id.as_deref()))?;
    Ok(Exit::Done)
}

/// Creates a file that only the owner may access, and syncs it to the disk. Fails if the file exists. Removes a file
/// that was not written completely.
fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = std::fs::remove_file(path);
        return written;
    }
    // The name is synced, too. Where folders cannot be opened (Windows), the file system does that.
    let _ = File::open(files::parent(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Quotes a text for YAML, if necessary.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '.');
    if starts && text.chars().all(plain) { text.to_owned() } else { serde_json::json!(text).to_string() }
}
