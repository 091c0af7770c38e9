//! One CEL expression. A manifest can be written by a stranger, so the size of an expression and its work are limited.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cel::common::ast::operators::{IN, INDEX};
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr, StructExpr};
use cel::parser::PrattParser;
use cel::{Context, Value};

/// Maximum length in bytes.
const LENGTH: usize = 1_000;
/// Maximum nesting of the expression, for the parser and for the evaluation, which are recursive: a thread of 1 MB must
/// suffice in a debug build.
const NESTING: u16 = 16;
const DEPTH: usize = 24;
/// Maximum number of macros such as `all` and `exists`. Each of them multiplies the work by the length of a list.
const MACROS: usize = 2;

/// The names that an expression can use.
const VARIABLES: [&str; 12] = [
    "shop",
    "handle",
    "labels",
    "scopes",
    "topic",
    "destination",
    "address",
    "format",
    "filter",
    "name",
    "include_fields",
    "metafield_namespaces",
];

/// A compiled expression.
pub(super) struct Program {
    expression: IdedExpr,
    /// The variables that the expression uses.
    variables: Vec<&'static str>,
    /// The keys of the labels that the expression uses; `None` if it can use any label.
    labels: Option<BTreeSet<String>>,
}

/// The result of an expression.
pub(super) enum Outcome {
    True,
    False,
    /// Why there is no result.
    Error(String),
}

/// The values of variables.
pub(super) struct Variables<'p> {
    context: Context<'p, 'static>,
}

impl Variables<'static> {
    pub(super) fn new<const N: usize>(values: [(&str, Value); N]) -> Self {
        let mut context = Context::default();
        for (name, value) in values {
            context.add_variable_from_value(name, value);
        }
        Self { context }
    }
}

impl Variables<'_> {
    /// Returns these values and some more.
    pub(super) fn with<const N: usize>(&self, values: [(&str, Value); N]) -> Variables<'_> {
        let mut context = self.context.new_inner_scope();
        for (name, value) in values {
            context.add_variable_from_value(name, value);
        }
        Variables { context }
    }
}

impl Program {
    /// Compiles an expression. The error says why it is not accepted.
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH {
            return Err(format!("it has {} bytes, and the limit is {LENGTH}", text.len()));
        }
        let parser = PrattParser::new().max_recursion_depth(NESTING);
        let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse(text)));
        let expression = parsed.map_err(|_| "the parser failed".to_owned())?.map_err(|errors| {
            let first = errors.errors.first().map(|error| (error.pos.1, one_line(&error.msg)));
            let (column, message) = first.unwrap_or_default();
            format!("{message} (at character {column})")
        })?;
        if depth(&expression) > DEPTH {
            return Err(format!("it is nested too deeply: the limit is {DEPTH} levels"));
        }
        let mut of_macros = Vec::new();
        macro_variables(&expression, &mut of_macros);
        if of_macros.len() > MACROS {
            let count = of_macros.len();
            return Err(format!("it has {count} macros such as `all` and `exists`, and the limit is {MACROS}"));
        }
        let references = expression.references();
        let is_known = |name: &str| VARIABLES.contains(&name) || name.starts_with('@') || of_macros.contains(&name);
        if let Some(unknown) = references.variables().into_iter().find(|name| !is_known(name)) {
            return Err(format!("unknown variable `{unknown}`; known: {}", VARIABLES.join(", ")));
        }
        let variables = VARIABLES.into_iter().filter(|name| references.has_variable(name)).collect();
        let mut keys = BTreeSet::new();
        let labels = label_keys(&expression, &mut keys).then_some(keys);
        Ok(Self { expression, variables, labels })
    }

    /// Returns whether the expression uses a variable.
    pub(super) fn uses(&self, variable: &str) -> bool {
        self.variables.contains(&variable)
    }

    /// Returns whether the result can depend on the label with this key.
    pub(super) fn uses_label(&self, key: &str) -> bool {
        self.labels.as_ref().is_none_or(|keys| keys.contains(key))
    }

    pub(super) fn run(&self, variables: &Variables<'_>) -> Outcome {
        match catch_unwind(AssertUnwindSafe(|| variables.context.resolve(&self.expression))) {
            Ok(Ok(Value::Bool(true))) => Outcome::True,
            Ok(Ok(Value::Bool(false))) => Outcome::False,
            Ok(Ok(other)) => {
                Outcome::Error(format!("the result is not true or false, but of type {}", other.type_of()))
            }
            Ok(Err(error)) => Outcome::Error(one_line(&error.to_string())),
            Err(_) => Outcome::Error("the evaluation failed".to_owned()),
        }
    }
}

/// Returns the direct parts of an expression.
fn parts(of: &IdedExpr) -> Vec<&IdedExpr> {
    match &of.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Comprehension(inner) => {
            vec![&inner.iter_range, &inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&*select.operand],
        Expr::Map(MapExpr { entries }) | Expr::Struct(StructExpr { entries, .. }) => {
            let parts = entries.iter().flat_map(|entry| match &entry.expr {
                EntryExpr::StructField(field) => vec![&field.value],
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
            });
            parts.collect()
        }
    }
}

fn depth(of: &IdedExpr) -> usize {
    1 + parts(of).into_iter().map(depth).max().unwrap_or(0)
}

/// Collects the variable of each macro in an expression.
fn macro_variables<'a>(of: &'a IdedExpr, out: &mut Vec<&'a str>) {
    if let Expr::Comprehension(inner) = &of.expr {
        out.push(&inner.iter_var);
    }
    for part in parts(of) {
        macro_variables(part, out);
    }
}

/// Collects the keys in `labels.key`, `labels["key"]` and `"key" in labels`. Returns false if the expression uses `labels` in
/// another way, so that it can use any label.
fn label_keys(of: &IdedExpr, out: &mut BTreeSet<String>) -> bool {
    let is_labels = |expression: &IdedExpr| matches!(&expression.expr, Expr::Ident(name) if name == "labels");
    let key = match &of.expr {
        Expr::Ident(_) if is_labels(of) => return false,
        Expr::Select(select) if is_labels(&select.operand) => Some(select.field.as_str()),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (INDEX, [map, key]) | (IN, [key, map]) if is_labels(map) => match &key.expr {
                Expr::Literal(LiteralValue::String(key)) => Some(key.inner()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    match key {
        Some(key) => {
            out.insert(key.to_owned());
            true
        }
        None => parts(of).into_iter().all(|part| label_keys(part, out)),
    }
}

/// Returns a message of the library on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Result<Program, String> {
        Program::compile(text)
    }

    #[test]
    fn the_labels_that_an_expression_uses_are_known_unless_it_uses_the_mapping_itself() {
        let any = ["a", "b", "c", "d", "z"];
        for (text, expected) in [
            ("topic == \"x\"", &[][..]),
            ("labels.a == \"x\" || has(labels.b)", &["a", "b"]),
            ("labels[\"a\"] == labels.b.c", &["a", "b"]),
            ("\"a\" in labels ? scopes.exists(s, s == labels.b) : {\"d\": labels.c} != {}", &["a", "b", "c"]),
            ("labels[topic] == \"x\"", &any),
            ("topic in labels", &any),
            ("labels.exists(key, key == \"a\")", &any),
            ("[labels].all(map, map.a == \"x\")", &any),
            ("labels == {} || labels.a == \"x\"", &any),
        ] {
            let program = compiled(text).expect(text);
            let used: Vec<&str> = any.into_iter().filter(|key| program.uses_label(key)).collect();
            assert_eq!(used, expected, "{text}");
        }
    }

    #[test]
    fn deep_and_long_expressions_are_refused_and_the_deepest_accepted_ones_fit_into_a_small_stack() {
        let nested =
            |n: usize, open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
        let texts = move || -> Vec<String> {
            let mut all = Vec::new();
            for n in 1..120 {
                all.push(nested(n, "(", "true", ")"));
                all.push(nested(n, "[", "1", "]") + " != []");
                all.push(nested(n, "!", "true", ""));
                all.push(nested(n, "-", "1", "") + " == 1");
                all.push(nested(n, "true ? ", "true", " : false"));
                all.push(nested(n, "1 + ", "1", "") + " > 0");
                all.push("labels".to_owned() + &".a".repeat(n) + " == \"\"");
                all.push("scopes".to_owned() + &"[0]".repeat(n) + " == \"\"");
                all.push(nested(n, "topic == \"x\" || ", "true", ""));
                all.push(nested(n, "size(", "topic", ")") + " > 0");
                all.push(nested(n, "{1: ", "1", "}") + " != {}");
                all.push(nested(n, "[1].all(x, ", "true", ")"));
            }
            all
        };
        let run = move || {
            let list = || Value::from(vec![Value::from("read_orders")]);
            let variables = Variables::new([("topic", Value::from("x")), ("scopes", list()), ("labels", list())]);
            let accepted: Vec<Program> = texts().iter().filter_map(|text| compiled(text).ok()).collect();
            for program in &accepted {
                let _ = program.run(&variables);
            }
            accepted.len()
        };
        let small = std::thread::Builder::new().stack_size(1 << 20).spawn(run).expect("thread");
        let accepted = small.join().expect("no overflow");
        assert!((60..600).contains(&accepted), "{accepted}");
        assert!(compiled(&nested(10, "topic == \"x\" || ", "true", "")).is_ok(), "ten conditions");
        assert!(compiled("include_fields.all(f, scopes.exists(scope, scope == f))").is_ok());
        assert!(compiled("[1].all(a, [1].all(b, [1].all(c, true)))").is_err());
        assert!(compiled("[1, 1].map(x, x + x).map(x, x + x).map(x, x + x) != []").is_err());
    }
}
