//! From an introspection answer to GraphQL's definition language, as far as validation needs it.

use std::fmt::Write;

use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "__schema")]
    schema: Introspected,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Introspected {
    query_type: Named,
    mutation_type: Option<Named>,
    types: Vec<Type>,
    directives: Vec<Directive>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    kind: String,
    name: String,
    fields: Option<Vec<Field>>,
    input_fields: Option<Vec<InputValue>>,
    interfaces: Option<Vec<Named>>,
    enum_values: Option<Vec<EnumValue>>,
    possible_types: Option<Vec<Named>>,
    is_one_of: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    name: String,
    args: Vec<InputValue>,
    #[serde(rename = "type")]
    ty: TypeRef,
    #[serde(default)]
    is_deprecated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InputValue {
    name: String,
    #[serde(rename = "type")]
    ty: TypeRef,
    default_value: Option<String>,
    #[serde(default)]
    is_deprecated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnumValue {
    name: String,
    #[serde(default)]
    is_deprecated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeRef {
    kind: String,
    name: Option<String>,
    of_type: Option<Box<TypeRef>>,
}

#[derive(Deserialize)]
struct Directive {
    name: String,
    args: Vec<InputValue>,
    locations: Vec<String>,
}

/// What every GraphQL implementation knows by itself, and `@oneOf`, which is written separately.
const BUILT_IN: [&str; 10] =
    ["String", "Int", "Float", "Boolean", "ID", "include", "skip", "deprecated", "specifiedBy", "oneOf"];

/// Writes the schema down.
pub(super) fn sdl(json: &[u8]) -> serde_json::Result<String> {
    let schema = serde_json::from_slice::<Answer>(json)?.data.schema;
    let mutation = schema.mutation_type.map(|it| format!(" mutation: {}", it.name)).unwrap_or_default();
    let mut sdl = format!("schema {{ query: {}{mutation} }}\n", schema.query_type.name);
    for directive in schema.directives.iter().filter(|it| !is_built_in(&it.name)) {
        let _ = writeln!(
            sdl,
            "directive @{}{} on {}",
            directive.name,
            arguments(&directive.args),
            directive.locations.join(" | ")
        );
    }
    for ty in schema.types.iter().filter(|it| !is_built_in(&it.name)) {
        let _ = writeln!(sdl, "{}", definition(ty));
    }
    Ok(sdl)
}

fn is_built_in(name: &str) -> bool {
    name.starts_with("__") || BUILT_IN.contains(&name)
}

fn definition(ty: &Type) -> String {
    let name = &ty.name;
    match ty.kind.as_str() {
        "SCALAR" => format!("scalar {name}"),
        "ENUM" => {
            let values =
                ty.enum_values.iter().flatten().map(|it| format!("{}{}", it.name, deprecated(it.is_deprecated)));
            format!("enum {name} {{ {} }}", values.collect::<Vec<_>>().join(" "))
        }
        "UNION" => format!("union {name} = {}", names(&ty.possible_types).join(" | ")),
        "INPUT_OBJECT" => {
            let one_of = if ty.is_one_of == Some(true) { " @oneOf" } else { "" };
            let fields = ty.input_fields.iter().flatten().map(input_value);
            format!("input {name}{one_of} {{ {} }}", fields.collect::<Vec<_>>().join(" "))
        }
        kind => {
            let keyword = if kind == "INTERFACE" { "interface" } else { "type" };
            let interfaces = names(&ty.interfaces);
            let implements =
                if interfaces.is_empty() { String::new() } else { format!(" implements {}", interfaces.join(" & ")) };
            let fields = ty.fields.iter().flatten();
            let fields = fields.map(|it| {
                format!("{}{}: {}{}", it.name, arguments(&it.args), type_ref(&it.ty), deprecated(it.is_deprecated))
            });
            format!("{keyword} {name}{implements} {{ {} }}", fields.collect::<Vec<_>>().join(" "))
        }
    }
}

fn names(list: &Option<Vec<Named>>) -> Vec<String> {
    list.iter().flatten().map(|it| it.name.clone()).collect()
}

fn arguments(list: &[InputValue]) -> String {
    if list.is_empty() {
        String::new()
    } else {
        format!("({})", list.iter().map(input_value).collect::<Vec<_>>().join(" "))
    }
}

fn input_value(it: &InputValue) -> String {
    let default = it.default_value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
    let is_required = it.ty.kind == "NON_NULL" && it.default_value.is_none(); // may not be deprecated
    format!("{}: {}{default}{}", it.name, type_ref(&it.ty), deprecated(it.is_deprecated && !is_required))
}

fn deprecated(is: bool) -> &'static str {
    if is { " @deprecated" } else { "" }
}

fn type_ref(ty: &TypeRef) -> String {
    let inner = || ty.of_type.as_deref().map(type_ref).unwrap_or_default();
    match ty.kind.as_str() {
        "NON_NULL" => format!("{}!", inner()),
        "LIST" => format!("[{}]", inner()),
        _ => ty.name.clone().unwrap_or_default(),
    }
}
