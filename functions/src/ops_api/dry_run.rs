//! What a push would do: read from Shopify and told, with nothing written anywhere.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, StatusCode};
use jiff::Timestamp;
use roundtrip_api::push::{DryRunAnswer, DryRunPart, PostPush, VerdictView};
use roundtrip_connectors::shopify::{WITHHELD, order_create_variables};
use roundtrip_domain::Waits;
use roundtrip_domain::channel::Channel;
use roundtrip_domain::id::{OrderRef, ShopDomain, VariantId};
use roundtrip_domain::money::Money;
use roundtrip_domain::ports::{Ledger, Registry};
use roundtrip_domain::push::{DryRun, Verdict, dry_run};

use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path};
use super::orders::OrderPath;
use super::push::manual_fee;
use super::shops::registered;
use crate::compose::Api;

/// What a push of an order would send, what it would withhold, what speaks against it and what to know before: found out
/// without a write. The answer holds the customer's data.
#[utoipa::path(post, path = "/v1/shops/{shop}/orders/{id}/pushes/dry-run", tag = "orders", params(OrderPath),
    request_body = PostPush, responses((status = 200, body = DryRunAnswer)))]
pub(super) async fn ask(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(path): Path<OrderPath>,
    Json(PostPush { source, shipping_fee }): Json<PostPush>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<DryRunAnswer>), ApiError> {
    let at = OrderRef::from(path);
    let shop = registered(&api, &at.shop).await?;
    let record = api.ledger.load(&at).await?;
    let fee: Option<Money> = match (shipping_fee, &source) {
        (Some(fee), Some(source)) => Some(manual_fee(&api, &shop, &record, source, fee).await?),
        (Some(_), None) => {
            return Err(ApiError::unprocessable("source", "a fee is for one store, in its currency: name it"));
        }
        (None, _) => None,
    };
    let Some(order) = api.channel.order(&at).await? else {
        let remedy =
            "give Shopify's numeric order id; without the scope `read_all_orders`, orders of 60 days are shown";
        return Err(ApiError::not_found(format!("{} shows no order {}", at.shop, at.id), remedy));
    };
    let variants: Vec<VariantId> = order.lines.iter().filter_map(|line| line.variant).collect();
    let sources: Vec<ShopDomain> = shop.outbound.iter().map(|connection| connection.source.clone()).collect();
    let links = api.ledger.links(&at.shop, &variants, &sources).await?;
    let found =
        dry_run(&record, (order, links, shop), (source.as_ref(), fee.as_ref()), &Waits::default(), Timestamp::now());
    let answer = DryRunAnswer {
        shop: at.shop,
        order: at.id,
        parts: found.into_iter().map(part).collect(),
        withheld: WITHHELD.iter().map(|text| (*text).to_owned()).collect(),
    };
    Ok((StatusCode::OK, [(CACHE_CONTROL, "no-store")], Json(answer)))
}

fn part(it: DryRun) -> DryRunPart {
    let (terms, variables) = match it.push {
        Some((plan, draft)) => (Some(plan.terms), Some(order_create_variables(&draft))),
        None => (None, None),
    };
    DryRunPart {
        source: it.source,
        may_go: terms.is_some(),
        verdicts: it.verdicts.into_iter().map(verdict).collect(),
        terms,
        variables,
        withheld_lines: it.withheld,
        warnings: it.warnings,
    }
}

fn verdict(Verdict { rule, passed, observed, required }: Verdict) -> VerdictView {
    let remedy = (!passed).then(|| rule.remedy().to_owned());
    VerdictView { rule, passed, observed, required, remedy }
}
