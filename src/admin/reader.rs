//! Reads one shop: subscriptions and granted scopes in one request (REST: two), further pages only past 250.

use secrecy::SecretString;

use super::documents::{self, Document};
use super::envelope::Envelope;
use super::error::{AdminError, Kind};
use super::retry::Purpose;
use super::session::Session;
use super::throttle::Bucket;
use super::{AdminClient, Transport, decode, rest};
use crate::model::ShopDomain;
use crate::state::Observed;

/// A shop has far fewer; a server that never ends must not keep the run.
pub(super) const MOST_PAGES: usize = 400;

/// What was read of a shop.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Subscriptions and granted scopes.
    pub observed: Observed,
    /// The version that answered, if it said so; another one than was asked for means that Shopify fell forward.
    pub served_version: Option<String>,
    /// Shopify's word on what is deprecated in the request.
    pub deprecated_reason: Option<String>,
    /// The bucket after the read.
    pub bucket: Option<Bucket>,
}

/// Reads one shop. Holds no way to change it.
pub struct ShopReader {
    session: Session,
    cost: Option<f64>,
}

impl ShopReader {
    pub(super) fn new(client: AdminClient, shop: &ShopDomain, token: &SecretString) -> Self {
        Self { session: Session::new(client, shop, token), cost: None }
    }

    pub(super) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    pub(super) fn transport(&self) -> Transport {
        self.session.transport()
    }

    pub(super) fn bucket(&self) -> Option<Bucket> {
        self.session.bucket
    }

    /// Reads the shop, whole or not at all.
    pub async fn read(&mut self) -> Result<Reading, AdminError> {
        match self.session.transport() {
            Transport::GraphQl => self.read_graphql().await,
            Transport::Rest => rest::read(&mut self.session).await,
        }
    }

    async fn read_graphql(&mut self) -> Result<Reading, AdminError> {
        let first = self.ask(&documents::read()).await?;
        let (mut data, served_version, deprecated_reason) =
            (first.data.unwrap_or_default(), first.served_version, first.deprecated_reason);
        let scopes = decode::scopes(&mut data, &self.session.redactor)?;
        let mut page = decode::page(&mut data, &self.session.redactor)?;
        let mut entries = page.entries;
        for _ in 1..MOST_PAGES {
            let Some(cursor) = page.next.take() else { break };
            let mut data = self.ask(&documents::page(&cursor)).await?.data.unwrap_or_default();
            page = decode::page(&mut data, &self.session.redactor)?;
            if page.next.as_ref() == Some(&cursor) {
                return Err(decode::unexpected("the same page again and again", &self.session.redactor));
            }
            entries.append(&mut page.entries);
        }
        if page.next.is_some() {
            return Err(AdminError::new(Kind::TooLarge, "the shop has more subscriptions than can be true"));
        }
        Ok(Reading {
            observed: Observed { scopes: Some(scopes), entries },
            served_version: served_version.map(|text| self.session.redactor.clean(&text)),
            deprecated_reason: deprecated_reason.map(|text| self.session.redactor.clean(&text)),
            bucket: self.session.bucket,
        })
    }

    /// An answer with any error in it is none: what is missing would look like a deletion.
    async fn ask(&mut self, document: &Document) -> Result<Envelope, AdminError> {
        let envelope = self.session.call(document, self.cost, Purpose::Read).await?;
        self.cost = envelope.requested_cost.or(self.cost);
        match envelope.first_error(&self.session.redactor) {
            Some(error) => Err(error),
            None => Ok(envelope),
        }
    }
}
