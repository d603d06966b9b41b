//! `label …`

use roundtrip_api::labels::LabelAsked;
use roundtrip_domain::id::{LabelId, OrderId, ShopDomain};
use serde_json::{Value, json};

use super::shown;
use crate::api::Api;
use crate::cli::{LabelAdd, To};
use crate::out::Output;
use crate::trouble::Trouble;

pub(super) async fn add(to: &To, json: bool, args: &LabelAdd) -> Result<Output, Trouble> {
    let body = body(args)?;
    let answer = to.api().await?.post("/v1/labels", &body).await?;
    shown(answer, json, |answer| {
        let LabelAsked { request_id, .. } = answer.read()?;
        let LabelAdd { shop, order, label, .. } = args;
        Ok(format!("Label {label} is to be shown on order {order} (request {request_id}). {}", see(shop, *order)))
    })
}

/// What is left out is the API's to say.
fn body(args: &LabelAdd) -> Result<Value, Trouble> {
    let LabelAdd { shop, order, label, numbers, company, urls, lines, warehouse, no_mail } = args;
    if !urls.is_empty() && urls.len() != numbers.len() {
        return Err(Trouble::usage(
            format!("{} --number and {} --url", numbers.len(), urls.len()),
            "give one --url for each --number, in the same order, or none at all",
        ));
    }
    let tracking: Vec<Value> = numbers
        .iter()
        .enumerate()
        .map(|(n, number)| {
            let mut info = json!({ "number": number });
            if let Some(company) = company {
                info["company"] = json!(company);
            }
            if let Some(url) = urls.get(n) {
                info["url"] = json!(url);
            }
            info
        })
        .collect();
    let mut body = json!({ "shop": shop, "order": order, "label": label, "tracking": tracking });
    if !lines.is_empty() {
        body["lines"] = json!(lines);
    }
    if let Some(warehouse) = warehouse {
        body["warehouse"] = json!(warehouse);
    }
    if *no_mail {
        body["notify_customer"] = json!(false);
    }
    Ok(body)
}

pub(super) async fn void(
    api: &Api,
    json: bool,
    shop: &ShopDomain,
    order: OrderId,
    label: &LabelId,
) -> Result<Output, Trouble> {
    let answer = api.delete(&format!("/v1/shops/{shop}/orders/{order}/labels/{label}")).await?;
    shown(answer, json, |answer| {
        let LabelAsked { request_id, .. } = answer.read()?;
        let rest = "What it showed stays until another label takes its place.";
        Ok(format!("Label {label} of order {order} is voided (request {request_id}). {rest} {}", see(shop, order)))
    })
}

fn see(shop: &ShopDomain, order: OrderId) -> String {
    format!("See how it goes: roundtrip order show {shop} {order}")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command, LabelCommand};

    fn told(options: &str) -> Result<Value, Trouble> {
        let line = format!("roundtrip label add moon.myshopify.com 42 se-1 {options}");
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Command::Label(LabelCommand::Add(args)) => body(&args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_label_is_told_of_as_it_was_typed() {
        let all = told(
            "--number 1Z1 --url https://a.example/1 --number 1Z2 --url https://a.example/2 --company ups --line 7=2 \
             --warehouse WH2 --no-mail",
        );

        let expected = json!({
            "shop": "moon.myshopify.com", "order": "42", "label": "se-1",
            "tracking": [
                { "number": "1Z1", "company": "ups", "url": "https://a.example/1" },
                { "number": "1Z2", "company": "ups", "url": "https://a.example/2" },
            ],
            "lines": [{ "line_item": "7", "quantity": 2 }], "warehouse": "WH2", "notify_customer": false,
        });
        assert_eq!(all.unwrap(), expected);
    }

    #[test]
    fn what_was_not_typed_is_not_told() {
        let expected = json!({
            "shop": "moon.myshopify.com", "order": "42", "label": "se-1", "tracking": [{ "number": "1Z1" }],
        });
        assert_eq!(told("--number 1Z1").unwrap(), expected);
    }

    #[test]
    fn each_number_has_its_address_or_none_has() {
        let refused = told("--number 1Z1 --number 1Z2 --url https://a.example/1").unwrap_err();

        assert_eq!(
            refused.to_string(),
            "error: 2 --number and 1 --url\nremedy: give one --url for each --number, in the same order, or none at all"
        );
    }
}
