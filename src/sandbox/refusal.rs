//! A document or its variables refused as a whole, in Shopify's shapes.
//!
//! The engine decides whether a document is valid; this module only finds the words. What Shopify answers was recorded
//! for missingRequiredArguments, argumentLiteralsIncompatible, undefinedField and INVALID_VARIABLE; the other shapes are
//! those of graphql-ruby, which Shopify runs.

use apollo_compiler::ast::{Definition, Document, Field, Selection, Type, Value as Literal, VariableDefinition};
use apollo_compiler::collections::{HashMap, HashSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::DiagnosticList;
use apollo_compiler::{Name, Node, Schema};
use serde_json::{Value, json};

/// The errors of a document that the engine refused.
pub(super) fn of_document(schema: &Schema, document: &Document, verdict: &DiagnosticList) -> Vec<Value> {
    let mut walk = Walk { schema, document, variables: HashMap::default(), path: Vec::new(), errors: Vec::new() };
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                let name = operation.name.as_ref().map(|n| format!(" {n}")).unwrap_or_default();
                walk.path = vec![format!("{}{name}", operation.operation_type)];
                walk.variables = operation.variables.iter().map(|v| (v.name.clone(), v.clone())).collect();
                if let Some(root) = schema.root_operation(operation.operation_type) {
                    walk.set(&operation.selection_set, root);
                }
                let label = operation.name.as_ref().map_or("anonymous query", |n| n.as_str()).to_owned();
                walk.variables_of(&operation.selection_set, &label);
            }
            Definition::FragmentDefinition(fragment) => {
                walk.path = vec![format!("fragment {}", fragment.name)];
                walk.variables.clear();
                walk.set(&fragment.selection_set, &fragment.type_condition);
            }
            _ => {}
        }
    }
    if walk.errors.is_empty() {
        return verdict.iter().map(|diagnostic| json!(diagnostic.to_json())).collect();
    }
    walk.errors
}

struct Walk<'a> {
    schema: &'a Schema,
    document: &'a Document,
    /// Declared by the operation at hand; empty in a fragment.
    variables: HashMap<Name, Node<VariableDefinition>>,
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
                Selection::FragmentSpread(_) => {} // fragments are walked by themselves
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
            self.path.push(argument.name.to_string());
            match definition.argument_by_name(&argument.name) {
                Some(known) => self.value(&argument.value, &known.ty, &argument.name, ("Field", name), at),
                None => self.not_accepted(&argument.name, ("Field", name), argument.location()),
            }
            self.path.pop();
        }
        let inner = definition.ty.inner_named_type();
        let composite = self.schema.types.get(inner).is_some_and(|ty| {
            matches!(ty, ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        });
        if composite && field.selection_set.is_empty() {
            let message = format!(
                "Field must have selections (field '{name}' returns {inner} but has no selections. \
                 Did you mean '{name} {{ ... }}'?)"
            );
            let node = format!("field '{name}'");
            self.error(at, &message, json!({"code": "selectionMismatch", "nodeName": node, "typeName": inner}));
        } else if !composite && !field.selection_set.is_empty() {
            let message =
                format!("Selections can't be made on scalars (field '{name}' returns {inner} but has selections)");
            let node = format!("field '{name}'");
            self.error(at, &message, json!({"code": "selectionMismatch", "nodeName": node, "typeName": inner}));
        } else {
            let inner = inner.clone();
            self.set(&field.selection_set, &inner);
        }
    }

    fn not_accepted(&mut self, argument: &Name, (kind, name): (&str, &Name), at: Option<SourceSpan>) {
        let message = format!("{kind} '{name}' doesn't accept argument '{argument}'");
        let extensions =
            json!({"code": "argumentNotAccepted", "name": name, "typeName": kind, "argumentName": argument});
        self.error(at, &message, extensions);
    }

    /// Checks a literal argument; what stands around it (`owner`) is named in the message.
    fn value(
        &mut self,
        value: &Node<Literal>,
        ty: &Type,
        argument: &Name,
        owner: (&str, &Name),
        at: Option<SourceSpan>,
    ) {
        if let Literal::Variable(variable) = value.as_ref() {
            let Some(declared) = self.variables.get(variable) else { return };
            let fits = declared.ty.is_assignable_to(ty)
                || (declared.default_value.is_some() && declared.ty.as_ref().clone().non_null().is_assignable_to(ty));
            if !fits {
                let (declared, at) = (declared.ty.clone(), declared.location());
                let message =
                    format!("Type mismatch on variable ${variable} and argument {argument} ({declared} / {ty})");
                let extensions = json!({
                    "code": "variableMismatch", "variableName": variable, "typeName": declared.to_string(),
                    "argumentName": argument, "errorMessage": "Type mismatch"
                });
                self.error(at, &message, extensions);
            }
            return;
        }
        let object = value.as_object().zip(self.schema.get_input_object(ty.inner_named_type()));
        if let (Some((given, definition)), false) = (object, ty.is_list()) {
            let owner = ("InputObject", &definition.name);
            for (key, value) in given {
                self.path.push(key.to_string());
                match definition.fields.get(key) {
                    Some(field) => self.value(value, &field.ty, key, owner, value.location()),
                    None => self.not_accepted(key, owner, value.location()),
                }
                self.path.pop();
            }
            let required = definition.fields.values().filter(|f| f.is_required());
            let missing: Vec<_> = required.filter(|f| !given.iter().any(|(key, _)| *key == f.name)).collect();
            for field in missing {
                let (name, expected) = (&definition.name, &field.ty);
                let message =
                    format!("Argument '{}' on InputObject '{name}' is required. Expected type {expected}", field.name);
                let extensions = json!({
                    "code": "missingRequiredInputObjectAttribute", "argumentName": field.name,
                    "argumentType": expected.to_string(), "inputObjectType": name
                });
                self.error(value.location(), &message, extensions);
            }
        } else if !self.literal_fits(value, ty) {
            let (kind, name) = owner;
            let message = format!(
                "Argument '{argument}' on {kind} '{name}' has an invalid value ({value}). Expected type '{ty}'."
            );
            let extensions =
                json!({"code": "argumentLiteralsIncompatible", "typeName": kind, "argumentName": argument});
            self.error(at, &message, extensions);
        }
    }

    fn literal_fits(&self, value: &Literal, ty: &Type) -> bool {
        match (value, ty) {
            (Literal::Variable(_), _) => true,
            (Literal::Null, _) => !ty.is_non_null(),
            (Literal::List(items), Type::List(item) | Type::NonNullList(item)) => {
                items.iter().all(|value| self.literal_fits(value, item))
            }
            (_, Type::List(item) | Type::NonNullList(item)) => self.literal_fits(value, item),
            (_, Type::Named(name) | Type::NonNullNamed(name)) => match self.schema.types.get(name) {
                Some(ExtendedType::Enum(def)) => matches!(value, Literal::Enum(v) if def.values.contains_key(v)),
                Some(ExtendedType::InputObject(_)) => matches!(value, Literal::Object(_)),
                _ => match name.as_str() {
                    "Int" => matches!(value, Literal::Int(i) if i.try_to_i32().is_ok()),
                    "Boolean" => matches!(value, Literal::Boolean(_)),
                    "String" => matches!(value, Literal::String(_)),
                    "ID" => matches!(value, Literal::String(_) | Literal::Int(_)),
                    _ => true,
                },
            },
        }
    }

    /// Variables that are used but not declared, and the other way round.
    fn variables_of(&mut self, set: &[Selection], operation: &str) {
        let mut used = Vec::new();
        used_variables(self.document, set, &mut used, &mut HashSet::default());
        for (name, at) in &used {
            if !self.variables.contains_key(name) {
                let message = format!("Variable ${name} is used by {operation} but not declared");
                self.error(*at, &message, json!({"code": "variableNotDefined", "variableName": name}));
            }
        }
        let unused: Vec<_> =
            self.variables.values().filter(|v| !used.iter().any(|(name, _)| *name == v.name)).cloned().collect();
        for variable in unused {
            let name = &variable.name;
            let message = format!("Variable ${name} is declared by {operation} but not used");
            self.error(variable.location(), &message, json!({"code": "variableNotUsed", "variableName": name}));
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "every caller makes it for this")]
    fn error(&mut self, at: Option<SourceSpan>, message: &str, extensions: Value) {
        let at = at.and_then(|span| span.line_column(&self.document.sources));
        let locations: Vec<_> = at.iter().map(|at| json!({"line": at.line, "column": at.column})).collect();
        self.errors
            .push(json!({"message": message, "locations": locations, "path": self.path, "extensions": extensions}));
    }
}

fn used_variables(
    document: &Document,
    set: &[Selection],
    used: &mut Vec<(Name, Option<SourceSpan>)>,
    seen: &mut HashSet<Name>,
) {
    fn in_value(value: &Node<Literal>, used: &mut Vec<(Name, Option<SourceSpan>)>) {
        match value.as_ref() {
            Literal::Variable(name) => used.push((name.clone(), value.location())),
            Literal::List(items) => items.iter().for_each(|item| in_value(item, used)),
            Literal::Object(fields) => fields.iter().for_each(|(_, value)| in_value(value, used)),
            _ => {}
        }
    }
    for selection in set {
        let (directives, inner) = match selection {
            Selection::Field(field) => {
                field.arguments.iter().for_each(|argument| in_value(&argument.value, used));
                (&field.directives, field.selection_set.as_slice())
            }
            Selection::InlineFragment(inline) => (&inline.directives, inline.selection_set.as_slice()),
            Selection::FragmentSpread(spread) => {
                let fragment = document.definitions.iter().find_map(|definition| match definition {
                    Definition::FragmentDefinition(f) if f.name == spread.fragment_name => Some(f),
                    _ => None,
                });
                let first = seen.insert(spread.fragment_name.clone());
                let inner = fragment.filter(|_| first).map_or(&[][..], |f| f.selection_set.as_slice());
                (&spread.directives, inner)
            }
        };
        directives.iter().flat_map(|d| &d.arguments).for_each(|argument| in_value(&argument.value, used));
        used_variables(document, inner, used, seen);
    }
}

/// One error for each variable whose value does not fit, in the order of their declarations.
pub(super) fn of_variables(
    schema: &Schema,
    document: &apollo_compiler::ExecutableDocument,
    variables: &[Node<VariableDefinition>],
    values: &Value,
) -> Vec<Value> {
    let refused = variables.iter().filter_map(|variable| {
        let value = values.get(variable.name.as_str());
        if value.is_none() && variable.default_value.is_some() {
            return None;
        }
        let value = value.unwrap_or(&Value::Null);
        let mut problems = Vec::new();
        find_problems(schema, &variable.ty, value, &mut Vec::new(), &mut problems);
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
    refused.collect()
}

fn find_problems(
    schema: &Schema,
    ty: &Type,
    value: &Value,
    path: &mut Vec<Value>,
    problems: &mut Vec<(Vec<Value>, String)>,
) {
    if value.is_null() {
        if ty.is_non_null() {
            problems.push((path.clone(), "Expected value to not be null".into()));
        }
        return;
    }
    let name = match ty {
        Type::List(item) | Type::NonNullList(item) => {
            for (index, value) in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter().enumerate()
            {
                path.push(json!(index));
                find_problems(schema, item, value, path, problems);
                path.pop();
            }
            return;
        }
        Type::Named(name) | Type::NonNullNamed(name) => name,
    };
    match schema.types.get(name) {
        Some(ExtendedType::Enum(def)) => {
            if !value.as_str().is_some_and(|text| def.values.contains_key(text)) {
                let all: Vec<_> = def.values.keys().map(Name::as_str).collect();
                problems.push((path.clone(), format!("Expected {value} to be one of: {}", all.join(", "))));
            }
        }
        Some(ExtendedType::InputObject(def)) => {
            let Some(object) = value.as_object() else {
                problems.push((path.clone(), format!("Expected {value} to be a key-value object.")));
                return;
            };
            let mut at = |key: &str, path: &mut Vec<Value>, field: Option<(&Type, &Value)>| {
                path.push(json!(key));
                match field {
                    Some((ty, value)) => find_problems(schema, ty, value, path, problems),
                    None => problems.push((path.clone(), format!("Field is not defined on {name}"))),
                }
                path.pop();
            };
            for (key, value) in object {
                at(key, path, def.fields.get(key.as_str()).map(|field| (field.ty.as_ref(), value)));
            }
            for (key, field) in def.fields.iter().filter(|(_, f)| f.is_required()) {
                if !object.contains_key(key.as_str()) {
                    at(key, path, Some((&field.ty, &Value::Null)));
                }
            }
        }
        _ => {
            let fits = match name.as_str() {
                "Int" => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
                "Boolean" => value.is_boolean(),
                "String" => value.is_string(),
                "ID" => value.is_string() || value.is_i64(),
                _ => true,
            };
            if !fits {
                problems.push((path.clone(), format!("Could not coerce value {value} to {name}")));
            }
        }
    }
}
