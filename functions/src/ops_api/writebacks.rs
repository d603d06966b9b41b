//! Tracking that is shown again: of orders where that failed, or of any.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use roundtrip_api::problem::{ProblemCode, ProblemOrder};
use roundtrip_api::writebacks::{PostRetry, RetryAnswer};
use roundtrip_aws::Part;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{OrderId, OrderRef};
use roundtrip_domain::jobs::{Job, Work};
use roundtrip_domain::ports::Ledger;
use roundtrip_domain::record::{OrderFilter, OrderRecord, Tab};

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::Json;
use super::jobs::{begin_job, begun, reason};
use super::request::RequestId;
use crate::compose::Api;

/// Orders of one job: whoever confirms reads the list.
const MAX_ORDERS: u16 = 250;
/// After this no further page is read, which may take six seconds: the function has ten.
const LONGEST: Duration = Duration::from_secs(2);
/// Orders that are read at a time.
const AT_ONCE: usize = 16;
/// What stands in the histories where nobody says why.
const NO_REASON: &str = "tracking is to be shown again";

/// Has the tracking of orders shown again: what is parked goes again, what was written is looked for in the store and, if it
/// is not there, written again. Nobody is mailed twice about a number. Answers with a job; first with the list, to be
/// confirmed.
#[utoipa::path(post, path = "/v1/writebacks/retry", tag = "orders", request_body = PostRetry,
    responses((status = 202, body = RetryAnswer)))]
pub(super) async fn retry(
    operator: Operator,
    State(api): State<Arc<Api>>,
    RequestId(id): RequestId,
    Json(body): Json<PostRetry>,
) -> Answer<RetryAnswer> {
    if let Some(Job { work: Work::Resend(orders), .. }) = begun(&api, &id).await? {
        let answer = RetryAnswer { job_id: id, matched: orders.len(), failed: orders.len(), more: false };
        return Ok((StatusCode::ACCEPTED, Json(answer)));
    }
    let reason = match &body.reason {
        None => NO_REASON.to_owned(),
        Some(text) => reason(Some(text))?,
    };
    let (orders, more) = choose(&api, &body).await?;
    let (failed, others): (Vec<_>, Vec<_>) = orders.iter().cloned().partition(|order| !order.failed.is_empty());
    if !body.confirm {
        let what = format!("the tracking of {} would be shown again", counted(orders.len()));
        let what = if others.is_empty() { what } else { format!("{what}; that of {} has not failed", others.len()) };
        let remedy = if others.is_empty() {
            "see the list; then repeat the request with `confirm`"
        } else {
            "see the list; then repeat the request with `confirm` and `acknowledge_not_failed`"
        };
        return Err(ApiError::new(ProblemCode::ConfirmRequired, what, remedy).at("confirm").with_orders(orders));
    }
    if !others.is_empty() && !body.acknowledge_not_failed {
        let what = format!("the tracking of {} of {} has not failed", others.len(), counted(orders.len()));
        let remedy = "leave them out; or repeat the request with `acknowledge_not_failed`";
        let problem = ApiError::new(ProblemCode::AckRequired, what, remedy).at("acknowledge_not_failed");
        return Err(problem.with_orders(others));
    }
    let now = Timestamp::now();
    let of_shop = |order: &ProblemOrder| OrderRef { shop: body.shop.clone(), id: order.id };
    let work = Work::Resend(orders.iter().map(of_shop).collect());
    begin_job(&api, Job::new(id.clone(), (now, operator.name), reason, work), now).await?;
    let answer = RetryAnswer { job_id: id, matched: orders.len(), failed: failed.len(), more };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

fn counted(orders: usize) -> String {
    if orders == 1 { "1 order".to_owned() } else { format!("{orders} orders") }
}

/// The orders, as they were given or newest first; and whether there are more.
async fn choose(api: &Api, body: &PostRetry) -> Result<(Vec<ProblemOrder>, bool), ApiError> {
    let PostRetry { shop, orders, tag, shipped, .. } = body;
    let filter = OrderFilter { tag: tag.clone(), shipped: *shipped, ..OrderFilter::default() };
    let (ids, more) = match (orders.is_empty(), filter.is_empty()) {
        (true, true) => {
            let text = "nothing says which: give `orders`, or what they have in common: `tag`, `shipped`";
            return Err(ApiError::field("orders", text));
        }
        (false, false) => {
            let text = "both some orders and what they have in common: give one of these";
            return Err(ApiError::field("orders", text));
        }
        (false, true) if orders.len() > usize::from(MAX_ORDERS) => {
            let text = format!("more than {MAX_ORDERS} are too many at once: give them in parts");
            return Err(ApiError::field("orders", text));
        }
        (false, true) => {
            let mut seen = BTreeSet::new();
            (orders.iter().copied().filter(|id| seen.insert(*id)).collect::<Vec<_>>(), false)
        }
        (true, false) => {
            let (mut newest, begun) = (Newest::default(), Instant::now());
            loop {
                let part = Part { limit: newest.left(), after: newest.after.as_deref(), ..Part::default() };
                let page = api.ledger.list_orders(shop, &Tab::ALL, &filter, part).await?;
                if !newest.take(page.orders.iter().map(|order| order.id), page.next, begun.elapsed()) {
                    break;
                }
            }
            newest.found()?
        }
    };
    let refs = ids.into_iter().map(|id| OrderRef { shop: shop.clone(), id });
    let looked = stream::iter(refs).map(async |at| look(api, at).await).buffered(AT_ONCE);
    let found: Vec<ProblemOrder> = looked.try_collect().await?;
    if found.is_empty() {
        let remedy = "`GET /v1/shops/{shop}/orders` takes the same filter";
        return Err(ApiError::not_found("no order is of that kind", remedy));
    }
    Ok((found, more))
}

/// The newest orders of a kind, page by page, up to [`MAX_ORDERS`].
#[derive(Default)]
struct Newest {
    ids: Vec<OrderId>,
    after: Option<String>,
}

impl Newest {
    /// How many are still taken.
    fn left(&self) -> u16 {
        MAX_ORDERS - u16::try_from(self.ids.len()).unwrap_or(MAX_ORDERS)
    }

    /// Takes in a page, and says whether another is to be read. A page may be short, or empty though others follow: few of
    /// many are of that kind.
    fn take(&mut self, ids: impl IntoIterator<Item = OrderId>, after: Option<String>, elapsed: Duration) -> bool {
        self.ids.extend(ids);
        self.after = after;
        self.after.is_some() && self.left() > 0 && elapsed <= LONGEST
    }

    /// The orders, and whether there are more.
    fn found(self) -> Result<(Vec<OrderId>, bool), ApiError> {
        if self.ids.is_empty() && self.after.is_some() {
            let what = "too many orders to look through, and none of the newest is of that kind";
            let remedy = "give their ids: `roundtrip order list` finds them, with a time and in pages";
            return Err(ApiError::new(ProblemCode::InvalidValue, what, remedy).at("orders"));
        }
        Ok((self.ids, self.after.is_some()))
    }
}

/// How the tracking of an order stands.
async fn look(api: &Api, at: OrderRef) -> Result<ProblemOrder, ApiError> {
    let record = api.ledger.load(&at).await?;
    let Some(summary) = &record.summary else {
        let what = format!("{} is no order of {} that is known", at.id, at.shop);
        return Err(ApiError::not_found(what, "`roundtrip order list` shows which are").at("orders"));
    };
    Ok(ProblemOrder { id: at.id, name: summary.get().name.clone(), failed: failed(&record) })
}

/// What its tracking failed of, each once.
fn failed(record: &OrderRecord) -> Vec<Code> {
    let shipments = record.writebacks.values().filter_map(|row| row.get().failed());
    // A source order that cannot be read any more: what it shipped is not shown.
    let unread = (!record.tags.get().state.unread.is_empty()).then_some(Code::ChannelUnavailable);
    shipments.chain(unread).collect::<BTreeSet<Code>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<u64>) -> Vec<OrderId> {
        range.map(OrderId::new).collect()
    }

    #[test]
    fn short_and_empty_pages_are_read_on_until_the_list_ends() {
        let mut newest = Newest::default();

        assert!(newest.take(ids(0..2), Some("a".into()), Duration::ZERO));
        assert_eq!((newest.left(), newest.after.as_deref()), (248, Some("a")));
        assert!(newest.take(ids(0..0), Some("b".into()), Duration::ZERO));
        assert!(!newest.take(ids(2..3), None, Duration::ZERO));
        assert_eq!(newest.found().unwrap(), (ids(0..3), false));
    }

    #[test]
    fn one_job_takes_its_most_and_says_that_there_are_more() {
        let mut newest = Newest::default();

        assert!(newest.take(ids(0..200), Some("a".into()), Duration::ZERO));
        assert!(!newest.take(ids(200..250), Some("b".into()), Duration::ZERO));
        assert_eq!(newest.found().unwrap(), (ids(0..250), true));
    }

    #[test]
    fn who_finds_none_in_time_is_told_to_give_ids() {
        let mut newest = Newest::default();

        assert!(!newest.take(ids(0..0), Some("a".into()), LONGEST + Duration::from_millis(1)));
        let error = newest.found().unwrap_err();
        let told = error.problem();
        assert_eq!((told.status, told.field.as_deref()), (422, Some("orders")));
        assert!(told.detail.contains("none of the newest"), "{told:?}");
    }
}
