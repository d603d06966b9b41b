//! Who may do what, by the templates as AWS gets them: after SAM's transform, with all that they nest.
//!
//! docs/PERMISSIONS.md is made here, so that whoever reviews a change of rights reads it as a change of that page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use roundtrip_kit::dynamodb::project;
use serde_json::{Map, Value, json};

use crate::template::{map, read, statements, text, texts};

const PAGE: &str = "docs/PERMISSIONS.md";

/// Set to write the page instead of comparing it.
const WRITE: &str = "ROUNDTRIP_WRITE_PERMISSIONS";

const HEAD: &str = "\
# Permissions

Who may do what in a deployed stack, by the templates as AWS gets them: after SAM's transform, with all that they nest. Names are those of
the resources in `template.yaml`. A test makes this page and fails if it is another:
`ROUNDTRIP_WRITE_PERMISSIONS=1 cargo test -p it --test it -- end_to_end::permissions` writes it anew.

No role has a managed policy, a wildcard in an action or a wildcard for a resource; each is taken on by one service, for one function or one
schedule. A log group stands for its streams.

| role | taken on by | may | on |
|---|---|---|---|
";

const GRANTS: &str = "
Who may call a function or publish to a topic without a role of ours:

| who | may | on | only if |
|---|---|---|---|
";

#[test]
fn the_page_of_permissions_says_what_is_deployed() {
    let page = Deployed::read().page();

    if std::env::var_os(WRITE).is_some() {
        std::fs::write(project().join(PAGE), &page).unwrap();
    }
    let shown = read(PAGE);
    let added: Vec<&str> = page.lines().filter(|line| !shown.lines().any(|shown| shown == *line)).collect();
    let gone: Vec<&str> = shown.lines().filter(|line| !page.lines().any(|deployed| deployed == *line)).collect();
    assert!(
        page == shown,
        "{PAGE} is not what is deployed. If the change is meant, write it anew, as the page says.\n\
         deployed:\n{}\nsaid:\n{}",
        added.join("\n"),
        gone.join("\n")
    );
}

#[test]
fn rights_come_from_roles_with_policies_of_their_own_and_from_nowhere_else() {
    for (name, resource) in Deployed::read().all() {
        let kind = text(&resource["Type"]);
        assert!(!kind.starts_with("AWS::IAM::") || kind == "AWS::IAM::Role", "{name} is a {kind}");
        // What the page does not show must not be there.
        assert!(!kind.ends_with("Policy") || kind == "AWS::SNS::TopicPolicy", "{name} is a {kind}");
        let properties = &resource["Properties"];
        for policy in ["KeyPolicy", "ResourcePolicy", "Policy"] {
            assert!(properties[policy].is_null(), "{name} has a {policy}");
        }
        if kind == "AWS::IAM::Role" {
            assert!(properties["ManagedPolicyArns"].is_null(), "{name} has a managed policy");
            assert!(properties["RoleName"].is_null(), "{name} has a name, for which CAPABILITY_IAM does not do");
        }
    }
}

#[test]
fn each_function_has_a_role_that_nothing_else_has() {
    let deployed = Deployed::read();
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();

    for (name, function) in deployed.of_type("AWS::Lambda::Function") {
        let role = resource(&function["Properties"]["Role"]);
        assert_eq!(Some(role.as_str()), name.strip_suffix("Function").map(|word| format!("{word}Role")).as_deref());
        users.entry(role).or_default().push(name);
    }
    for (name, schedule) in deployed.of_type("AWS::Scheduler::Schedule") {
        users.entry(resource(&schedule["Properties"]["Target"]["RoleArn"])).or_default().push(name);
    }

    let roles: BTreeSet<String> = deployed.of_type("AWS::IAM::Role").map(|(name, _)| name).collect();
    assert_eq!(users.keys().cloned().collect::<BTreeSet<_>>(), roles, "a role that nothing has, or of somebody else's");
    for (role, users) in users {
        assert_eq!(users.len(), 1, "{role} is shared by {users:?}");
    }
}

#[test]
fn a_role_allows_named_actions_on_named_resources() {
    for (name, role) in Deployed::read().of_type("AWS::IAM::Role") {
        for statement in statements(&role) {
            let keys: Vec<&str> = map(statement).keys().map(String::as_str).collect();
            assert_eq!(keys, ["Action", "Effect", "Resource"], "{name}: a statement of another kind");
            assert_eq!(statement["Effect"], "Allow", "{name}");
            for action in texts(&statement["Action"]) {
                assert!(!action.contains('*') && action.contains(':'), "{name} may do {action}");
            }
            // Some actions are AWS's to give on everything or not at all. None of them is used.
            for on in list(&statement["Resource"]) {
                assert!(!on.to_string().contains('*'), "{name} may do it on {on}");
            }
        }
    }
}

#[test]
fn each_role_is_taken_on_by_one_service() {
    for (name, role) in Deployed::read().of_type("AWS::IAM::Role") {
        let statements = role["Properties"]["AssumeRolePolicyDocument"]["Statement"].as_array().cloned().unwrap();
        let [trust] = statements.as_slice() else { panic!("{name} is trusted to several") };

        assert_eq!((&trust["Effect"], &trust["Action"]), (&json!("Allow"), &json!("sts:AssumeRole")), "{name}");
        let service = trust["Principal"]["Service"].as_str().unwrap_or_else(|| panic!("{name} names no one service"));
        assert_eq!(map(&trust["Principal"]).len(), 1, "{name} is trusted to more than a service");
        match service {
            "lambda.amazonaws.com" => assert!(trust["Condition"].is_null(), "{name}"),
            // A schedule of another account could else be given our role.
            "scheduler.amazonaws.com" => assert_eq!(
                trust["Condition"],
                json!({ "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } } }),
                "{name}"
            ),
            other => panic!("{name} is trusted to {other}"),
        }
    }
}

#[test]
fn a_service_calls_a_function_only_on_behalf_of_a_named_resource() {
    for (name, permission) in Deployed::read().of_type("AWS::Lambda::Permission") {
        let source = &permission["Properties"]["SourceArn"];

        assert!(!source.is_null(), "{name} lets in whatever the service does for others");
        assert_ne!(*source, json!("*"), "{name}");
    }
}

/// The templates by file.
struct Deployed(Map<String, Value>);

impl Deployed {
    fn read() -> Self {
        let python = project().join(".local/venv-sam/bin/python");
        let run = Command::new(&python).arg(project().join("infra/local/transform.py")).output();
        let run = run.unwrap_or_else(|error| panic!("{} ({error}): `make tools` installs it", python.display()));
        assert!(run.status.success(), "transform.py: {}", String::from_utf8_lossy(&run.stderr));
        let templates: Value = serde_json::from_slice(&run.stdout).expect("transform.py prints JSON");
        Self(map(&templates).clone())
    }

    /// Each resource of each template, and its name.
    fn all(&self) -> impl Iterator<Item = (String, Value)> {
        let resources = self.0.values().flat_map(|template| map(&template["Resources"]));
        resources.map(|(name, resource)| (name.clone(), resource.clone()))
    }

    fn of_type(&self, kind: &str) -> impl Iterator<Item = (String, Value)> {
        self.all().filter(move |(_, resource)| resource["Type"] == kind)
    }

    fn page(&self) -> String {
        let mut page = HEAD.to_owned();
        let roles: BTreeMap<String, Value> = self.of_type("AWS::IAM::Role").collect();
        for (name, role) in &roles {
            let mut first = format!("`{name}` | {}", trusted(role));
            let statements = statements(role);
            let mut rows: Vec<[String; 2]> = statements.into_iter().map(row).collect();
            rows.sort();
            for [actions, resources] in rows {
                writeln!(page, "| {first} | {actions} | {resources} |").unwrap();
                " | ".clone_into(&mut first);
            }
        }
        page.push_str(GRANTS);
        let mut grants: Vec<String> =
            self.of_type("AWS::Lambda::Permission").map(|(_, it)| call(&it["Properties"])).collect();
        let policies: Vec<Value> = self.of_type("AWS::SNS::TopicPolicy").map(|(_, it)| it).collect();
        grants
            .extend(policies.iter().flat_map(|it| list(&it["Properties"]["PolicyDocument"]["Statement"])).map(publish));
        grants.sort();
        page.push_str(&grants.concat());
        page
    }
}

/// `lambda.amazonaws.com`, and under which condition.
fn trusted(role: &Value) -> String {
    let trust = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
    let service = text(&trust["Principal"]["Service"]);
    match condition(&trust["Condition"]) {
        only if only.is_empty() => format!("`{service}`"),
        only => format!("`{service}`, if {only}"),
    }
}

fn row(statement: &Value) -> [String; 2] {
    let mut actions: Vec<&str> = texts(&statement["Action"]);
    actions.sort_unstable();
    let mut resources: Vec<String> = list(&statement["Resource"]).into_iter().map(resource).collect();
    resources.sort();
    [code(&actions), code(&resources)]
}

fn call(permission: &Value) -> String {
    let on = resource(&permission["FunctionName"]);
    let only = format!("called for `{}`", resource(&permission["SourceArn"]));
    format!("| `{}` | `{}` | `{on}` | {only} |\n", text(&permission["Principal"]), text(&permission["Action"]))
}

fn publish(statement: &Value) -> String {
    let [actions, on] = row(statement);
    let who = text(&statement["Principal"]["Service"]);
    format!("| `{who}` | {actions} | {on} | {} |\n", condition(&statement["Condition"]))
}

/// In IAM's own words: `StringEquals` `aws:SourceAccount` `AWS::AccountId`.
fn condition(condition: &Value) -> String {
    let mut tests = Vec::new();
    for (operator, keys) in condition.as_object().into_iter().flatten() {
        tests.extend(map(keys).iter().map(|(key, value)| code(&[operator, key, &resource(value)]).replace(", ", " ")));
    }
    tests.join(", ")
}

/// The name of what an intrinsic function refers to; what stands around it stays.
fn resource(value: &Value) -> String {
    let name = value["Ref"].as_str().or_else(|| value["Fn::GetAtt"][0].as_str());
    let whole = || value["Fn::Sub"].as_str().or_else(|| value.as_str()).unwrap_or_else(|| panic!("not read: {value}"));
    name.map_or_else(|| whole().replace("${", "").replace(".Arn}", "").replace('}', ""), ToOwned::to_owned)
}

fn code<T: AsRef<str>>(words: &[T]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}
