//! Whether all that one schema offers stands in another with the same type.

use std::collections::BTreeSet;

use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Node, Schema};

/// What `part` offers and `whole` does not, or not so; and what `whole` demands and `part` cannot take.
pub(super) fn differences(part: &Schema, whole: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    let root = |schema: &Schema| {
        let definition = &schema.schema_definition;
        (definition.query.as_ref().map(ToString::to_string), definition.mutation.as_ref().map(ToString::to_string))
    };
    if root(part) != root(whole) {
        found.push(format!("the root types are {:?} and {:?}", root(part), root(whole)));
    }
    for (name, ty) in part.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        match whole.types.get(name) {
            Some(real) => type_differences(name, ty, real, &mut found),
            None => found.push(format!("{name} does not exist")),
        }
    }
    found
}

fn type_differences(name: &str, ty: &ExtendedType, real: &ExtendedType, found: &mut Vec<String>) {
    match (ty, real) {
        (ExtendedType::Object(ty), ExtendedType::Object(real)) => {
            for interface in ty.implements_interfaces.iter().filter(|it| !real.implements_interfaces.contains(*it)) {
                found.push(format!("{name} does not implement {interface}"));
            }
            for (field, definition) in &ty.fields {
                field_differences(&format!("{name}.{field}"), definition, real.fields.get(field), found);
            }
        }
        (ExtendedType::Interface(ty), ExtendedType::Interface(real)) => {
            for (field, definition) in &ty.fields {
                field_differences(&format!("{name}.{field}"), definition, real.fields.get(field), found);
            }
        }
        (ExtendedType::Enum(ty), ExtendedType::Enum(real)) => {
            for value in ty.values.keys().filter(|it| !real.values.contains_key(*it)) {
                found.push(format!("{name}.{value} does not exist"));
            }
        }
        (ExtendedType::InputObject(ty), ExtendedType::InputObject(real)) => {
            if ty.directives.has("oneOf") != real.directives.has("oneOf") {
                found.push(format!("{name} differs in @oneOf"));
            }
            let offered = ty.fields.values().map(|it| &***it);
            let wanted: Vec<_> = real.fields.values().map(|it| &***it).collect();
            input_differences(name, &offered.collect::<Vec<_>>(), &wanted, found);
        }
        (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
        _ => found.push(format!("{name} is of another kind")),
    }
}

fn field_differences(
    path: &str,
    field: &Component<FieldDefinition>,
    real: Option<&Component<FieldDefinition>>,
    found: &mut Vec<String>,
) {
    let Some(real) = real else {
        found.push(format!("{path} does not exist"));
        return;
    };
    if field.ty != real.ty {
        found.push(format!("{path} is {}, not {}", real.ty, field.ty));
    }
    if real.directives.has("deprecated") {
        found.push(format!("{path} is deprecated"));
    }
    let plain = |list: &[Node<InputValueDefinition>]| -> Vec<InputValueDefinition> {
        list.iter().map(|it| InputValueDefinition::clone(it)).collect()
    };
    let (offered, wanted) = (plain(&field.arguments), plain(&real.arguments));
    input_differences(path, &offered.iter().collect::<Vec<_>>(), &wanted.iter().collect::<Vec<_>>(), found);
}

/// Arguments, or fields of an input object.
fn input_differences(
    path: &str,
    offered: &[&InputValueDefinition],
    real: &[&InputValueDefinition],
    found: &mut Vec<String>,
) {
    for value in offered {
        match real.iter().find(|it| it.name == value.name) {
            None => found.push(format!("{path}({}) does not exist", value.name)),
            Some(real) if real.ty != value.ty => {
                found.push(format!("{path}({}) is {}, not {}", value.name, real.ty, value.ty))
            }
            Some(real) if real.directives.has("deprecated") => {
                found.push(format!("{path}({}) is deprecated", value.name))
            }
            Some(_) => {}
        }
    }
    let known: BTreeSet<&str> = offered.iter().map(|it| it.name.as_str()).collect();
    for missing in real.iter().filter(|it| it.is_required() && !known.contains(it.name.as_str())) {
        found.push(format!("{path}({}) is required and not offered", missing.name));
    }
}
