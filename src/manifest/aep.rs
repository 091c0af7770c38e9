//! Accounts at Adobe, and what destinations ask of them.

use crate::diagnostic::Code;
use crate::model::Address;
use crate::state::aep::{AepAccount, Lookup, LookupBy};

use super::decode::{listed, short};
use super::document::{At, LookupTarget};
use super::findings::Findings;

/// The accounts of a manifest.
pub(super) struct Accounts<'a> {
    /// `None`: the manifest has no `aep`.
    all: Option<&'a [At<AepAccount>]>,
}

impl<'a> Accounts<'a> {
    pub(super) fn new(all: Option<&'a [At<AepAccount>]>) -> Self {
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
            findings.report(findings.diagnostic(Code::UnknownAccount, wanted.spot, message).hint(hint));
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
                    findings.report(findings.diagnostic(Code::UnknownAccount, wanted.spot, message).hint(hint));
                    None
                }
            };
        };
        let found = all.iter().find(|at| *at.value.name == *named.value);
        if found.is_none() && !all.is_empty() {
            let message = format!("there is no account `{}` under `aep`", short(&named.value));
            let hint = format!("there is {}", listed(&names));
            findings.report(findings.diagnostic(Code::UnknownAccount, named.spot, message).hint(hint));
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

/// How a placeholder begins; no URL does.
const PLACEHOLDER: &str = "https://dcs.adobedc.net/<";

/// Whether an address is none, but stands for one.
pub(crate) fn is_placeholder(address: &Address) -> bool {
    address.as_str().starts_with(PLACEHOLDER)
}

/// Stands for the address of what was not looked up, or not found: one for each question, and judged like any other
/// address of Adobe's. A shop whose bindings have one is never planned.
pub(super) fn placeholder(lookup: &Lookup, with_flow_id: bool) -> Address {
    let Lookup { account, kind, by } = lookup;
    let (key, text) = match by {
        LookupBy::Name(name) => ("name", name),
        LookupBy::Id(id) => ("id", id),
    };
    let flow_id = if with_flow_id { " with flow id" } else { "" };
    Address::new(&format!("{PLACEHOLDER}{} {key} {text:?} of {account}{flow_id}>", kind.as_str()))
}
