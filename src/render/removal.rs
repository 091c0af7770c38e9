//! Why a subscription may have been removed outside of hookwright, and where to look. Said once in a rendering.

use crate::plan::{OLD_ENDPOINT_HOURS, RETRIES};
use crate::wire::plan::{Finding, FindingKind};

/// Above the causes.
pub(super) const HEADING: &str = "Likely causes of a removal";

/// The causes, the most likely one first, and where to look.
pub(super) fn lines() -> [String; 5] {
    [
        format!(
            "The endpoint kept failing: after {RETRIES} retries in {OLD_ENDPOINT_HOURS} hours Shopify deletes the \
             subscription. Older documents, Adobe's page among them, say 19 retries in 48 hours."
        ),
        "The signature was missing or wrong: an Adobe inlet with HMAC rejects the request, and Shopify counts it as a \
         failure. Compare the keys of the inlet with the app's client secret; `hookwright auth rotation` has the steps \
         of a rotation."
            .to_owned(),
        "Other code of the same app deleted the subscription.".to_owned(),
        "The app was uninstalled and installed again.".to_owned(),
        "Where to look: the Dev Dashboard shows the last 30 days of deliveries for the app.".to_owned(),
    ]
}

/// Whether a finding reports a removal.
pub(super) fn is_reported<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> bool {
    findings.into_iter().any(|finding| finding.kind == FindingKind::RemovedRemotely)
}
