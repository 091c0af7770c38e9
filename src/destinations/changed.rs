//! Whether a destination is still what a plan was made with.

use crate::plan;
use crate::wire::plan::Destination;

/// Returns how a destination changed since the plan; `None` if it did not.
pub(crate) fn changed(planned: &Destination, now: &Destination) -> Option<String> {
    let name = planned.name.as_deref().unwrap_or(&planned.wanted);
    // A plan binds nothing to a destination that was closed then, and its other changes are still good.
    if plan::is_closed(now) && !plan::is_closed(planned) {
        return Some(format!("destination {name}: {}", now.message));
    }
    let fields = [
        ("id", &planned.id, &now.id),
        ("address", &planned.address, &now.address),
        ("state", &planned.state, &now.state),
        ("sandbox", &planned.sandbox, &now.sandbox),
    ];
    let (field, was, is) = fields.into_iter().find(|(_, was, is)| was != is)?;
    let say = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    Some(format!("destination {name}: its {field} at Adobe was {} and is {}", say(was), say(is)))
}
