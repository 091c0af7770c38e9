//! A binding: the topic, the address and the settings of a subscription.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use super::{Address, Topic};

/// The payload format. Shopify's default is JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `json`
    #[default]
    Json,
    /// `xml`
    Xml,
}

impl Format {
    /// The lower-case name in the manifest and in REST.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
        }
    }

    /// Parses the name in REST (`json`) or in GraphQL (`JSON`).
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Json, Self::Xml].into_iter().find(|f| text.eq_ignore_ascii_case(f.as_str()))
    }
}

/// A topic, its address and the other settings of a subscription. `A` is [`Address`], except in a manifest whose
/// destinations are not resolved yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Binding<A = Address> {
    /// The topic. Shopify does not allow changing the topic of a subscription.
    pub topic: Topic,
    /// The delivery address.
    pub address: A,
    /// The payload format.
    pub format: Format,
    /// The filter in Shopify's search syntax; an empty filter is stored as `None`.
    pub filter: Option<String>,
    /// The payload fields to include, as dotted paths, in the order written.
    pub include_fields: Vec<String>,
    /// The metafield namespaces, in the order written.
    pub metafield_namespaces: Vec<String>,
    /// The name, unique in the shop, ignoring case. If it is `None` in a desired binding, it is not compared.
    pub name: Option<String>,
    /// The metafields as `namespace.key`, in the order written. If it is `None` in a desired binding, it is not
    /// compared.
    pub metafields: Option<Vec<String>>,
}

/// A field of a binding that an update can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `address`
    Address,
    /// `format`
    Format,
    /// `filter`
    Filter,
    /// `include_fields`
    IncludeFields,
    /// `metafield_namespaces`
    MetafieldNamespaces,
    /// `name`
    Name,
    /// `metafields`
    Metafields,
}

impl Field {
    /// The key in the manifest and in the JSON formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Format => "format",
            Self::Filter => "filter",
            Self::IncludeFields => "include_fields",
            Self::MetafieldNamespaces => "metafield_namespaces",
            Self::Name => "name",
            Self::Metafields => "metafields",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<A> Binding<A> {
    /// Returns the same binding with another kind of address.
    pub fn with_address<B>(&self, address: B) -> Binding<B> {
        let Self { topic, address: _, format, filter, include_fields, metafield_namespaces, name, metafields } = self;
        Binding {
            topic: topic.clone(),
            address,
            format: *format,
            filter: filter.clone(),
            include_fields: include_fields.clone(),
            metafield_namespaces: metafield_namespaces.clone(),
            name: name.clone(),
            metafields: metafields.clone(),
        }
    }
}

impl Binding {
    /// Creates a binding with a topic and an address, and default settings.
    pub fn new(topic: Topic, address: Address) -> Self {
        Self {
            topic,
            address,
            format: Format::Json,
            filter: None,
            include_fields: Vec::new(),
            metafield_namespaces: Vec::new(),
            name: None,
            metafields: None,
        }
    }

    /// Returns the fields that identify a binding. Shopify rejects a second subscription with the same four fields
    /// (recorded).
    pub fn key(&self) -> (&Topic, &Address, Format, Option<&str>) {
        (&self.topic, &self.address, self.format, self.filter.as_deref())
    }

    /// Returns the binding with the namespaces of the app with this number in the form that Shopify stores (recorded):
    /// `app--<number>--NS` for `$app:NS`.
    pub fn of_app(&self, app: u64) -> Cow<'_, Self> {
        let mut lists = std::iter::once(&self.metafield_namespaces).chain(&self.metafields);
        if !lists.any(|list| list.iter().any(|text| own(text).is_some())) {
            return Cow::Borrowed(self);
        }
        let kept = |text: &String| match own(text) {
            Some("") => format!("app--{app}"),
            Some(rest) if rest.starts_with('.') => format!("app--{app}{rest}"),
            Some(rest) => format!("app--{app}--{}", rest.trim_start_matches(':')),
            None => text.clone(),
        };
        let all = |list: &Vec<String>| list.iter().map(kept).collect();
        Cow::Owned(Self {
            metafield_namespaces: all(&self.metafield_namespaces),
            metafields: self.metafields.as_ref().map(all),
            ..self.clone()
        })
    }

    /// Returns the fields in which `live` differs from `self`. Name and metafields are compared only if `self` sets
    /// them.
    ///
    /// The pattern names every field, so that a new field causes a compile error here.
    pub fn differing_fields(&self, live: &Self) -> Vec<Field> {
        let Self { topic: _, address, format, filter, include_fields, metafield_namespaces, name, metafields } = self;
        let mut fields = Vec::new();
        let mut note = |differs: bool, field| {
            if differs {
                fields.push(field);
            }
        };
        note(*address != live.address, Field::Address);
        note(*format != live.format, Field::Format);
        note(*filter != live.filter, Field::Filter);
        note(!same_set(include_fields, &live.include_fields), Field::IncludeFields);
        note(!same_namespaces(metafield_namespaces, &live.metafield_namespaces), Field::MetafieldNamespaces);
        note(name.is_some() && *name != live.name, Field::Name);
        let wanted = metafields.as_deref();
        let there = live.metafields.as_deref().unwrap_or_default();
        note(wanted.is_some_and(|wanted| !same_namespaces(wanted, there)), Field::Metafields);
        fields
    }
}

/// Returns the text after `$app` in a namespace of the app itself, or in a metafield of such a namespace.
fn own(text: &str) -> Option<&str> {
    text.strip_prefix("$app").filter(|rest| rest.is_empty() || rest.starts_with([':', '.']))
}

fn same_set(a: &[String], b: &[String]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}

/// Compares two sets, in which `$app:NS` equals `app--<digits>--NS`, the form that Shopify returns (recorded), and
/// `$app` equals `app--<digits>`. Each element must equal one on the other side, so the ids of two apps on one side
/// both match one `$app`.
fn same_namespaces(a: &[String], b: &[String]) -> bool {
    let covered = |xs: &[String], ys: &[String]| xs.iter().all(|x| ys.iter().any(|y| same_namespace(x, y)));
    covered(a, b) && covered(b, a)
}

fn same_namespace(a: &str, b: &str) -> bool {
    let resolves_to = |short: &str, long: &str| app_shorthand(long).is_some_and(|(_, text)| text == short);
    a == b || resolves_to(a, b) || resolves_to(b, a)
}

/// Returns the app's id in a reserved namespace or metafield, and the text with `$app` instead of the id: `$app:NS` for
/// `app--<digits>--NS`, `$app` for `app--<digits>`. `None` for any other text.
pub fn app_shorthand(text: &str) -> Option<(&str, String)> {
    let reserved = text.strip_prefix("app--")?;
    let digits = reserved.bytes().take_while(u8::is_ascii_digit).count();
    let (app, rest) = reserved.split_at(digits);
    let short = match rest.strip_prefix("--") {
        Some(namespace) if !namespace.trim().is_empty() && !namespace.starts_with('.') => format!("$app:{namespace}"),
        None if rest.is_empty() || rest.starts_with('.') => format!("$app{rest}"),
        _ => return None,
    };
    (digits > 0).then_some((app, short))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|&s| s.to_owned()).collect()
    }

    #[test]
    fn app_namespaces_are_compared_in_the_form_that_shopify_stores() {
        assert!(same_namespaces(
            &texts(&["$app:loyalty", "custom"]),
            &texts(&["custom", "app--347082227713--loyalty"])
        ));
        let same = |short: &str, long: &str| same_namespaces(&texts(&[short]), &texts(&[long]));
        assert!(same("$app", "app--12") && same("$app.tier", "app--12.tier"));
        assert!(same("$app:loyalty.tier", "app--12--loyalty.tier"));
        for other in ["app--12--Loyalty", "app--x--loyalty", "app--12", "app--12--", "app--12-loyalty", "app--"] {
            assert!(!same("$app:loyalty", other) && !same("$app:", other), "{other}");
        }
        assert!(!same("$app", "app--") && !same("$app", "app--12--") && !same("app--12", "app--13"));
        assert!(!same_namespaces(&texts(&[]), &texts(&["custom"])));
    }

    #[test]
    fn the_number_of_an_app_distinguishes_its_namespaces_from_others() {
        let binding = |namespaces: &[&str], metafields: &[&str]| Binding {
            metafield_namespaces: texts(namespaces),
            metafields: Some(texts(metafields)),
            ..Binding::new(Topic::from_slash("orders/create"), Address::new("https://x.example/"))
        };
        let wanted = binding(&["custom", "$app:a", "$app"], &["$app:a.key", "$app.key", "$apple.key"]);
        let kept = binding(&["custom", "app--12--a", "app--12"], &["app--12--a.key", "app--12.key", "$apple.key"]);
        assert_eq!(*wanted.of_app(12), kept);
        let literal = binding(&["custom", "app--12--a"], &[]);
        assert!(matches!(literal.of_app(13), Cow::Borrowed(same) if *same == literal));
    }

    #[test]
    fn name_and_metafields_are_compared_only_if_the_binding_sets_them() {
        let live = Binding {
            name: Some("held".into()),
            metafields: Some(texts(&["custom.size"])),
            ..Binding::new(Topic::from_slash("orders/create"), Address::new("https://x.example/"))
        };
        let mut wanted = Binding { name: None, metafields: None, ..live.clone() };
        assert_eq!(wanted.differing_fields(&live), []);
        wanted.name = Some("other".into());
        wanted.metafields = Some(vec![]);
        wanted.include_fields = texts(&["id"]);
        assert_eq!(wanted.differing_fields(&live), [Field::IncludeFields, Field::Name, Field::Metafields]);
    }
}
