//! Whether a destination is still what a plan was made with.

use crate::plan;
use crate::wire::plan::Destination;

/// What changed of a destination since the plan, in words; nothing if it is the same.
pub(crate) fn changed(planned: &Destination, now: &Destination) -> Option<String> {
    let name = planned.name.as_deref().unwrap_or(&planned.wanted);
    // A plan binds nothing to what was closed then, and may go on with the rest.
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
