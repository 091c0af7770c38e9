//! One CEL expression. A manifest can be written by a stranger, so the size of an expression and its work are limited.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Value};

/// Maximum length in bytes, nesting of brackets, and number of conditional operators. The parser is recursive.
const LENGTH: usize = 1_000;
const NESTING: usize = 24;
const CONDITIONALS: usize = 16;
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
    program: cel::Program,
    /// The variables that the expression uses.
    variables: Vec<&'static str>,
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
        limits(text)?;
        let parsed = catch_unwind(AssertUnwindSafe(|| cel::Program::compile(text)));
        let parsed = parsed.map_err(|_| "the parser failed".to_owned())?;
        let program = parsed.map_err(|errors| {
            let first = errors.errors.first().map(|error| (error.pos.1, one_line(&error.msg)));
            let (column, message) = first.unwrap_or_default();
            format!("{message} (at character {column})")
        })?;
        let mut of_macros = Vec::new();
        macro_variables(program.expression(), &mut of_macros);
        if of_macros.len() > MACROS {
            let count = of_macros.len();
            return Err(format!("it has {count} macros such as `all` and `exists`, and the limit is {MACROS}"));
        }
        let references = program.references();
        let is_known = |name: &str| VARIABLES.contains(&name) || name.starts_with('@') || of_macros.contains(&name);
        if let Some(unknown) = references.variables().into_iter().find(|name| !is_known(name)) {
            return Err(format!("unknown variable `{unknown}`; known: {}", VARIABLES.join(", ")));
        }
        let variables = VARIABLES.into_iter().filter(|name| references.has_variable(name)).collect();
        Ok(Self { program, variables })
    }

    /// Returns whether the expression uses a variable.
    pub(super) fn uses(&self, variable: &str) -> bool {
        self.variables.contains(&variable)
    }

    pub(super) fn run(&self, variables: &Variables<'_>) -> Outcome {
        match catch_unwind(AssertUnwindSafe(|| self.program.execute(&variables.context))) {
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

fn limits(text: &str) -> Result<(), String> {
    if text.len() > LENGTH {
        return Err(format!("it has {} bytes, and the limit is {LENGTH}", text.len()));
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > NESTING || text.matches('?').count() > CONDITIONALS {
        return Err(format!("it is nested too deeply: at most {NESTING} brackets and {CONDITIONALS} `?`"));
    }
    Ok(())
}

/// Collects the variable of each macro in an expression.
fn macro_variables<'a>(of: &'a IdedExpr, out: &mut Vec<&'a str>) {
    match &of.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        Expr::Call(call) => {
            let parts = call.target.as_deref().into_iter().chain(&call.args);
            for part in parts {
                macro_variables(part, out);
            }
        }
        Expr::Comprehension(inner) => {
            out.push(&inner.iter_var);
            let parts = [&inner.iter_range, &inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result];
            for part in parts {
                macro_variables(part, out);
            }
        }
        Expr::List(list) => {
            for part in &list.elements {
                macro_variables(part, out);
            }
        }
        Expr::Select(select) => macro_variables(&select.operand, out),
        Expr::Map(cel::common::ast::MapExpr { entries })
        | Expr::Struct(cel::common::ast::StructExpr { entries, .. }) => {
            for entry in entries {
                match &entry.expr {
                    EntryExpr::StructField(field) => macro_variables(&field.value, out),
                    EntryExpr::MapEntry(entry) => {
                        macro_variables(&entry.key, out);
                        macro_variables(&entry.value, out);
                    }
                }
            }
        }
    }
}

/// Returns a message of the library on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
