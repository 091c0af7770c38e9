//! Faults that change a shop: carried out as the edits of `sandbox edit`. Pure.

use crate::catalog;
use crate::model::ShopDomain;

use super::edit::{self, Edit};
use super::fault::{Act, Fault};
use super::store::{Shop, Status, Subscription, World};

/// Does what `fault` does to the shop and tells it; `None`: there is nothing to do it to. `roll` chooses among what
/// there is, `request` is the number of the request in its shop.
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
    let id_of = |subscription: &Subscription| subscription.id.to_string();
    let victims = |topic: Option<&str>, address: &str| {
        let subscriptions = world.shops.get(shop).map(Shop::by_creation).unwrap_or_default();
        let fits = |s: &&Subscription| {
            s.uri.starts_with(address) && topic.is_none_or(|topic| catalog::from_graphql(&s.topic).as_str() == topic)
        };
        let fitting: Vec<_> = subscriptions.into_iter().filter(fits).collect();
        let at = usize::try_from(roll % fitting.len().max(1) as u64).ok()?;
        fitting.get(at).map(|s| id_of(s))
    };
    let edit = match fault {
        Fault::TokenRevoked {} => status(Status::TokenRefused),
        Fault::Frozen {} => status(Status::Frozen),
        Fault::Locked {} => status(Status::Locked),
        Fault::Uninstalled {} => status(Status::Uninstalled),
        Fault::Removed { address } => Edit::Remove { id: Some(victims(None, address)?), topic: None, shop: name },
        Fault::OtherWriter { act, topic, address, set } => match act {
            Act::Add => {
                let topic = topic.clone().unwrap_or_else(|| "app/uninstalled".to_owned());
                let address = address.replace("{n}", &request.to_string());
                Edit::Add { topic, fields: vec![format!("address={address}")], shop: name }
            }
            Act::Edit => Edit::Set { id: victims(topic.as_deref(), address)?, fields: set.clone(), shop: name },
            Act::Delete => Edit::Remove { id: Some(victims(topic.as_deref(), address)?), topic: None, shop: name },
        },
        _ => return None,
    };
    // What Shopify would refuse the other writer, he does not do.
    edit::apply(world, &edit, at).ok()
}

#[cfg(test)]
mod tests {
    use super::super::faults::Rule;
    use super::*;

    #[test]
    fn deeds_are_told_and_need_something_to_be_done_to() {
        let (mut world, acme) = (World::default(), ShopDomain::parse("acme").expect("domain"));
        world.shop_mut(&acme).scopes = vec!["read_orders".into()];
        let mut carry_out = |spec: &str| {
            let fault = Rule::parse_spec(spec).expect(spec).fault;
            super::carry_out(&mut world, &acme, &fault, 12_345, 3, "2026-01-01T00:00:00Z")
        };
        assert_eq!(carry_out("removed"), None);
        let add = "other_writer,act=add,topic=orders/create,address=https://a.example/{n}";
        let told = carry_out(add).expect("added");
        assert!(told.contains("added") && told.ends_with("https://a.example/3"), "{told}");
        assert_eq!(carry_out(add), None, "Shopify would refuse it");
        assert_eq!(carry_out("other_writer,act=delete,topic=orders/updated"), None);
        assert_eq!(carry_out("removed,address=https://b."), None);
        let told = carry_out("other_writer,act=edit,address=https://a.,set=name=theirs").expect("edited");
        assert!(told.ends_with("name: theirs"), "{told}");
        assert!(carry_out("removed,address=https://a.").expect("removed").contains("removed"));
        assert_eq!(carry_out("frozen").as_deref(), Some("acme.myshopify.com: status frozen"));
    }
}
