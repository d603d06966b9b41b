//! Requests that came with a key of the caller's: each is carried out once, and its answer kept for a day.

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use roundtrip_domain::fingerprint;
use roundtrip_domain::ports::{LedgerError, after};

use super::keys::{KEYED, keyed_pk};
use super::{DynamoLedger, Item, failed, get_number, get_text, number, text};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// After this long nobody works on a request any more: API Gateway gave up on it before.
const ABANDONED: Duration = Duration::from_secs(40);

/// The claim of a request that was refused.
const NEVER: i64 = 0;

/// A request that may come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Whose key it is: the same key of two operators is two keys.
    pub operator: String,
    pub key: String,
    /// Of path and body: what is asked for.
    pub fingerprint: String,
    /// Under which it is written down, should it be new.
    pub id: String,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptAnswer {
    /// Nothing, or that it was begun and never ended: carry it out, under this id.
    New { id: String },
    /// It was carried out, and this was its answer.
    Answered { status: u16, body: String },
    /// Somebody carries it out now.
    UnderWay,
    /// The key came with another request.
    OtherRequest,
}

impl DynamoLedger {
    /// Claims a request, unless it was claimed before.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn claim_key(&self, request: &KeyedRequest, now: Timestamp) -> Result<KeptAnswer, LedgerError> {
        let claimed = self
            .client
            .update_item()
            .table_name(&self.tables.ledger)
            .key("pk", text(pk(request)))
            .key("sk", text(KEYED))
            .update_expression(
                "SET fingerprint = :fingerprint, claimed_at = :now, expires_at = :expires, \
                 request_id = if_not_exists(request_id, :id)",
            )
            .condition_expression(
                "attribute_not_exists(pk) OR (attribute_not_exists(answer) AND (attribute_not_exists(request_id) OR \
                 (fingerprint = :fingerprint AND claimed_at < :abandoned)))",
            )
            .expression_attribute_values(":fingerprint", text(&request.fingerprint))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":abandoned", number(before(now, ABANDONED).as_millisecond()))
            .expression_attribute_values(":expires", number(after(now, KEPT).as_second()))
            .expression_attribute_values(":id", text(&request.id))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match claimed {
            Ok(written) => {
                let id = written.attributes.as_ref().and_then(|item| get_text(item, "request_id"));
                Ok(KeptAnswer::New { id: id.unwrap_or(&request.id).to_owned() })
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(taken)) => match taken.item() {
                    // DynamoDB deletes what has expired some time later.
                    Some(item)
                        if get_number(item, "expires_at").is_some_and(|at| at < now.as_second().unsigned_abs()) =>
                    {
                        self.claim_anew(request, now).await
                    }
                    Some(item) => Ok(known(item, request)),
                    None => Ok(KeptAnswer::UnderWay),
                },
                Some(other) if other.code() == Some("TransactionConflictException") => Ok(KeptAnswer::UnderWay),
                Some(_) | None => Err(failed("claim a request")(error)),
            },
        }
    }

    /// Claims a key whose day is over, as if it had never come.
    async fn claim_anew(&self, request: &KeyedRequest, now: Timestamp) -> Result<KeptAnswer, LedgerError> {
        let update = self.client.update_item().table_name(&self.tables.ledger);
        let update = update.key("pk", text(pk(request))).key("sk", text(KEYED));
        let update = update
            .update_expression(
                "SET fingerprint = :fingerprint, claimed_at = :now, expires_at = :expires, request_id = :id \
                 REMOVE answer, answer_status",
            )
            .condition_expression("expires_at < :seconds")
            .expression_attribute_values(":fingerprint", text(&request.fingerprint))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":seconds", number(now.as_second()))
            .expression_attribute_values(":expires", number(after(now, KEPT).as_second()))
            .expression_attribute_values(":id", text(&request.id));
        match update.send().await.map_err(failed("claim a request")) {
            Ok(_) => Ok(KeptAnswer::New { id: request.id.clone() }),
            Err(LedgerError::Conflict) => Ok(KeptAnswer::UnderWay),
            Err(error) => Err(error),
        }
    }

    /// Keeps the answer to a request that was claimed.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn keep_answer(&self, request: &KeyedRequest, status: u16, body: &str) -> Result<(), LedgerError> {
        let update = self.client.update_item().table_name(&self.tables.ledger);
        let update = update.key("pk", text(pk(request))).key("sk", text(KEYED));
        let update = update
            .update_expression("SET answer = :answer, answer_status = :status")
            .expression_attribute_values(":answer", text(body))
            .expression_attribute_values(":status", number(status));
        update.send().await.map_err(failed("keep an answer"))?;
        Ok(())
    }

    /// Lets a request that was claimed be carried out again at once: under the same id, since something of it may be
    /// written already; or, where nothing is, a mended one under an id of its own.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn release_key(&self, request: &KeyedRequest, is_refused: bool) -> Result<(), LedgerError> {
        let update = self.client.update_item().table_name(&self.tables.ledger);
        let update = update.key("pk", text(pk(request))).key("sk", text(KEYED));
        let forget = if is_refused { " REMOVE request_id" } else { "" };
        let update = update.update_expression(format!("SET claimed_at = :never{forget}"));
        let update = update.expression_attribute_values(":never", number(NEVER));
        update.send().await.map_err(failed("release a request"))?;
        Ok(())
    }
}

fn before(now: Timestamp, length: Duration) -> Timestamp {
    now.checked_sub(length).unwrap_or(Timestamp::MIN)
}

fn known(item: &Item, request: &KeyedRequest) -> KeptAnswer {
    if get_text(item, "fingerprint") != Some(&request.fingerprint) {
        return KeptAnswer::OtherRequest;
    }
    let status = get_number(item, "answer_status").and_then(|status| u16::try_from(status).ok());
    match (get_text(item, "answer"), status) {
        (Some(body), Some(status)) => KeptAnswer::Answered { status, body: body.to_owned() },
        _ => KeptAnswer::UnderWay,
    }
}

fn pk(request: &KeyedRequest) -> String {
    keyed_pk(&fingerprint(&(&request.operator, &request.key)))
}
