//! Destinations at Adobe Experience Platform: what is looked up for a run, what is checked, and what it means for a plan.
//!
//! Without an `aep` in the manifest, or without a destination that needs it, not one request goes to Adobe.

mod accounts;
mod changed;
mod lookup;
mod replaced;
mod tell;
mod verify;

pub(crate) use accounts::{Accounts, Setting};
pub(crate) use changed::changed;
pub(crate) use lookup::{Looked, look_up};
pub(crate) use replaced::explain;
pub(crate) use verify::{unchecked, verify, with_runs};
