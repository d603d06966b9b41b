//! Metafields and their definitions.

use async_graphql::{ID, SimpleObject};

use super::scalars::{DateTime, UnsignedInt64};
use crate::state::{self, gid};
use crate::words::MetafieldOwnerType;

#[derive(SimpleObject)]
pub(crate) struct Metafield {
    id: ID,
    legacy_resource_id: UnsignedInt64,
    namespace: String,
    key: String,
    #[graphql(name = "type")]
    kind: String,
    value: String,
    created_at: DateTime,
    updated_at: DateTime,
}

impl Metafield {
    pub(crate) fn new(order: &state::Order, it: &state::Metafield) -> Self {
        Self {
            id: gid("Metafield", it.id).into(),
            legacy_resource_id: UnsignedInt64(it.id),
            namespace: it.namespace.clone(),
            key: it.key.clone(),
            kind: it.kind.clone(),
            value: it.value.clone(),
            created_at: DateTime(order.created_at),
            updated_at: DateTime(order.created_at),
        }
    }
}

#[derive(SimpleObject)]
pub(crate) struct MetafieldDefinitionType {
    name: String,
}

#[derive(SimpleObject)]
pub(crate) struct MetafieldDefinition {
    id: ID,
    namespace: String,
    key: String,
    name: String,
    owner_type: MetafieldOwnerType,
    #[graphql(name = "type")]
    kind: MetafieldDefinitionType,
}

impl From<&state::MetafieldDefinition> for MetafieldDefinition {
    fn from(it: &state::MetafieldDefinition) -> Self {
        Self {
            id: gid("MetafieldDefinition", it.id).into(),
            namespace: it.namespace.clone(),
            key: it.key.clone(),
            name: it.name.clone(),
            owner_type: it.owner_type,
            kind: MetafieldDefinitionType { name: it.kind.clone() },
        }
    }
}
