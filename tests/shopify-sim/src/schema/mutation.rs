//! What can be done.

mod fulfillments;
mod orders;
mod settings;

use async_graphql::MergedObject;

#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub(crate) struct Mutation(orders::Orders, fulfillments::Fulfillments, settings::Settings);
