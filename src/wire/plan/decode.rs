//! Converts JSON to plans of the core. Rejects JSON that this program cannot have written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::encode::{figures, with_consents};
use super::file::PlanFileError;
use super::{
    Action, Blocked, BlockedReason, Bound, Change, Field, Finding, FindingKind, Hazard, HazardKind, LeftOut, Origin,
    Ownership, Plan, PlanConsent, Reason, Safety, Selection, Settings, Severity, Shop, ShopError, ShopSafety,
    ShopStatus, Since, Source, Subscription, Summary, Unmanaged,
};
use crate::catalog;
use crate::diff::{self, DeleteReason, UpdateReason};
use crate::model::{self, Address, Binding, Format, Live, ShopDomain, SubscriptionId, Topic, Visibility};
use crate::plan::{
    self, BindingKey, DestinationNames, Earlier, ErrorKind, Obstacle, PlannedChange, Shard, ShopPlan, UnknownWords,
    Unread, Verdict,
};
use crate::state::{self, Entry, Prefix, ShopLimits, Wanted};

/// Assembles a plan from its head (the plan without its shops) and its shops.
pub(super) fn plan(head: Plan, shops: Vec<ShopPlan>) -> Result<plan::Plan, PlanFileError> {
    let stated: Vec<Option<String>> = head.hazards.iter().map(|hazard| hazard.consent.clone()).collect();
    let hazards = head.hazards.into_iter().map(hazard).collect::<Result<Vec<_>, _>>()?;
    let consents = head.consents.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, _>>()?;
    if !with_consents(&hazards, &consents).into_iter().map(|hazard| hazard.consent).eq(stated) {
        let what = "`consent` of a hazard does not match `consents`".to_owned();
        return Err(PlanFileError::Contradiction(what));
    }
    Ok(plan::Plan {
        tool_version: head.tool_version,
        created_at: head.created_at,
        plan_digest: head.plan_digest,
        exit_code: head.exit_code,
        manifest: head.manifest,
        manifest_digest: head.manifest_digest,
        complete: head.complete,
        settings: head.settings.try_into()?,
        selection: head.selection.try_into()?,
        summary: head.summary.into(),
        destinations: head.destinations.into_iter().map(Into::into).collect(),
        hazards,
        consents,
        shops_left: left(head.shops_left, &head.shops_left_bindings),
        former_addresses: head.former_addresses,
        is_drift: head.drift,
        started_at: head.started_at,
        since: head.since.map(|Since { new, known, removed_remotely, never_made }| plan::SinceCounts {
            new,
            known,
            removed_remotely,
            never_made,
        }),
        shops,
    })
}

fn left(shops: Vec<String>, bindings: &BTreeMap<String, usize>) -> BTreeMap<String, Option<usize>> {
    let with_bindings = |shop: String| {
        let bindings = bindings.get(&shop).copied();
        (shop, bindings)
    };
    shops.into_iter().map(with_bindings).collect()
}

fn malformed(what: String) -> PlanFileError {
    PlanFileError::Malformed(what)
}

impl TryFrom<Settings> for plan::Settings {
    type Error = PlanFileError;

    fn try_from(settings: Settings) -> Result<Self, Self::Error> {
        let Settings { name, endpoint, sandbox, adobe, admin_api, ownership, safety } = settings;
        let Ownership { address_prefixes, unmanaged } = ownership;
        let prefix = |text: &String| Prefix::parse(text).map_err(|why| malformed(format!("{text:?}: {why}")));
        let Safety {
            max_delete_percent,
            max_total_delete_percent,
            max_address_change_percent,
            max_destination_loss_percent,
            protected_topics,
        } = safety;
        if let Some(name) = name.as_ref().filter(|name| plan::run_name(name).is_err()) {
            return Err(malformed(format!("{name:?} is not the name of a run")));
        }
        Ok(Self {
            name,
            endpoint,
            sandbox: sandbox.map(|s| plan::Sandbox { id: s.id, state: s.state }),
            adobe,
            admin_api: plan::AdminApi { version: admin_api.version, transport: admin_api.transport },
            ownership: state::Ownership {
                address_prefixes: address_prefixes.iter().map(prefix).collect::<Result<_, _>>()?,
                unmanaged: match unmanaged {
                    Unmanaged::Report => state::Unmanaged::Report,
                    Unmanaged::Ignore => state::Unmanaged::Ignore,
                    Unmanaged::Delete => state::Unmanaged::Delete,
                    Unmanaged::Other(word) => return Err(malformed(format!("unknown value {word:?} of `unmanaged`"))),
                },
            },
            safety: state::Safety {
                max_delete_percent,
                max_total_delete_percent,
                max_address_change_percent,
                max_destination_loss_percent,
                protected_topics: topics(&protected_topics),
            },
        })
    }
}

fn topics(list: &[String]) -> Vec<Topic> {
    list.iter().map(|topic| Topic::from_slash(topic)).collect()
}

impl TryFrom<Selection> for plan::Selection {
    type Error = PlanFileError;

    fn try_from(selection: Selection) -> Result<Self, Self::Error> {
        let Selection { shops, labels, shard, only } = selection;
        let parsed = |text: String| Shard::parse(&text).ok_or_else(|| malformed(format!("{text:?} is not a shard")));
        Ok(Self { shops, labels, shard: shard.map(parsed).transpose()?, only: only.map(Into::into) })
    }
}

impl From<Summary> for plan::Summary {
    fn from(summary: Summary) -> Self {
        let Summary { add, change, destroy, unchanged, blocked, unmanaged, attention, left_out, shops } = summary;
        let shops = plan::ShopCounts {
            total: shops.total,
            changed: shops.changed,
            unchanged: shops.unchanged,
            failed: shops.failed,
            unavailable: shops.unavailable,
        };
        Self { add, change, destroy, unchanged, blocked, unmanaged, attention, left_out, shops }
    }
}

/// Converts a hazard. A hazard whose figures do not match its kind becomes `Other`, for which no consent exists.
pub(super) fn hazard(wire: Hazard) -> Result<plan::Hazard, PlanFileError> {
    let Hazard { kind, shop, message, allow, consent: _, details } = wire;
    let shop = shop.map(|shop| domain(&shop)).transpose()?;
    let known = hazard_kind(&kind, &details).filter(|known| figures(known) == details);
    let other = || plan::HazardKind::Other { name: kind.as_str().to_owned(), message, details };
    let hazard = plan::Hazard { kind: known.unwrap_or_else(other), shop };
    // Users copy `allow` from the output, and `show --check --out` writes it to a file.
    if hazard.allow() != allow {
        let what = format!("`allow` of the hazard `{}` does not match its kind and shop", kind.as_str());
        return Err(PlanFileError::Contradiction(what));
    }
    Ok(hazard)
}

impl TryFrom<PlanConsent> for plan::PlanConsent {
    type Error = PlanFileError;

    fn try_from(consent: PlanConsent) -> Result<Self, Self::Error> {
        let PlanConsent { allow, reason, expires, source, covers } = consent;
        let expires = expires.parse().map_err(|_| malformed(format!("{expires:?} is not a date")))?;
        Ok(Self { allow, reason, expires, source: source.into(), covers })
    }
}

fn hazard_kind(kind: &HazardKind, figures: &Map<String, Value>) -> Option<plan::HazardKind> {
    let number = |key: &str| figures.get(key)?.as_u64().and_then(|n| usize::try_from(n).ok());
    let limit_percent = || figures.get("limit_percent")?.as_u64().and_then(|n| u8::try_from(n).ok());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let texts = |key: &str| figures.get(key)?.as_array()?.iter().map(text).collect::<Option<Vec<String>>>();
    Some(match kind {
        HazardKind::MaxDeletePercent => plan::HazardKind::MaxDeletePercent {
            deletes: number("deletes")?,
            of: number("of")?,
            limit_percent: limit_percent()?,
        },
        HazardKind::MaxTotalDeletePercent => plan::HazardKind::MaxTotalDeletePercent {
            deletes: number("deletes")?,
            of: number("of")?,
            limit_percent: limit_percent()?,
        },
        HazardKind::MaxAddressChangePercent => plan::HazardKind::MaxAddressChangePercent {
            address_changes: number("address_changes")?,
            of: number("of")?,
            shops: number("shops")?,
            limit_percent: limit_percent()?,
        },
        HazardKind::MaxDestinationLossPercent => {
            let loss = |value: &Value| {
                let number = |key: &str| value.get(key)?.as_u64().and_then(|n| usize::try_from(n).ok());
                Some(plan::DestinationLoss {
                    destination: text(value.get("destination")?)?,
                    deleted: number("deleted")?,
                    moved: number("moved")?,
                    of: number("of")?,
                    shops: number("shops")?,
                })
            };
            let destinations = figures.get("destinations")?.as_array()?.iter().map(loss).collect::<Option<_>>()?;
            plan::HazardKind::MaxDestinationLossPercent { destinations, limit_percent: limit_percent()? }
        }
        HazardKind::AdoptionDelete => plan::HazardKind::AdoptionDelete {
            deletes: number("deletes")?,
            of: number("of")?,
            addresses: texts("addresses")?.into_iter().collect(),
        },
        HazardKind::EmptyShop => plan::HazardKind::EmptyShop { managed: number("managed")? },
        HazardKind::DeleteForeign => plan::HazardKind::DeleteForeign { addresses: texts("addresses")? },
        HazardKind::RerouteForeign => {
            let side = |value: &Value, key: &str| value.get(key).and_then(text);
            let moves = figures.get("moves")?.as_array()?.iter();
            let moves = moves.map(|m| Some((side(m, "from")?, side(m, "to")?))).collect::<Option<_>>()?;
            plan::HazardKind::RerouteForeign { moves }
        }
        HazardKind::DeleteUnmanaged => plan::HazardKind::DeleteUnmanaged { deletes: number("deletes")? },
        HazardKind::ProtectedTopic => plan::HazardKind::ProtectedTopic { topics: texts("topics")? },
        HazardKind::DestinationSettling => plan::HazardKind::DestinationSettling {
            destinations: texts("destinations")?,
            subscriptions: number("subscriptions")?,
            until: figures.get("until")?.as_str()?.parse().ok()?,
        },
        HazardKind::Other(_) => return None,
    })
}

/// Parses the full domain of a shop.
fn domain(text: &str) -> Result<ShopDomain, PlanFileError> {
    let shop = ShopDomain::parse(text).ok().filter(|shop| shop.as_str() == text);
    shop.ok_or_else(|| malformed(format!("{text:?} is not a shop domain")))
}

impl TryFrom<Shop> for ShopPlan {
    type Error = PlanFileError;

    fn try_from(wire: Shop) -> Result<Self, Self::Error> {
        let shop = domain(&wire.shop)?;
        let decoded = |changes: Vec<Change>| {
            let changes = changes.into_iter().map(change).collect::<Option<Vec<PlannedChange>>>();
            changes.ok_or_else(|| malformed(format!("the parts of a change of {shop} do not match its action")))
        };
        let changes = decoded(wire.changes)?;
        let left_out = wire.left_out.map(|left_out| {
            let LeftOut { changes, blocked } = *left_out;
            let blocked = blocked.into_iter().map(Into::into).collect();
            Ok::<_, PlanFileError>(plan::LeftOut { changes: decoded(changes)?, blocked })
        });
        let left_out = left_out.transpose()?.unwrap_or_default();
        let unread = match (wire.status, wire.error, changes.is_empty()) {
            (ShopStatus::Changed, None, false) | (ShopStatus::Unchanged, None, true) => None,
            (ShopStatus::Failed, Some(error), true) => Some(Unread { error: (*error).into(), tolerated: false }),
            (ShopStatus::Unavailable, Some(error), true) => Some(Unread { error: (*error).into(), tolerated: true }),
            _ => {
                let what = format!("the status of {shop} does not match its changes");
                return Err(PlanFileError::Contradiction(what));
            }
        };
        let unread = unread.map(Box::new);
        let bound = |Bound { topic, destination, count }| plan::Bound { topic, destination, count };
        Ok(Self {
            shop,
            labels: wire.labels,
            desired_digest: wire.desired_digest,
            context_digest: wire.observed_digest,
            managed: wire.managed,
            unmanaged: wire.unmanaged,
            limits: wire.safety.map(limits).unwrap_or_default(),
            bound: wire.bound.iter().cloned().map(bound).collect(),
            blocked: wire.blocked.into_iter().map(Into::into).collect(),
            changes,
            left_out,
            findings: wire.findings.into_iter().map(Into::into).collect(),
            unread,
        })
    }
}

fn limits(safety: ShopSafety) -> ShopLimits {
    let ShopSafety { max_delete_percent, protected_topics } = safety;
    ShopLimits { max_delete_percent, protected_topics: protected_topics.as_deref().map(topics) }
}

impl From<Source> for state::Source {
    fn from(Source { file, line }: Source) -> Self {
        Self { file, line }
    }
}

impl From<Blocked> for plan::Blocked {
    fn from(wire: Blocked) -> Self {
        let Blocked { topic, destination, address, format, filter, reason, any_of, message, source } = wire;
        let format = format.as_deref().and_then(Format::parse);
        let key =
            address.zip(format).map(|(address, format)| BindingKey { address: Address::new(&address), format, filter });
        let obstacle = match (reason.as_str().strip_prefix("destination_"), &reason) {
            (_, BlockedReason::Scope) => Obstacle::Scope(any_of),
            (_, BlockedReason::NameTaken) => Obstacle::NameTaken,
            (Some(verdict), _) => Obstacle::Destination(Verdict::parse(verdict)),
            (None, reason) => Obstacle::Other(reason.as_str().to_owned()),
        };
        Self {
            topic: self::topic(&topic),
            destination: destination.into(),
            key: key.map(Box::new),
            obstacle,
            message,
            source: source.map(Into::into),
        }
    }
}

/// Converts a change. Returns `None` if its parts do not match its action.
fn change(wire: Change) -> Option<PlannedChange> {
    let Change { action, topic, reason, origin, fields, destination, source, before, after } = wire;
    let topic = self::topic(&topic);
    let before = before.map(|sub| live(&topic, Arc::unwrap_or_clone(sub)).ok_or(())).transpose().ok()?;
    let after = after.map(|sub| binding(&topic, Arc::unwrap_or_clone(sub)).ok_or(())).transpose().ok()?.map(Arc::new);
    let destinations = DestinationNames { before: destination.before, after: destination.after };
    let wanted = source.map(|source| Wanted { destination: destinations.after.clone(), source: source.into() });
    let mut unknown = UnknownWords::default();
    let word = |reason: &Reason| Some(reason.as_str().to_owned());
    let change = match (action, before, after) {
        (Action::Create, None, Some(after)) => {
            unknown.reason = word(&reason).filter(|_| reason != Reason::Missing);
            diff::Change::Create { after, wanted: wanted? }
        }
        (Action::Update, Some(before), Some(after)) => {
            let reason = match reason {
                Reason::Repurposed => UpdateReason::Repurposed,
                Reason::NameStep => UpdateReason::NameStep,
                Reason::Differs => UpdateReason::Differs,
                ref other => {
                    unknown.reason = word(other);
                    UpdateReason::Differs
                }
            };
            let (known, others): (Vec<_>, Vec<_>) = fields.iter().partition(|field| self::field(field).is_some());
            unknown.fields = others.into_iter().map(ToString::to_string).collect();
            let fields = known.into_iter().filter_map(field).collect();
            diff::Change::Update { before: Box::new(before), after, fields, reason, wanted }
        }
        (Action::Delete, Some(before), None) => {
            let reason = match reason {
                Reason::Duplicate => DeleteReason::Duplicate,
                Reason::Replaced => DeleteReason::Replaced,
                Reason::Unmanaged => DeleteReason::Unmanaged,
                Reason::NotInManifest => DeleteReason::NotInManifest,
                ref other => {
                    unknown.reason = word(other);
                    DeleteReason::NotInManifest
                }
            };
            diff::Change::Delete { before: Box::new(before), reason }
        }
        _ => return None,
    };
    let unknown = (unknown != UnknownWords::default()).then(|| Box::new(unknown));
    Some(PlannedChange { change, origin: origin.map(Into::into), destinations, unknown })
}

impl From<Origin> for plan::Origin {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Drift => Self::Drift,
            Origin::Manifest => Self::Manifest,
        }
    }
}

fn field(field: &Field) -> Option<model::Field> {
    Some(match field {
        Field::Address => model::Field::Address,
        Field::Format => model::Field::Format,
        Field::Filter => model::Field::Filter,
        Field::IncludeFields => model::Field::IncludeFields,
        Field::MetafieldNamespaces => model::Field::MetafieldNamespaces,
        Field::Name => model::Field::Name,
        Field::Metafields => model::Field::Metafields,
        Field::Other(_) => return None,
    })
}

/// Parses a topic of a file. An unknown topic in slash form stays in slash form, which REST requires.
pub(in crate::wire) fn topic(text: &str) -> Topic {
    let topic = Topic::from_slash(text);
    if catalog::lookup(&topic).is_some() { catalog::from_graphql(topic.graphql()) } else { topic }
}

fn live(topic: &Topic, sub: Subscription) -> Option<Entry<Live>> {
    let meta = Live {
        id: SubscriptionId::new(sub.id.as_deref()?),
        created_at: sub.created_at.clone().unwrap_or_default(),
        updated_at: sub.updated_at.clone().unwrap_or_default(),
        api_version: sub.api_version.clone(),
        // A file does not record what the transport shows. Plans are judged with the visibility of a fresh reading.
        visibility: Visibility::Whole,
        app: None,
    };
    Some(Entry { binding: binding(topic, sub)?, meta })
}

fn binding(topic: &Topic, sub: Subscription) -> Option<Binding> {
    Some(Binding {
        topic: topic.clone(),
        address: Address::new(&sub.address),
        format: Format::parse(&sub.format)?,
        filter: sub.filter.filter(|f| !f.is_empty()),
        include_fields: sub.include_fields,
        metafield_namespaces: sub.metafield_namespaces,
        name: sub.name,
        metafields: sub.metafields,
    })
}

impl From<Finding> for plan::Finding {
    fn from(wire: Finding) -> Self {
        let Finding { kind, severity, topic, id, message, details } = wire;
        let mut details = Arc::unwrap_or_clone(details);
        let kind =
            finding_kind(&kind, &mut details).unwrap_or_else(|| plan::FindingKind::Other(kind.as_str().to_owned()));
        Self {
            kind,
            severity: severity.into(),
            topic: topic.as_deref().map(self::topic),
            id: id.as_deref().map(SubscriptionId::new),
            message,
            details: details.into(),
        }
    }
}

/// Moves the data of a kind out of the details. Returns `None`, and leaves the details unchanged, if the kind is
/// unknown or its data is invalid.
fn finding_kind(kind: &FindingKind, details: &mut Map<String, Value>) -> Option<plan::FindingKind> {
    let text = |key: &str| details.get(key).and_then(Value::as_str);
    let index = || usize::try_from(details.get("index")?.as_u64()?).ok();
    let earlier = || {
        Some(Earlier {
            index: index()?,
            key: BindingKey {
                address: Address::new(text("address")?),
                format: Format::parse(text("format")?)?,
                filter: text("filter").map(str::to_owned),
            },
            last_known: text("last_known").and_then(|at| at.parse().ok()),
            known_since: text("known_since").and_then(|at| at.parse().ok()),
        })
    };
    let known = match kind {
        FindingKind::OldEndpoint => plan::FindingKind::OldEndpoint { address: text("address")?.to_owned() },
        FindingKind::KnownDrift => {
            plan::FindingKind::KnownDrift { index: index()?, known_since: text("known_since")?.parse().ok()? }
        }
        FindingKind::NeverMade => plan::FindingKind::NeverMade(earlier()?),
        FindingKind::RemovedByApply => plan::FindingKind::RemovedByApply(earlier()?),
        FindingKind::RemovedRemotely => plan::FindingKind::RemovedRemotely(earlier()?),
        other => match other.as_str().strip_prefix("destination_") {
            Some(verdict) => plan::FindingKind::Destination(Verdict::parse(verdict)),
            None => return plan::FindingKind::without_data(other.as_str()),
        },
    };
    let taken: &[&str] = match known {
        plan::FindingKind::OldEndpoint { .. } => &["address"],
        plan::FindingKind::Destination(_) => &[],
        _ => &["index", "address", "format", "filter", "last_known", "known_since"],
    };
    details.retain(|key, _| !taken.contains(&key.as_str()));
    Some(known)
}

impl From<Severity> for plan::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Attention => Self::Attention,
        }
    }
}

impl From<ShopError> for plan::ShopError {
    fn from(error: ShopError) -> Self {
        let ShopError { kind, http_status, message, retryable } = error;
        Self { kind: ErrorKind::new(kind.as_str()), http_status, message, retryable }
    }
}
