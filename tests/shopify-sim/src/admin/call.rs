//! One question: read, priced, paid, answered.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Variables};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::throttled_body;
use crate::cost::{MAX_QUERY_COST, Priced};
use crate::engine::Engine;
use crate::schema::Caller;

/// A request to a shop's GraphQL, ready to run.
pub(crate) struct Call {
    pub(crate) shop: String,
    /// The operation's name; its first field's where it has none.
    pub(crate) operation: String,
    pub(crate) document: ExecutableDocument,
    query: String,
    name: Option<String>,
    variables: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    query: String,
    #[serde(default)]
    variables: Value,
    #[serde(default)]
    operation_name: Option<String>,
}

impl Call {
    /// Reads a request's body.
    pub(super) fn parse(shop: &str, body: &[u8]) -> Result<Self, String> {
        let body: Body = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let document = async_graphql::parser::parse_query(&body.query).map_err(|error| error.to_string())?;
        let named = document.operations.iter().find_map(|(name, _)| name.map(ToString::to_string));
        let operation = body.operation_name.clone().or(named).unwrap_or_else(|| "anonymous".to_owned());
        let name = body.operation_name.filter(|name| !name.is_empty());
        Ok(Self { shop: shop.to_owned(), operation, document, query: body.query, name, variables: body.variables })
    }

    fn variables(&self) -> Variables {
        Variables::from_json(self.variables.clone())
    }

    /// Points that it asks for.
    pub(super) fn requested_cost(&self) -> u32 {
        let variables = self.variables();
        Priced::new(&self.document, self.name.as_deref(), &variables).map_or(0, |priced| priced.requested())
    }

    /// Does the work, if the bucket allows, and answers with what it cost.
    pub(super) async fn run(&self, engine: &Arc<Engine>) -> Value {
        let requested = self.requested_cost();
        engine.count(&self.shop, &self.operation, |calls| {
            calls.max_requested_cost = calls.max_requested_cost.max(requested);
            calls.last_variables.clone_from(&self.variables);
        });
        if requested > MAX_QUERY_COST {
            return too_expensive(requested);
        }
        if !self.is_affordable(engine, requested) {
            engine.count(&self.shop, &self.operation, |calls| calls.throttled += 1);
            return throttled_body(engine, &self.shop, requested);
        }
        let caller = Caller { engine: Arc::clone(engine), domain: self.shop.clone() };
        let mut request = Request::new(&self.query).variables(self.variables()).data(caller);
        request.operation_name.clone_from(&self.name);
        let response = engine.schema.execute(request).await;
        let data = response.data.into_json().unwrap_or(Value::Null);
        let variables = self.variables();
        let actual = Priced::new(&self.document, self.name.as_deref(), &variables)
            .map_or(0, |priced| priced.actual(&data))
            .min(requested);
        engine.count(&self.shop, &self.operation, |calls| calls.actual_cost += u64::from(actual));
        let cost = self.pay(engine, requested, actual);
        let mut answer = json!({"extensions": {"cost": cost}});
        if response.errors.is_empty() || !data.is_null() {
            answer["data"] = data;
        }
        if !response.errors.is_empty() {
            answer["errors"] = serde_json::to_value(&response.errors).unwrap_or_default();
        }
        answer
    }

    fn is_affordable(&self, engine: &Engine, requested: u32) -> bool {
        let mut world = engine.world();
        world.shops.get_mut(&self.shop).is_some_and(|shop| shop.bucket.available() >= f64::from(requested))
    }

    fn pay(&self, engine: &Engine, requested: u32, actual: u32) -> Value {
        let mut world = engine.world();
        let Some(shop) = world.shops.get_mut(&self.shop) else {
            return Value::Null;
        };
        shop.bucket.take(actual);
        shop.bucket.report(requested, Some(actual))
    }
}

/// Source: <https://shopify.dev/docs/api/usage/limits>
fn too_expensive(cost: u32) -> Value {
    json!({"errors": [{
        "message": format!("Query cost is {cost}, which exceeds the single query max cost limit ({MAX_QUERY_COST})."),
        "extensions": {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": MAX_QUERY_COST, "documentation": "https://shopify.dev/api/usage/rate-limits"},
    }]})
}
