//! Errors of GraphQL requests in Shopify's form.
//!
//! The engine decides whether a document and its variables are valid. This module only rewrites the errors whose form was
//! recorded: missingRequiredArguments, argumentLiteralsIncompatible and undefinedField of a document, INVALID_VARIABLE of
//! its variables. Clients read their `path`, `code` and `problems`. All other errors are the engine's own.

use apollo_compiler::ast::{Definition, Document, Field, Selection, Type, Value as Literal, VariableDefinition};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::DiagnosticList;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};
use serde_json::{Value, json};

/// The beginning of the message of a denied field (recorded for a mutation).
pub(super) const DENIED: &str = "Access denied";
/// The message of a field that fails (recorded, except for the request id).
pub(super) const INTERNAL: &str =
    "Internal error. Looks like something went wrong on our end. Request ID: sandbox-fault";

/// The error of a field that failed during execution.
pub(super) fn of_field(error: &Value) -> Value {
    let message = error["message"].as_str().unwrap_or_default();
    let message = message.strip_prefix("resolver error: ").unwrap_or(message);
    let code = match message {
        INTERNAL => "INTERNAL_SERVER_ERROR",
        _ if message.starts_with(DENIED) => "ACCESS_DENIED",
        _ => "BAD_REQUEST",
    };
    json!({
        "message": message, "locations": error["locations"], "path": error["path"],
        "extensions": {"code": code}
    })
}

/// The errors of an invalid document.
pub(super) fn of_document(schema: &Schema, document: &Document, found: &DiagnosticList) -> Vec<Value> {
    let mut walk = Walk { schema, document, path: Vec::new(), errors: Vec::new() };
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                let name = operation.name.as_ref().map(|n| format!(" {n}")).unwrap_or_default();
                walk.path = vec![format!("{}{name}", operation.operation_type)];
                if let Some(root) = schema.root_operation(operation.operation_type) {
                    walk.set(&operation.selection_set, root);
                }
            }
            Definition::FragmentDefinition(fragment) => {
                walk.path = vec![format!("fragment {}", fragment.name)];
                walk.set(&fragment.selection_set, &fragment.type_condition);
            }
            _ => {}
        }
    }
    if walk.errors.is_empty() {
        return found.iter().map(|diagnostic| json!(diagnostic.to_json())).collect();
    }
    walk.errors
}

struct Walk<'a> {
    schema: &'a Schema,
    document: &'a Document,
    path: Vec<String>,
    errors: Vec<Value>,
}

impl Walk<'_> {
    fn set(&mut self, set: &[Selection], parent: &Name) {
        for selection in set {
            match selection {
                Selection::Field(field) => {
                    self.path.push(field.alias.as_ref().unwrap_or(&field.name).to_string());
                    self.field(field, parent);
                    self.path.pop();
                }
                Selection::InlineFragment(inline) => {
                    self.set(&inline.selection_set, inline.type_condition.as_ref().unwrap_or(parent));
                }
                Selection::FragmentSpread(_) => {} // the definitions of fragments are visited on their own
            }
        }
    }

    fn field(&mut self, field: &Node<Field>, parent: &Name) {
        let (name, at) = (&field.name, field.location());
        let Ok(definition) = self.schema.type_field(parent, name) else {
            let message = format!("Field '{name}' doesn't exist on type '{parent}'");
            return self.error(at, &message, json!({"code": "undefinedField", "typeName": parent, "fieldName": name}));
        };
        let given = |wanted: &Name| field.arguments.iter().any(|a| a.name == *wanted);
        let missing: Vec<&str> = definition
            .arguments
            .iter()
            .filter(|a| a.is_required() && !given(&a.name))
            .map(|a| a.name.as_str())
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let message = format!("Field '{name}' is missing required arguments: {missing}");
            let extensions = json!({
                "code": "missingRequiredArguments", "className": "Field", "name": name, "arguments": missing
            });
            self.error(at, &message, extensions);
        }
        for argument in &field.arguments {
            let Some(ty) = definition.argument_by_name(&argument.name).map(|known| &known.ty) else { continue };
            if self.is_compatible(&argument.value, ty) {
                continue;
            }
            let (argument, value) = (&argument.name, &argument.value);
            self.path.push(argument.to_string());
            let message = format!(
                "Argument '{argument}' on Field '{name}' has an invalid value ({value}). Expected type '{ty}'."
            );
            let extensions =
                json!({"code": "argumentLiteralsIncompatible", "typeName": "Field", "argumentName": argument});
            self.error(at, &message, extensions);
            self.path.pop();
        }
        self.set(&field.selection_set, definition.ty.inner_named_type());
    }

    /// Whether a literal is neither null for a non-null type nor an unknown value of an enum.
    fn is_compatible(&self, value: &Literal, ty: &Type) -> bool {
        match value {
            Literal::Null => !ty.is_non_null(),
            Literal::Enum(value) => {
                let values = self.schema.get_enum(ty.inner_named_type()).map(|definition| &definition.values);
                values.is_none_or(|values| values.contains_key(value))
            }
            _ => true,
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "every caller builds the extensions for this call")]
    fn error(&mut self, at: Option<SourceSpan>, message: &str, extensions: Value) {
        let at = at.and_then(|span| span.line_column(&self.document.sources));
        let locations: Vec<_> = at.iter().map(|at| json!({"line": at.line, "column": at.column})).collect();
        self.errors
            .push(json!({"message": message, "locations": locations, "path": self.path, "extensions": extensions}));
    }
}

/// One error for each variable with a null for a non-null type, an unknown value of an enum, or a field that its input
/// type does not have. The errors are in the order of the declarations.
pub(super) fn of_variables(
    schema: &Schema,
    document: &ExecutableDocument,
    variables: &[Node<VariableDefinition>],
    values: &Value,
) -> Vec<Value> {
    let errors = variables.iter().filter_map(|variable| {
        let value = values.get(variable.name.as_str());
        if value.is_none() && variable.default_value.is_some() {
            return None;
        }
        let value = value.unwrap_or(&Value::Null);
        let mut problems = Problems { schema, path: Vec::new(), found: Vec::new() };
        problems.find(&variable.ty, value);
        let problems = problems.found;
        if problems.is_empty() {
            return None;
        }
        let inner: Vec<String> = problems
            .iter()
            .filter(|(path, _)| !path.is_empty())
            .map(|(path, why)| {
                let path: Vec<_> =
                    path.iter().map(|p| p.as_str().map_or_else(|| p.to_string(), str::to_owned)).collect();
                format!("{} ({why})", path.join("."))
            })
            .collect();
        let inner = if inner.is_empty() { String::new() } else { format!(" for {}", inner.join(", ")) };
        let at = variable.location().and_then(|span| span.line_column(&document.sources));
        let locations: Vec<_> = at.iter().map(|at| json!({"line": at.line, "column": at.column})).collect();
        let problems: Vec<_> = problems.iter().map(|(path, why)| json!({"path": path, "explanation": why})).collect();
        Some(json!({
            "message":
                format!("Variable ${} of type {} was provided invalid value{inner}", variable.name, variable.ty),
            "locations": locations,
            "extensions": {"code": "INVALID_VARIABLE", "value": value, "problems": problems},
        }))
    });
    errors.collect()
}

/// Errors in the value of a variable: path and explanation of each problem.
struct Problems<'a> {
    schema: &'a Schema,
    path: Vec<Value>,
    found: Vec<(Vec<Value>, String)>,
}

impl Problems<'_> {
    fn add(&mut self, explanation: String) {
        self.found.push((self.path.clone(), explanation));
    }

    fn find(&mut self, ty: &Type, value: &Value) {
        if value.is_null() {
            if ty.is_non_null() {
                self.add("Expected value to not be null".into());
            }
            return;
        }
        if let Type::List(item) | Type::NonNullList(item) = ty {
            for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                self.at(json!(index), |problems| problems.find(item, value));
            }
            return;
        }
        let name = ty.inner_named_type();
        match self.schema.types.get(name) {
            Some(ExtendedType::Enum(definition))
                if !value.as_str().is_some_and(|text| definition.values.contains_key(text)) =>
            {
                let all: Vec<_> = definition.values.keys().map(Name::as_str).collect();
                self.add(format!("Expected {value} to be one of: {}", all.join(", ")));
            }
            Some(ExtendedType::InputObject(definition)) => {
                let Some(object) = value.as_object() else { return };
                for (key, value) in object {
                    self.at(json!(key), |problems| match definition.fields.get(key.as_str()) {
                        Some(field) => problems.find(&field.ty, value),
                        None => problems.add(format!("Field is not defined on {name}")),
                    });
                }
                for (key, field) in definition.fields.iter().filter(|(_, field)| field.is_required()) {
                    if !object.contains_key(key.as_str()) {
                        self.at(json!(key), |problems| problems.find(&field.ty, &Value::Null));
                    }
                }
            }
            _ => {}
        }
    }

    fn at(&mut self, part: Value, find: impl FnOnce(&mut Self)) {
        self.path.push(part);
        find(self);
        self.path.pop();
    }
}
