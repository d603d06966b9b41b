//! The user's own tags: they stand in the ledger alone, apart from the store's and from ours.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use roundtrip_api::orders::{PostTags, TagsAnswer};
use roundtrip_domain::history::HistoryEvent;
use roundtrip_domain::id::OrderRef;
use roundtrip_domain::record::Summary;
use roundtrip_domain::task::{Subject, Task, Trigger};

use super::Answer;
use super::auth::Operator;
use super::error::ApiError;
use super::extract::{Json, Path};
use super::orders::{OrderPath, change_order, unknown};
use super::request::RequestId;
use crate::compose::Api;

/// Characters of a tag, as Shopify has it for its own.
const MAX_TAG: usize = 40;
/// More of an order than anybody keeps apart.
const MAX_TAGS: usize = 20;

/// Puts your own tags on an order, or takes them off.
#[utoipa::path(post, path = "/v1/shops/{shop}/orders/{id}/tags", tag = "orders", params(OrderPath),
    request_body = PostTags, responses((status = 200, body = TagsAnswer)))]
pub(super) async fn change(
    operator: Operator,
    State(api): State<Arc<Api>>,
    RequestId(request_id): RequestId,
    Path(path): Path<OrderPath>,
    Json(PostTags { add, remove }): Json<PostTags>,
) -> Answer<TagsAnswer> {
    let at = OrderRef::from(path);
    let (add, remove) = (tags("add", &add)?, tags("remove", &remove)?);
    let answer = change_order(&api, &at, |record| {
        let Some(row) = &mut record.summary else { return Err(unknown(&at)) };
        let before = row.get().own_tags.clone();
        let mut own_tags = before.clone();
        own_tags.extend(add.iter().cloned());
        own_tags.retain(|tag| !remove.contains(tag));
        if own_tags.len() > MAX_TAGS {
            let text = format!("the order would have {} tags of yours: at most {MAX_TAGS}", own_tags.len());
            return Err(ApiError::unprocessable("add", text));
        }
        if own_tags != before {
            let words = |tags: &BTreeSet<String>| match tags.len() {
                0 => "none".to_owned(),
                _ => tags.iter().cloned().collect::<Vec<_>>().join(", "),
            };
            let task = Task::new(Trigger::Request, &request_id, Subject::Order(at.clone()));
            let event = HistoryEvent::moved(Timestamp::now(), &task, "own tags", words(&before), words(&own_tags));
            row.change().own_tags.clone_from(&own_tags);
            record.log(HistoryEvent { actor: operator.name.clone(), ..event });
        }
        let Some(row) = &record.summary else { return Err(unknown(&at)) };
        let Summary { tags, system_tags, .. } = row.get().clone();
        Ok(TagsAnswer { order: at.id, tags, own_tags, system_tags })
    });
    Ok((StatusCode::OK, Json(answer.await?)))
}

/// The tags as they are kept.
fn tags(field: &str, given: &[String]) -> Result<Vec<String>, ApiError> {
    if given.len() > MAX_TAGS {
        return Err(ApiError::field(field, format!("{} tags: give at most {MAX_TAGS}", given.len())));
    }
    let tag = |(n, text): (usize, &String)| {
        let text = text.trim();
        // Lists of tags are parted by commas.
        let is_tag =
            (1..=MAX_TAG).contains(&text.chars().count()) && !text.contains([',']) && !text.contains(char::is_control);
        let invalid = || {
            let what = "it is blank, too long, or has a comma or control character in it";
            ApiError::field(format!("{field}[{n}]"), format!("{what}: give 1 to {MAX_TAG} characters"))
        };
        is_tag.then(|| text.to_owned()).ok_or_else(invalid)
    };
    given.iter().enumerate().map(tag).collect()
}
