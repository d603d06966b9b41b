//! Tracking that is to be shown again.

use roundtrip_api::problem::{Problem, ProblemCode, ProblemOrder};
use roundtrip_api::writebacks::RetryAnswer;
use roundtrip_domain::code::Code;

use super::{lay_out, table};

/// The orders that somebody has to see first, and what to type then.
pub(crate) fn to_confirm(problem: &Problem) -> String {
    let mut table = table();
    table.set_header(["ORDER", "ID", "FAILED"]);
    for ProblemOrder { id, name, failed } in &problem.orders {
        let codes: Vec<&str> = failed.iter().copied().map(Code::name).collect();
        let failed = if codes.is_empty() { "no".to_owned() } else { codes.join(", ") };
        table.add_row([name.clone(), id.to_string(), failed]);
    }
    let others = problem.orders.iter().any(|order| order.failed.is_empty());
    let flags = match (problem.code, others) {
        (ProblemCode::AckRequired, _) => "leave them out, or add --acknowledge-not-failed",
        (_, true) => "add --confirm --acknowledge-not-failed",
        (_, false) => "add --confirm",
    };
    format!("{}\n{}: {flags}.", lay_out(table, &[], 0), problem.detail)
}

/// What was begun.
pub(crate) fn resend(begun: &RetryAnswer) -> String {
    let RetryAnswer { job_id, matched, failed, more } = begun;
    let orders = if *matched == 1 { "1 order".to_owned() } else { format!("{matched} orders") };
    let mut text = vec![format!("The tracking of {orders} is shown again; {failed} of them had failed.")];
    if *more {
        text.push("More orders are of that kind than one job takes: ask again for the rest.".to_owned());
    }
    text.push(format!("See how it goes: roundtrip job show {job_id}"));
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_says_which_have_failed_and_what_to_type() {
        let problem = |code: &str, orders: serde_json::Value| -> Problem {
            serde_json::from_value(json!({
                "type": "/v1/help", "title": "…", "status": 409, "code": code, "remedy": "…",
                "detail": "the tracking of 2 orders would be shown again", "orders": orders,
            }))
            .unwrap()
        };
        let failed = json!({ "id": "42", "name": "#1042", "failed": ["LOCATION_UNMAPPED", "REJECTED"] });
        let other = json!({ "id": "43", "name": "#1043" });

        let expected = "\
ORDER  ID  FAILED
#1042  42  LOCATION_UNMAPPED, REJECTED
#1043  43  no
the tracking of 2 orders would be shown again: add --confirm --acknowledge-not-failed.";
        assert_eq!(to_confirm(&problem("CONFIRM_REQUIRED", json!([failed, other]))), expected);
        assert!(to_confirm(&problem("CONFIRM_REQUIRED", json!([failed]))).ends_with("again: add --confirm."));
        let left = to_confirm(&problem("ACK_REQUIRED", json!([other])));
        assert!(left.ends_with("again: leave them out, or add --acknowledge-not-failed."), "{left}");
    }
}
