//! Faults that change a shop. They are carried out as edits of `sandbox edit`. Pure.

use crate::catalog;
use crate::model::ShopDomain;

use super::edit::{self, Edit};
use super::fault::{Fault, WriterAction};
use super::store::{ShopStatus, StoredShop, World};
use super::subscription::Subscription;

/// Carries out `fault` on the shop and returns the message of the edit. Returns `None` if there is nothing to change, or if
/// Shopify would refuse the change. `roll` selects one of several subscriptions, `request` is the number of the request in
/// its shop.
pub(super) fn carry_out(
    world: &mut World,
    shop: &ShopDomain,
    fault: &Fault,
    roll: u64,
    request: u64,
    at: &str,
) -> Option<String> {
    let name = shop.as_str().to_owned();
    let status = |status| Edit::Status { shop: name.clone(), status };
    let select = |topic: Option<&str>, address: &str| {
        let subscriptions = world.shops.get(shop).map(StoredShop::by_creation).unwrap_or_default();
        let fits = |s: &&Subscription| {
            s.uri.starts_with(address) && topic.is_none_or(|topic| catalog::from_graphql(&s.topic).as_str() == topic)
        };
        let fitting: Vec<_> = subscriptions.into_iter().filter(fits).collect();
        let at = usize::try_from(roll % fitting.len().max(1) as u64).ok()?;
        fitting.get(at).map(|s| s.id.to_string())
    };
    let edit = match fault {
        Fault::TokenRevoked {} => status(ShopStatus::TokenRefused),
        Fault::Frozen {} => status(ShopStatus::Frozen),
        Fault::Locked {} => status(ShopStatus::Locked),
        Fault::Uninstalled {} => status(ShopStatus::Uninstalled),
        Fault::Removed { address } => Edit::Remove { id: Some(select(None, address)?), topic: None, shop: name },
        Fault::OtherWriter { act, topic, address, set } => match act {
            WriterAction::Add => {
                let topic = topic.clone().unwrap_or_else(|| "app/uninstalled".to_owned());
                let address = address.replace("{n}", &request.to_string());
                Edit::Add { topic, fields: vec![format!("address={address}")], shop: name }
            }
            WriterAction::Edit => Edit::Set { id: select(topic.as_deref(), address)?, fields: set.clone(), shop: name },
            WriterAction::Delete => {
                Edit::Remove { id: Some(select(topic.as_deref(), address)?), topic: None, shop: name }
            }
        },
        _ => return None,
    };
    edit::apply(world, &edit, at).ok()
}

#[cfg(test)]
mod tests {
    use super::super::faults::Rule;
    use super::*;

    #[test]
    fn a_fault_returns_its_message_or_none_if_it_has_nothing_to_change() {
        let (mut world, acme) = (World::default(), ShopDomain::parse("acme").expect("domain"));
        world.shop_mut(&acme).scopes = vec!["read_orders".into()];
        let mut carry_out = |spec: &str| {
            let fault = Rule::parse_spec(spec).expect(spec).fault;
            super::carry_out(&mut world, &acme, &fault, 12_345, 3, "2026-01-01T00:00:00Z")
        };
        assert_eq!(carry_out("removed"), None);
        let add = "other_writer,act=add,topic=orders/create,address=https://a.example/{n}";
        let message = carry_out(add).expect("added");
        assert!(message.contains("added") && message.ends_with("https://a.example/3"), "{message}");
        assert_eq!(carry_out(add), None, "Shopify would refuse it");
        assert_eq!(carry_out("other_writer,act=delete,topic=orders/updated"), None);
        assert_eq!(carry_out("removed,address=https://b."), None);
        let message = carry_out("other_writer,act=edit,address=https://a.,set=name=theirs").expect("edited");
        assert!(message.ends_with("name: theirs"), "{message}");
        assert!(carry_out("removed,address=https://a.").expect("removed").contains("removed"));
        assert_eq!(carry_out("frozen").as_deref(), Some("acme.myshopify.com: status frozen"));
    }
}
