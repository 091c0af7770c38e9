//! Adobe accounts, and the lookups of destinations in them.

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

    /// Returns the lookup of a destination with its account. Reports an account that is not defined and returns `None`.
    pub(super) fn lookup(&self, wanted: &LookupTarget, findings: &mut Findings) -> Option<Lookup> {
        let account = self.account(wanted, findings)?;
        Some(Lookup { account: account.name.clone(), kind: wanted.kind, by: wanted.by.clone() })
    }

    fn account(&self, wanted: &LookupTarget, findings: &mut Findings) -> Option<&'a AepAccount> {
        let Some(all) = self.all else {
            let message =
                format!("the destination looks up a {} at Adobe, but the manifest has no `aep`", wanted.kind.noun());
            let hint = "add the account: `aep: { org: …@AdobeOrg, sandbox: prod, client_id: { env: AEP_CLIENT_ID }, \
                        client_secret: { env: AEP_CLIENT_SECRET }, scopes: […] }`";
            findings.report(findings.diagnostic(Code::UnknownAccount, wanted.span, message).hint(hint));
            return None;
        };
        let names: Vec<&str> = all.iter().map(|at| &*at.value.name).collect();
        let Some(named) = &wanted.account else {
            return match all {
                [only] => Some(&only.value),
                // An invalid account was reported.
                [] => None,
                _ => {
                    let message = "`aep` defines several accounts, but the destination names none";
                    let hint = format!(
                        "add one to the destination, such as `aep: {}`; defined accounts: {}",
                        names[0],
                        listed(&names)
                    );
                    findings.report(findings.diagnostic(Code::UnknownAccount, wanted.span, message).hint(hint));
                    None
                }
            };
        };
        let found = all.iter().find(|at| *at.value.name == *named.value);
        if found.is_none() && !all.is_empty() {
            let message = format!("unknown account `{}`: `aep` does not define it", short(&named.value));
            let hint = format!("defined accounts: {}", listed(&names));
            findings.report(findings.diagnostic(Code::UnknownAccount, named.span, message).hint(hint));
        }
        found.map(|at| &at.value)
    }

    /// Returns the accounts, sorted by name.
    pub(super) fn into_accounts(self) -> Vec<AepAccount> {
        let mut accounts: Vec<_> = self.all.unwrap_or_default().iter().map(|at| at.value.clone()).collect();
        accounts.sort_by(|a, b| a.name.cmp(&b.name));
        accounts
    }
}
