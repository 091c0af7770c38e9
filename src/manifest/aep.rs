//! Accounts at Adobe, and what destinations ask of them.

use crate::diagnostic::Code;
use crate::state::aep::{AepAccount, Lookup};

use super::decode::{listed, short};
use super::document::{LookupTarget, Spanned};
use super::findings::Findings;

/// The accounts of a manifest.
pub(super) struct Accounts<'a> {
    /// `None`: the manifest has no `aep`.
    all: Option<&'a [Spanned<AepAccount>]>,
}

impl<'a> Accounts<'a> {
    pub(super) fn new(all: Option<&'a [Spanned<AepAccount>]>) -> Self {
        Self { all }
    }

    /// What a destination asks, with the account that it means. `None` if there is none, which is reported.
    pub(super) fn lookup(&self, wanted: &LookupTarget, findings: &mut Findings) -> Option<Lookup> {
        let account = self.account(wanted, findings)?;
        Some(Lookup { account: account.name.clone(), kind: wanted.kind, by: wanted.by.clone() })
    }

    fn account(&self, wanted: &LookupTarget, findings: &mut Findings) -> Option<&'a AepAccount> {
        let Some(all) = self.all else {
            let message = format!("a {} is looked up at Adobe, and the manifest has no `aep`", wanted.kind.as_str());
            let hint = "add the account: aep: { org: …@AdobeOrg, sandbox: prod, client_id: { env: AEP_CLIENT_ID }, \
                        client_secret: { env: AEP_CLIENT_SECRET }, scopes: […] }";
            findings.report(findings.diagnostic(Code::UnknownAccount, wanted.span, message).hint(hint));
            return None;
        };
        let names: Vec<&str> = all.iter().map(|at| &*at.value.name).collect();
        let Some(named) = &wanted.account else {
            return match all {
                [only] => Some(&only.value),
                // What is broken was reported.
                [] => None,
                _ => {
                    let message = "`aep` has several accounts, and the destination does not say which";
                    let hint = format!("add `aep: {}` to the destination; there is {}", names[0], listed(&names));
                    findings.report(findings.diagnostic(Code::UnknownAccount, wanted.span, message).hint(hint));
                    None
                }
            };
        };
        let found = all.iter().find(|at| *at.value.name == *named.value);
        if found.is_none() && !all.is_empty() {
            let message = format!("there is no account `{}` under `aep`", short(&named.value));
            let hint = format!("there is {}", listed(&names));
            findings.report(findings.diagnostic(Code::UnknownAccount, named.span, message).hint(hint));
        }
        found.map(|at| &at.value)
    }

    /// Sorted by name.
    pub(super) fn into_accounts(self) -> Vec<AepAccount> {
        let mut accounts: Vec<_> = self.all.unwrap_or_default().iter().map(|at| at.value.clone()).collect();
        accounts.sort_by(|a, b| a.name.cmp(&b.name));
        accounts
    }
}
