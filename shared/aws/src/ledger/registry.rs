//! Shops, connections and product links: the `Registry` port, and what the API writes.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update};
use roundtrip_domain::id::{ProductId, ShopDomain, VariantId};
use roundtrip_domain::links::Variant;
use roundtrip_domain::ports::{LedgerError, Registry};
use roundtrip_domain::registry::{
    ConnectedShop, Connection, LinkChange, Links, LocationMap, Paused, ProductLink, SettingsChange, SettingsVersion,
    Shop, ShopFacts, ShopSettings,
};
use serde::Serialize;

use super::keys::{
    ALL_SHOPS, FIRST_OF_SHOP, LOCATIONS, SHOP, VERSIONS, connection_sk, inbound_sk, link_sk, shop_pk, version_sk,
};
use super::{
    DynamoLedger, ITEM_VERSION, Item, failed, from_attribute, get_text, number, text, to_attribute, transaction_failed,
};

/// DynamoDB takes no more keys in one batch of reads.
const MAX_BATCH: usize = 100;

impl Registry for DynamoLedger {
    async fn shop(&self, domain: &ShopDomain) -> Result<Option<ConnectedShop>, LedgerError> {
        let pages = self
            .client
            .query()
            .table_name(&self.tables.registry)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(shop_pk(domain)))
            .expression_attribute_values(":first", text(FIRST_OF_SHOP))
            .expression_attribute_values(":last", text(SHOP))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(failed("read a shop"))?;
        let mut shop: Option<Shop> = None;
        let (mut outbound, mut inbound) = (Vec::new(), Vec::new());
        let mut locations = LocationMap::default();
        for item in &items {
            match get_text(item, "sk").unwrap_or_default().split_once('#') {
                Some(("CONNECTION", _)) => outbound.push(from_attribute("understand a connection", item, "body")?),
                Some(("INBOUND", _)) => inbound.push(from_attribute("understand a connection", item, "body")?),
                Some(_) => {}
                None if get_text(item, "sk") == Some(LOCATIONS) => {
                    locations = from_attribute("understand a location map", item, "body")?;
                }
                None => shop = Some(from_attribute("understand a shop", item, "body")?),
            }
        }
        Ok(shop.map(|shop| ConnectedShop { shop, outbound, inbound, locations }))
    }

    async fn shops(&self) -> Result<Vec<ShopDomain>, LedgerError> {
        let pages = self
            .client
            .query()
            .table_name(&self.tables.registry)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(ALL_SHOPS))
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(failed("read the list of shops"))?;
        items.iter().map(|item| from_attribute("understand the list of shops", item, "body")).collect()
    }

    async fn links(
        &self,
        destination: &ShopDomain,
        variants: &[VariantId],
        sources: &[ShopDomain],
    ) -> Result<Links, LedgerError> {
        let links = variants.iter().map(|variant| (shop_pk(destination), link_sk(*variant)));
        let shops = sources.iter().map(|source| (shop_pk(source), SHOP.to_owned()));
        let keys: Vec<(String, String)> = links.chain(shops).collect();
        let mut found = Links::default();
        for item in self.batch_get(&self.tables.registry, &keys).await? {
            if get_text(&item, "sk") == Some(SHOP) {
                let shop: Shop = from_attribute("understand a shop", &item, "body")?;
                found.sources.insert(shop.domain.clone(), shop);
            } else {
                let link: ProductLink = from_attribute("understand a product link", &item, "body")?;
                found.by_variant.insert(link.destination_variant, link);
            }
        }
        Ok(found)
    }

    async fn links_about(
        &self,
        shop: &ShopDomain,
        product: ProductId,
        variants: &[Variant],
    ) -> Result<Vec<ProductLink>, LedgerError> {
        self.read_links_about(shop, product, variants).await
    }

    async fn change_links(&self, changes: &[LinkChange]) -> Result<(), LedgerError> {
        self.write_link_changes(changes).await
    }

    async fn pause(&self, domain: &ShopDomain, paused: &Paused) -> Result<(), LedgerError> {
        self.client
            .update_item()
            .table_name(&self.tables.registry)
            .key("pk", text(shop_pk(domain)))
            .key("sk", text(SHOP))
            .update_expression("SET body.paused = :paused")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":paused", to_attribute("write a shop", paused)?)
            .send()
            .await
            .map_err(failed("write a shop"))?;
        Ok(())
    }

    async fn record_facts(&self, domain: &ShopDomain, facts: &ShopFacts) -> Result<(), LedgerError> {
        self.client
            .update_item()
            .table_name(&self.tables.registry)
            .key("pk", text(shop_pk(domain)))
            .key("sk", text(SHOP))
            .update_expression("SET body.facts = :facts REMOVE body.paused")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":facts", to_attribute("write a shop", facts)?)
            .send()
            .await
            .map_err(failed("write a shop"))?;
        Ok(())
    }
}

impl DynamoLedger {
    /// Writes how a registered shop is treated, as the version that follows the one that was read.
    ///
    /// # Errors
    /// `Conflict`: somebody else has changed them meanwhile. Or the table cannot be written.
    pub async fn put_shop_settings(
        &self,
        domain: &ShopDomain,
        settings: &ShopSettings,
        change: &SettingsChange,
    ) -> Result<(), LedgerError> {
        let update = Update::builder()
            .table_name(&self.tables.registry)
            .key("pk", text(shop_pk(domain)))
            .key("sk", text(SHOP))
            .update_expression("SET body.settings = :settings, body.settings_change = :change")
            .condition_expression(if change.version == 1 {
                "attribute_exists(pk) AND (attribute_not_exists(body.settings_change) OR body.settings_change.version = :read)"
            } else {
                "body.settings_change.version = :read"
            })
            .expression_attribute_values(":settings", to_attribute("write a shop", settings)?)
            .expression_attribute_values(":change", to_attribute("write a shop", change)?)
            .expression_attribute_values(":read", number(change.version.saturating_sub(1)))
            .build()
            .expect("table, key and update are set");
        self.client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().update(update).build())
            .transact_items(self.version_of(domain, None, change, settings)?)
            .send()
            .await
            .map_err(transaction_failed)?;
        Ok(())
    }

    /// A version of settings that is kept: a shop's own, or those of its connection to `source`.
    fn version_of(
        &self,
        domain: &ShopDomain,
        source: Option<&ShopDomain>,
        change: &SettingsChange,
        settings: impl Serialize,
    ) -> Result<TransactWriteItem, LedgerError> {
        let settings = serde_json::to_value(settings).expect("settings are JSON");
        let version = SettingsVersion { source: source.cloned(), change: change.clone(), settings };
        self.put(shop_pk(domain), version_sk(source, change.version), version)
    }

    /// All versions of a shop's settings and of those of its connections, newest first.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn settings_versions(&self, domain: &ShopDomain) -> Result<Vec<SettingsVersion>, LedgerError> {
        let pages = self
            .client
            .query()
            .table_name(&self.tables.registry)
            .key_condition_expression("pk = :pk AND begins_with(sk, :versions)")
            .expression_attribute_values(":pk", text(shop_pk(domain)))
            .expression_attribute_values(":versions", text(VERSIONS))
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.try_collect().await.map_err(failed("read versions of settings"))?;
        let versions = items.iter().map(|item| from_attribute("understand a version of settings", item, "body"));
        let mut versions: Vec<SettingsVersion> = versions.collect::<Result<_, _>>()?;
        versions.sort_by_key(|version| std::cmp::Reverse(version.change.at));
        Ok(versions)
    }

    pub(super) async fn batch_get(&self, table: &str, keys: &[(String, String)]) -> Result<Vec<Item>, LedgerError> {
        let mut items = Vec::new();
        // DynamoDB refuses a batch that names a key twice.
        let keys: Vec<&(String, String)> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
        for chunk in keys.chunks(MAX_BATCH) {
            let keys =
                chunk.iter().map(|(pk, sk)| HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))]));
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true);
            let mut open = Some(HashMap::from([(table.to_owned(), wanted.build().expect("keys are set"))]));
            // DynamoDB may answer a part and hand back the rest.
            while let Some(request) = open.take() {
                let answer = self
                    .client
                    .batch_get_item()
                    .set_request_items(Some(request))
                    .send()
                    .await
                    .map_err(failed("read a batch"))?;
                items.extend(answer.responses.unwrap_or_default().into_values().flatten());
                open = answer.unprocessed_keys.filter(|rest| !rest.is_empty());
            }
        }
        Ok(items)
    }

    /// Registers a shop, or leaves it as it is if it is registered. Says whether it was new.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn register_shop(&self, shop: &Shop) -> Result<bool, LedgerError> {
        let item = registry_item(shop_pk(&shop.domain), SHOP.to_owned(), shop)?;
        let put = Put::builder().table_name(&self.tables.registry).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk)").build().expect("table and item are set");
        let listed = self.put(ALL_SHOPS.to_owned(), shop.domain.to_string(), &shop.domain)?;
        let written = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(put).build())
            .transact_items(listed)
            .send()
            .await
            .map_err(transaction_failed);
        match written {
            Ok(_) => Ok(true),
            Err(LedgerError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a connection as the version that follows the one that was read, with its inbound half in the source
    /// shop's partition.
    ///
    /// # Errors
    /// `Conflict`: somebody else has changed it meanwhile. Or the table cannot be written.
    pub async fn put_connection(&self, connection: &Connection) -> Result<(), LedgerError> {
        let Connection { destination, source, settings, settings_change: change } = connection;
        let item = registry_item(shop_pk(destination), connection_sk(source), connection)?;
        let put = Put::builder().table_name(&self.tables.registry).set_item(Some(item));
        let put = match change.version {
            // One of before there were versions counts as none.
            1 => put.condition_expression("attribute_not_exists(pk) OR attribute_not_exists(body.settings_change)"),
            version => put
                .condition_expression("body.settings_change.version = :read")
                .expression_attribute_values(":read", number(version.saturating_sub(1))),
        };
        let outbound = TransactWriteItem::builder().put(put.build().expect("table and item are set")).build();
        let inbound =
            self.put(shop_pk(&connection.source), inbound_sk(&connection.destination), &connection.destination)?;
        self.client
            .transact_write_items()
            .transact_items(outbound)
            .transact_items(inbound)
            .transact_items(self.version_of(destination, Some(source), change, settings)?)
            .send()
            .await
            .map_err(transaction_failed)?;
        Ok(())
    }

    /// Writes which locations of `domain` stand for the places that goods are sent from, all of them anew.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn put_locations(&self, domain: &ShopDomain, map: &LocationMap) -> Result<(), LedgerError> {
        let item = registry_item(shop_pk(domain), LOCATIONS.to_owned(), map)?;
        let put = self.client.put_item().table_name(&self.tables.registry).set_item(Some(item));
        put.send().await.map_err(failed("write a location map"))?;
        Ok(())
    }

    fn put(&self, pk: String, sk: String, body: impl Serialize) -> Result<TransactWriteItem, LedgerError> {
        let item = registry_item(pk, sk, body)?;
        let put = Put::builder().table_name(&self.tables.registry).set_item(Some(item));
        Ok(TransactWriteItem::builder().put(put.build().expect("table and item are set")).build())
    }
}

pub(super) fn registry_item(pk: String, sk: String, body: impl Serialize) -> Result<Item, LedgerError> {
    Ok(HashMap::from([
        ("pk".to_owned(), text(pk)),
        ("sk".to_owned(), text(sk)),
        ("v".to_owned(), AttributeValue::N(ITEM_VERSION.to_string())),
        ("written_at".to_owned(), number(jiff::Timestamp::now().as_second())),
        ("body".to_owned(), to_attribute("write the registry", body)?),
    ]))
}
