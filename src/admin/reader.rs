//! Reads one shop: subscriptions and granted scopes in one request (REST: two). A shop with more than 250 subscriptions
//! needs further pages, and is read until two readings agree.

use secrecy::SecretString;

use super::decode::Granted;
use super::documents::{self, AskOfApp, Document};
use super::envelope::Envelope;
use super::error::AdminError;
use super::reading::{self, Budget, Extras, Pass};
use super::retry::Purpose;
use super::session::Session;
use super::throttle::Bucket;
use super::{AdminClient, decode, rest};
use crate::model::{AppIdentity, ShopDomain, Transport};
use crate::state::Observed;

/// A reading of a shop.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// Subscriptions and granted scopes.
    pub observed: Observed,
    /// The app that the token belongs to.
    pub app: AppIdentity,
    /// The version in the response; a version other than the requested one means that Shopify fell forward.
    pub served_version: Option<String>,
    /// Shopify's text about deprecated parts of the request.
    pub deprecated_reason: Option<String>,
    /// The bucket after the read.
    pub bucket: Option<Bucket>,
}

/// Reads one shop and cannot change it.
pub(crate) struct ShopReader {
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

    /// Reads the whole shop, or fails.
    pub(crate) async fn read(&mut self) -> Result<Reading, AdminError> {
        let mut previous: Option<Pass> = None;
        let mut why = reading::Doubt::Alone;
        for _ in 0..reading::PASSES {
            let (pass, extras) = match self.session.transport() {
                Transport::GraphQl => self.pass().await?,
                Transport::Rest => rest::pass(&mut self.session).await?,
            };
            match reading::doubt(&pass, previous.as_ref()) {
                None => {
                    let clean = |text: Option<String>| text.map(|text| self.session.redactor.clean(&text));
                    return Ok(Reading {
                        observed: pass.observed,
                        app: extras.app,
                        served_version: clean(extras.served_version),
                        deprecated_reason: clean(extras.deprecated_reason),
                        bucket: self.session.bucket,
                    });
                }
                Some(doubt) => {
                    tracing::debug!(shop = %self.session.shop, ?doubt, pages = pass.pages, "the shop is read again");
                    previous = Some(pass).filter(|_| doubt != reading::Doubt::Twice);
                    why = doubt;
                }
            }
        }
        Err(reading::disagreement(why))
    }

    /// Reads all pages once.
    async fn pass(&mut self) -> Result<(Pass, Extras), AdminError> {
        let mut budget = Budget::new();
        let first = self.ask_of_app(documents::read).await?;
        let mut size = first.size;
        let mut data = first.data.unwrap_or_default();
        let Granted { scopes, app } = decode::installation(&mut data, &self.session.redactor)?;
        let extras = Extras { app, served_version: first.served_version, deprecated_reason: first.deprecated_reason };
        let mut page = decode::page(&mut data, &self.session.redactor)?;
        let mut entries = Vec::new();
        loop {
            budget.take(page.entries.len(), size)?;
            entries.append(&mut page.entries);
            let Some(cursor) = page.next.take() else { break };
            let answer = self.ask(&documents::page(&cursor)).await?;
            size = answer.size;
            page = decode::page(&mut answer.data.unwrap_or_default(), &self.session.redactor)?;
            if page.next.as_ref() == Some(&cursor) {
                return Err(decode::unexpected("the same page repeats", &self.session.redactor));
            }
        }
        for entry in &mut entries {
            entry.meta.app = extras.app.number;
        }
        Ok((Pass { observed: Observed { scopes: Some(scopes), entries }, pages: budget.pages() }, extras))
    }

    /// Reads the granted scopes and the app, and nothing else of the shop.
    pub(super) async fn access(&mut self) -> Result<Granted, AdminError> {
        match self.session.transport() {
            Transport::GraphQl => {
                let answer = self.ask_of_app(documents::access).await?;
                decode::installation(&mut answer.data.unwrap_or_default(), &self.session.redactor)
            }
            Transport::Rest => {
                let scopes = rest::scopes(&mut self.session).await?;
                Ok(Granted { scopes, app: AppIdentity::default() })
            }
        }
    }

    /// Sends a document with the app's category, and without it if the Admin API refuses that.
    async fn ask_of_app(&mut self, document: fn(AskOfApp) -> Document) -> Result<Envelope, AdminError> {
        let ask = self.session.client.ask_of_app(&self.session.shop);
        let envelope = self.session.call(&document(ask), self.cost, Purpose::Read).await?;
        if ask == AskOfApp::Number || !envelope.refuses_only(&documents::OF_APP) {
            return self.taken(envelope);
        }
        tracing::debug!(shop = %self.session.shop, "the Admin API refuses the app's category; reading without it");
        self.session.client.ask_less_of_app(&self.session.shop);
        self.ask(&document(AskOfApp::Number)).await
    }

    /// Sends a document. A response with any error fails, because missing data would look like a deletion.
    async fn ask(&mut self, document: &Document) -> Result<Envelope, AdminError> {
        let envelope = self.session.call(document, self.cost, Purpose::Read).await?;
        self.taken(envelope)
    }

    fn taken(&mut self, envelope: Envelope) -> Result<Envelope, AdminError> {
        self.cost = envelope.requested_cost.or(self.cost);
        match envelope.first_error(&self.session.redactor) {
            Some(error) => Err(error),
            None => Ok(envelope),
        }
    }
}
