//! Which metrics there are: as the functions' sources tell them, and as alarms and dashboard name them.

use std::collections::BTreeSet;

use super::{read, root};

/// A metric of ours, with the dimension it is counted by, if any: name and value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) dimension: Option<(String, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    /// As a literal stands in the code, or in an alarm.
    Is(String),
    /// The code finds it out, as the name of a queue; or the dashboard shows all there are.
    Any,
}

impl Metric {
    /// Whether this, which is told, is what `named` means.
    fn is(&self, named: &Self) -> bool {
        let same_dimension = match (&self.dimension, &named.dimension) {
            (None, None) => true,
            (Some((told, value)), Some((named, wanted))) => {
                told == named && (value == wanted || *value == Value::Any || *wanted == Value::Any)
            }
            _ => false,
        };
        self.name == named.name && same_dimension
    }
}

pub(super) fn assert_told<'a>(named: impl IntoIterator<Item = &'a Metric>) {
    assert_among(&told("telemetry::count("), named);
}

/// Of these it is told, too, that there is none.
pub(super) fn assert_told_as_none<'a>(named: impl IntoIterator<Item = &'a Metric>) {
    assert_among(&told("telemetry::none("), named);
}

fn assert_among<'a>(told: &BTreeSet<Metric>, named: impl IntoIterator<Item = &'a Metric>) {
    for metric in named {
        assert!(told.iter().any(|told| told.is(metric)), "nothing tells {metric:?}; told are {told:?}");
    }
}

/// What `telemetry` is called with in the functions' sources: values, and what is told `by` a dimension.
fn told(by: &str) -> BTreeSet<Metric> {
    let mut told = BTreeSet::new();
    for file in std::fs::read_dir(root().join("functions/src")).expect("functions/src").flatten() {
        let Ok(name) = file.file_name().into_string() else { continue };
        if !name.ends_with(".rs") {
            continue;
        }
        let source = read(&format!("functions/src/{name}"));
        for call in source.split(by).skip(1) {
            let mut arguments = call.split(',').map(str::trim);
            let (name, dimension) = (literal(arguments.next()), literal(arguments.next()));
            // The last argument ends with the call; one that calls something itself is no literal.
            let value = arguments.next().and_then(|last| last.split(')').next());
            let value = value.and_then(quoted).map_or(Value::Any, Value::Is);
            told.insert(Metric { name, dimension: Some((dimension, value)) });
        }
        for call in source.split("telemetry::value(").skip(1) {
            told.insert(Metric { name: literal(call.split(',').next()), dimension: None });
        }
    }
    told
}

fn literal(argument: Option<&str>) -> String {
    argument.and_then(quoted).unwrap_or_else(|| panic!("{argument:?} is no literal: alarms could not be held to it"))
}

fn quoted(argument: &str) -> Option<String> {
    argument.trim().strip_prefix('"')?.strip_suffix('"').map(ToOwned::to_owned)
}
