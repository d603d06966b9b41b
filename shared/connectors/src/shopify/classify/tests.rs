use std::collections::BTreeSet;

use roundtrip_domain::channel::Effect;
use serde_json::Value;

use super::super::answer::{self, Asked, HttpAnswer};
use super::*;

const ANSWERS: &str = include_str!("../../../../../tests/fixtures/shopify/answers.json");

#[derive(Debug, Deserialize)]
struct Fixture {
    answers: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    case: String,
    #[serde(flatten)]
    answer: Answer,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Answer {
    UserErrors {
        operation: Operation,
        user_errors: Vec<UserError>,
    },
    Whole {
        asked: String,
        status: u16,
        #[serde(default)]
        retry_after: Option<f64>,
        body: Value,
    },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Expect {
    Error {
        error: String,
        code: Code,
        effect: String,
        #[serde(default)]
        retry_after_secs: Option<u64>,
    },
    AlreadySo {
        already_so: bool,
    },
}

fn moon() -> ShopDomain {
    "moon.myshopify.com".parse().unwrap()
}

fn cases(text: &str) -> Vec<Case> {
    serde_json::from_str::<Fixture>(text).unwrap().answers
}

fn meant_by(answer: &Answer) -> Expect {
    let result = match answer {
        Answer::UserErrors { operation, user_errors } => check(&moon(), *operation, user_errors, None),
        Answer::Whole { asked, status, retry_after, body } => {
            let asked = if asked == "question" { Asked::Question } else { Asked::Change };
            let answer = HttpAnswer {
                status: StatusCode::from_u16(*status).unwrap(),
                request_id: None,
                retry_after: *retry_after,
                body: body.to_string().into_bytes(),
            };
            answer::data::<Value>(&moon(), asked, &answer).map(|_| Done::Now)
        }
    };
    match result {
        Ok(done) => Expect::AlreadySo { already_so: done == Done::Before },
        Err(error) => Expect::Error {
            error: kind(&error).to_owned(),
            code: error.code(),
            effect: if error.effect() == Effect::None { "none" } else { "unknown" }.to_owned(),
            retry_after_secs: match &error {
                ChannelError::Throttled { retry_after, .. } => Some(retry_after.as_secs()),
                _ => None,
            },
        },
    }
}

fn kind(error: &ChannelError) -> &'static str {
    match error {
        ChannelError::Throttled { .. } => "throttled",
        ChannelError::Unreachable { .. } => "unreachable",
        ChannelError::AccessDenied { .. } => "access_denied",
        ChannelError::ShopUnavailable { .. } => "shop_unavailable",
        ChannelError::Refused { .. } => "refused",
        ChannelError::NoAnswer { .. } => "no_answer",
    }
}

#[test]
fn each_answer_means_what_the_fixture_says() {
    for case in cases(ANSWERS) {
        assert_eq!(meant_by(&case.answer), case.expect, "{}: {:?}", case.case, case.answer);
    }
}

#[test]
fn ids_in_a_text_do_not_matter() {
    // An order's id has 13 digits; what is shorter may be a limit, a quantity or a status.
    let long = |run: &str| if run.len() > 9 { "7".repeat(run.len() + 1) } else { run.to_owned() };
    let (mut other, mut run) = (String::new(), String::new());
    for c in ANSWERS.chars() {
        if c.is_ascii_digit() {
            run.push(c);
        } else {
            other.push_str(&long(&std::mem::take(&mut run)));
            other.push(c);
        }
    }
    assert_ne!(other, ANSWERS);

    for case in cases(&other) {
        assert_eq!(meant_by(&case.answer), case.expect, "{}: {:?}", case.case, case.answer);
    }
}

#[test]
fn each_row_of_the_table_decides_some_answer() {
    let of_user_errors = USER_ERRORS.iter().map(|(on, says, _)| format!("{on:?} {says:?}"));
    let already_so = ALREADY_SO.iter().map(|(on, says)| format!("{on:?} {says:?}"));
    let any = ANY_USER_ERROR.iter().map(|(says, _)| format!("{says:?}"));
    let codes = ERROR_CODES.iter().map(|(code, _)| (*code).to_owned());
    let statuses = STATUSES.iter().map(|(status, part, _)| format!("{status} {part}"));
    let rows: BTreeSet<String> = of_user_errors.chain(already_so).chain(any).chain(codes).chain(statuses).collect();

    let used: BTreeSet<String> = cases(ANSWERS).iter().flat_map(|case| rows_for(&case.answer)).collect();

    let unused: Vec<&String> = rows.difference(&used).collect();
    assert!(unused.is_empty(), "{unused:#?}");
}

fn rows_for(answer: &Answer) -> Vec<String> {
    match answer {
        Answer::UserErrors { operation, user_errors } => {
            let rows = user_errors.iter().flat_map(|error| {
                let row = USER_ERRORS.iter().find(|(on, says, _)| on == operation && says.is_said_by(error));
                let so = ALREADY_SO.iter().find(|(on, says)| on == operation && says.is_said_by(error));
                let any = ANY_USER_ERROR.iter().find(|(says, _)| says.is_said_by(error));
                let row = row.map(|(on, says, _)| format!("{on:?} {says:?}"));
                let so = so.map(|(on, says)| format!("{on:?} {says:?}"));
                [row, so, any.map(|(says, _)| format!("{says:?}"))]
            });
            rows.flatten().collect()
        }
        Answer::Whole { status, body, .. } => {
            let errors = body["errors"].as_array().into_iter().flatten();
            let codes = errors.filter_map(|error| error["extensions"]["code"].as_str()).map(ToOwned::to_owned);
            let text = body["errors"].as_str().unwrap_or_default();
            let row = STATUSES.iter().find(|(known, part, _)| known == status && text.contains(part));
            codes.chain(row.map(|(status, part, _)| format!("{status} {part}"))).collect()
        }
    }
}

#[test]
fn what_is_not_known_is_kept_in_shopifys_words() {
    let errors = [UserError { field: vec!["order".into(), "email".into()], message: "is odd".into(), code: None }];

    let error = check(&moon(), Operation::OrderCreate, &errors, Some("r-1".into())).unwrap_err();

    assert_eq!(error.to_string(), "moon.myshopify.com refused: order.email: is odd");
    assert_eq!((error.code(), error.request_id()), (Code::Rejected, Some("r-1")));
}
