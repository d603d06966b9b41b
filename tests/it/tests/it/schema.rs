//! Our questions and the simulator's answers, judged by Shopify's real Admin schema.
//!
//! The real schema is fetched for these tests and never committed. Where npm cannot be reached they say so and
//! pass, except in CI.
#![allow(clippy::unwrap_used)]

mod fetch;
mod introspection;
mod subset;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};

/// apollo-compiler knows `@oneOf` only when it is told.
const ONE_OF: &str = "directive @oneOf on INPUT_OBJECT\n";

/// Shopify's schema, or `None` where it cannot be had.
fn real() -> Option<&'static Valid<Schema>> {
    static REAL: OnceLock<Option<Valid<Schema>>> = OnceLock::new();
    REAL.get_or_init(|| match fetch::introspection() {
        Ok(json) => {
            let sdl = format!("{ONE_OF}{}", introspection::sdl(&json).unwrap());
            Some(Schema::parse_and_validate(sdl, "shopify.graphql").unwrap())
        }
        Err(why) if std::env::var_os("CI").is_some() => panic!("no Shopify schema: {why}"),
        Err(why) => {
            // Past the capture of passing tests, so that it is seen.
            let _ = writeln!(std::io::stderr(), "skipped, no Shopify schema: {why}");
            None
        }
    })
    .as_ref()
}

fn queries() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/connectors/src/shopify/queries");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|it| it == "graphql")).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn each_of_our_queries_is_valid_and_uses_nothing_deprecated() {
    let Some(real) = real() else { return };

    let mut wrong = Vec::new();
    for path in queries() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match ExecutableDocument::parse_and_validate(real, std::fs::read_to_string(&path).unwrap(), &path) {
            Ok(document) => {
                for operation in document.operations.iter() {
                    deprecated(&operation.selection_set, &name, &mut wrong);
                }
                for fragment in document.fragments.values() {
                    deprecated(&fragment.selection_set, &name, &mut wrong);
                }
            }
            Err(errors) => wrong.push(format!("{name}: {}", errors.errors)),
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Fields and arguments that Shopify means to remove.
fn deprecated(set: &SelectionSet, query: &str, found: &mut Vec<String>) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                if field.definition.directives.has("deprecated") {
                    found.push(format!("{query}: {}.{} is deprecated", set.ty, field.name));
                }
                for argument in &field.arguments {
                    let definition = field.definition.argument_by_name(&argument.name);
                    if definition.is_some_and(|it| it.directives.has("deprecated")) {
                        found.push(format!("{query}: {}.{}({}) is deprecated", set.ty, field.name, argument.name));
                    }
                }
                deprecated(&field.selection_set, query, found);
            }
            Selection::InlineFragment(inline) => deprecated(&inline.selection_set, query, found),
            Selection::FragmentSpread(_) => {} // walked where it is defined
        }
    }
}

#[test]
fn the_simulator_offers_nothing_that_shopify_does_not() {
    let Some(real) = real() else { return };
    let sdl = shopify_sim::schema::sdl();
    let one_of = if sdl.contains("directive @oneOf") { "" } else { ONE_OF };
    let simulated = Schema::parse(format!("{one_of}{sdl}"), "simulator.graphql").unwrap();

    let differences = subset::differences(&simulated, real);

    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_simulator_understands_each_of_our_queries() {
    let sdl = shopify_sim::schema::sdl();
    let one_of = if sdl.contains("directive @oneOf") { "" } else { ONE_OF };
    let simulated = Schema::parse_and_validate(format!("{one_of}{sdl}"), "simulator.graphql").unwrap();

    for path in queries() {
        let document =
            ExecutableDocument::parse_and_validate(&simulated, std::fs::read_to_string(&path).unwrap(), &path);
        if let Err(errors) = document {
            panic!("{}: {}", path.display(), errors.errors);
        }
    }
}
