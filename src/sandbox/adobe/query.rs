//! Filters, order and pages of the lists of Flow Service. Pure.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::world::PAGE;

/// The parameters of a list request.
#[derive(Default)]
pub(super) struct Query {
    /// Filters, all of which must match.
    properties: Vec<String>,
    limit: Option<usize>,
    order: Option<String>,
    token: Option<String>,
    count: bool,
}

/// Longest first, so that `>=` is not taken for `>`.
const OPERATORS: [&str; 6] = ["==", "!=", ">=", "<=", ">", "<"];

impl Query {
    /// Parses a query. `Err` is the code and the message of the error.
    pub(super) fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        let mut query = Self::default();
        for (key, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let value = value.into_owned();
            match &*key {
                "property" => query.properties.push(value),
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=1_000).contains(limit));
                    query.limit = Some(limit.ok_or(("1400-400", format!("limit {value} is not valid")))?);
                }
                "orderby" => query.order = Some(value),
                "continuationToken" => query.token = Some(value),
                "count" => query.count = value == "true",
                // It is not established what Adobe does with other parameters, so the client must not use them.
                other => return Err(("1400-400", format!("unknown parameter {other}"))),
            }
        }
        if query.count && query.limit.is_some() {
            return Err(("1401-400", "limit and count cannot be used together".to_owned()));
        }
        Ok(query)
    }

    /// Returns one page of the items. Its size is the `limit` of the query, and at most `size` if the seed has one.
    pub(super) fn page(
        &self,
        list: &str,
        mut items: Vec<Value>,
        size: Option<usize>,
    ) -> Result<Value, (&'static str, String)> {
        let filters: Vec<_> = self.properties.iter().map(|text| Filter::parse(text)).collect::<Result<_, _>>()?;
        items.retain(|item| filters.iter().all(|filter| filter.matches(item)));
        if let Some(order) = &self.order {
            let (path, down) = order.strip_prefix('-').map_or((order.as_str(), false), |path| (path, true));
            items.sort_by(|a, b| {
                let order = compare(values(a, path).first().copied(), values(b, path).first().copied());
                if down { order.reverse() } else { order }
            });
        }
        let start: usize = match &self.token {
            Some(token) => token.parse().map_err(|_| ("1400-400", "continuationToken is not valid".to_owned()))?,
            None => 0,
        };
        let most = match (self.limit, size) {
            (Some(limit), size) => limit.min(size.unwrap_or(limit)),
            (None, size) => size.unwrap_or(PAGE),
        };
        let end = start.saturating_add(most).min(items.len());
        let mut answer = json!({ "items": items.get(start..end).unwrap_or_default(), "_links": {} });
        if end < items.len() {
            let mut next = url::form_urlencoded::Serializer::new(String::new());
            next.append_pair("continuationToken", &end.to_string());
            // The other parameters are included, or the next page would belong to another list.
            next.extend_pairs(self.properties.iter().map(|text| ("property", text)));
            next.extend_pairs(self.order.iter().map(|order| ("orderby", order)));
            next.extend_pairs(self.limit.iter().map(|limit| ("limit", limit.to_string())));
            next.extend_pairs(self.count.then_some(("count", "true")));
            answer["_links"] = json!({ "next": { "href": format!("/{list}?{}", next.finish()) } });
        }
        if self.count {
            answer["count"] = items.len().into();
        }
        Ok(answer)
    }
}

struct Filter<'a> {
    path: &'a str,
    operator: &'static str,
    values: Vec<&'a str>,
}

impl<'a> Filter<'a> {
    fn parse(text: &'a str) -> Result<Self, (&'static str, String)> {
        let found = OPERATORS.into_iter().filter_map(|operator| Some((text.find(operator)?, operator)));
        // The first operator in the text; of several at one place, the longest.
        let (at, operator) = found
            .min_by_key(|(at, operator)| (*at, std::cmp::Reverse(operator.len())))
            .ok_or(("1400-400", format!("property {text} has no operator")))?;
        let (path, value) = (&text[..at], &text[at + operator.len()..]);
        // A comma means "or" (documented).
        Ok(Self { path, operator, values: value.split(',').collect() })
    }

    fn matches(&self, item: &Value) -> bool {
        let there = values(item, self.path);
        let any = |test: &dyn Fn(&Value, &str) -> bool| there.iter().any(|v| self.values.iter().any(|w| test(v, w)));
        match self.operator {
            "==" => any(&|value, wanted| text_of(value) == wanted),
            "!=" => !any(&|value, wanted| text_of(value) == wanted),
            operator => any(&|value, wanted| {
                let order = value.as_f64().zip(wanted.parse().ok()).and_then(|(a, b): (f64, f64)| a.partial_cmp(&b));
                order.is_some_and(|order| match operator {
                    ">" => order == Ordering::Greater,
                    "<" => order == Ordering::Less,
                    ">=" => order != Ordering::Less,
                    _ => order != Ordering::Greater,
                })
            }),
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns the values at a path. `[]` after a name selects all elements.
fn values<'a>(item: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('.').fold(vec![item], |found, part| {
        let (name, each) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        let next = found.into_iter().filter_map(|value| value.get(name));
        if each { next.filter_map(Value::as_array).flatten().collect() } else { next.collect() }
    })
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (a, b) => a.map(text_of).cmp(&b.map(text_of)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(query: &str, items: &[Value]) -> Result<String, &'static str> {
        let query = Query::parse(query).map_err(|(code, _)| code)?;
        let page = query.page("flows", items.to_vec(), Some(2)).map_err(|(code, _)| code)?;
        let ids: Vec<&str> = page["items"].as_array().expect("items").iter().filter_map(|i| i["id"].as_str()).collect();
        let next = page["_links"]["next"]["href"].as_str().map(|href| format!(" {href}")).unwrap_or_default();
        Ok(format!("{}{next}", ids.concat()))
    }

    #[test]
    fn lists_are_filtered_sorted_and_paged() {
        let item = |id: &str, n: i64, tags: &[&str]| json!({ "id": id, "a": { "n": n, "tags": tags } });
        let items = [item("x", 1, &["p", "q"]), item("y", 2, &["q"]), item("z", 3, &[])];
        let ids = |query| ids(query, &items);
        assert_eq!(ids("").as_deref(), Ok("xy /flows?continuationToken=2"));
        assert_eq!(ids("continuationToken=2").as_deref(), Ok("z"));
        assert_eq!(ids("limit=1").as_deref(), Ok("x /flows?continuationToken=1&limit=1"));
        assert_eq!(ids("orderby=-a.n").as_deref(), Ok("zy /flows?continuationToken=2&orderby=-a.n"));
        let rest = "continuationToken=2&property=id%3D%3Dx%2Cy%2Cz&property=a.n%3E0&orderby=-a.n&count=true";
        assert_eq!(
            ids("count=true&orderby=-a.n&property=id==x,y,z&property=a.n>0"),
            Ok(format!("zy /flows?{rest}")),
            "the link keeps all parameters"
        );
        assert_eq!(ids(rest).as_deref(), Ok("x"));
        assert_eq!(ids("property=id==x,z").as_deref(), Ok("xz"));
        assert_eq!(ids("property=a.tags[]==q&property=a.n>1").as_deref(), Ok("y"));
        assert_eq!(ids("property=a.n>=2").as_deref(), Ok("yz"));
        assert_eq!(ids("property=id!=x").as_deref(), Ok("yz"));
        assert_eq!(ids("property=nowhere==x").as_deref(), Ok(""));
        assert_eq!(ids("property=id"), Err("1400-400"));
        assert_eq!(ids("limit=1&count=true"), Err("1401-400"));
        assert_eq!(ids("limit=none"), Err("1400-400"));
    }
}
