//! Compares a destination with its record in a plan.

use crate::model::Address;
use crate::plan::Destination;

/// Returns how a destination changed after the plan was made; `None` if it did not change.
pub(crate) fn changed(planned: &Destination, now: &Destination) -> Option<String> {
    let name = planned.name.as_deref().unwrap_or(&planned.wanted);
    // A plan contains no bindings to a destination that was already closed, so its other changes can be applied.
    if now.verdict.is_closed() && !planned.verdict.is_closed() {
        return Some(format!("destination {name}: {}", now.message));
    }
    let fields = [
        ("id", planned.id.as_deref(), now.id.as_deref()),
        ("address", planned.address.as_ref().map(Address::as_str), now.address.as_ref().map(Address::as_str)),
        ("state", planned.state.as_deref(), now.state.as_deref()),
        ("sandbox", planned.sandbox.as_deref(), now.sandbox.as_deref()),
    ];
    let (field, was, is) = fields.into_iter().find(|(_, was, is)| was != is)?;
    let say = |value: Option<&str>| value.unwrap_or("none").to_owned();
    Some(format!("destination {name}: its {field} at Adobe changed from {} to {}", say(was), say(is)))
}
