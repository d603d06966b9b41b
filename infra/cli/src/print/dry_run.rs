//! What a push would do.

use roundtrip_api::push::{DryRunAnswer, DryRunPart, VerdictView};

use super::order::terms;
use super::{name, table};

/// Each part: whether it may go, why not, what to know, and what would be sent.
pub(crate) fn dry_run(answer: &DryRunAnswer) -> String {
    if answer.parts.is_empty() {
        return "no product of the order is linked: nothing would be sent\nremedy: `roundtrip links match …`, or `roundtrip link …`"
            .to_owned();
    }
    let mut text: Vec<String> = answer.parts.iter().flat_map(part).collect();
    text.push(String::new());
    text.push("Never sent".to_owned());
    text.extend(answer.withheld.iter().map(|what| format!("  {what}")));
    text.push("\nNothing was sent or written.".to_owned());
    text.join("\n")
}

fn part(part: &DryRunPart) -> Vec<String> {
    let DryRunPart { source, may_go, verdicts, terms: with, variables, withheld_lines, warnings } = part;
    let failed: Vec<&VerdictView> = verdicts.iter().filter(|verdict| !verdict.passed).collect();
    let rules = verdicts.len();
    let mut text = vec![match (may_go, failed.len()) {
        (true, _) => format!("{source}: may go, all {rules} rules hold"),
        (false, 1) => format!("{source}: may not go, 1 of {rules} rules does not hold"),
        (false, failed) => format!("{source}: may not go, {failed} of {rules} rules do not hold"),
    }];
    for VerdictView { rule, observed, required, remedy, .. } in failed {
        text.push(format!("  {}: {observed}; required: {required}", name(rule)));
        text.extend(remedy.as_ref().map(|remedy| format!("    remedy: {remedy}")));
    }
    text.extend(with.as_ref().map(|with| format!("  {}", terms(with))));
    text.extend(warnings.iter().map(|warning| format!("  {}: {}", name(&warning.code), warning.detail)));
    let mut lines = table();
    for line in withheld_lines {
        let why = line.source.as_ref().map_or("not linked".to_owned(), |source| format!("{source} holds it"));
        lines.add_row(["stays".to_owned(), line.title.clone(), why]);
    }
    if !withheld_lines.is_empty() {
        text.push(super::lay_out(lines, &[], 2));
    }
    if let Some(variables) = variables {
        text.push("  variables of orderCreate:".to_owned());
        let pretty = serde_json::to_string_pretty(variables).unwrap_or_default();
        text.extend(pretty.lines().map(|line| format!("    {line}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_says_whether_it_may_go_and_what_would_be_sent() {
        let answer = json!({
            "shop": "moon.myshopify.com", "order": "42", "withheld": ["taxes"],
            "parts": [
                {
                    "source": "mars.myshopify.com", "may_go": false, "terms": null, "variables": null, "withheld_lines": [],
                    "warnings": [], "verdicts": [
                        { "rule": "ORDER_SYNC_OFF", "passed": true, "observed": "on", "required": "on" },
                        { "rule": "NOT_PAID", "passed": false, "observed": "PENDING", "required": "PAID", "remedy": "capture it" },
                    ],
                },
                {
                    "source": "sun.myshopify.com", "may_go": true, "variables": { "order": { "email": "ada@example.com" } },
                    "terms": {
                        "mode": "manual", "shipping_fee": { "amount": "7.35", "currency": "EUR" },
                        "fee_rule": { "rule": "manual" }, "settings_version": 2, "shop_settings_version": 1,
                    },
                    "withheld_lines": [{ "line": "102", "title": "Sticker", "source": null }],
                    "warnings": [{ "code": "DOUBLE_MAIL", "detail": "both may mail" }],
                    "verdicts": [{ "rule": "NOT_PAID", "passed": true, "observed": "PAID", "required": "PAID" }],
                },
            ],
        });

        let text = dry_run(&serde_json::from_value(answer).unwrap());

        let expected = "\
mars.myshopify.com: may not go, 1 of 2 rules does not hold
  NOT_PAID: PENDING; required: PAID
    remedy: capture it
sun.myshopify.com: may go, all 1 rules hold
  by hand, shipping 7.35 EUR (as asked for), settings 2 of the connection, 1 of the store
  DOUBLE_MAIL: both may mail
  stays  Sticker  not linked
  variables of orderCreate:
    {
      \"order\": {
        \"email\": \"ada@example.com\"
      }
    }

Never sent
  taxes

Nothing was sent or written.";
        assert_eq!(text, expected, "\n{text}");
    }
}
