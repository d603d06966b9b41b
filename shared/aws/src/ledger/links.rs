//! Product links, and the rows by which a product's change finds them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use roundtrip_domain::id::{ProductId, ShopDomain, VariantId};
use roundtrip_domain::links::{Variant, Watch};
use roundtrip_domain::ports::LedgerError;
use roundtrip_domain::registry::{LinkChange, ProductLink};

use super::keys::{VARIANTS, link_sk, shop_pk, watch_sk};
use super::registry::registry_item;
use super::{DynamoLedger, Item, failed, from_attribute, get_text, number, text, transaction_failed};

/// A link has seven rows beside it at the most, mostly three: DynamoDB takes a hundred in one transaction.
const LINKS_AT_ONCE: usize = 12;
/// How often a page of links is filled up, where few of those that are read are wanted.
const MAX_READS: usize = 10;

/// Some links of a destination.
#[derive(Debug, Clone)]
pub struct LinkPage {
    pub links: Vec<ProductLink>,
    /// Where the next page begins; `None`: the list ends here.
    pub next: Option<VariantId>,
}

impl DynamoLedger {
    pub(super) async fn read_links_about(
        &self,
        shop: &ShopDomain,
        product: ProductId,
        variants: &[Variant],
    ) -> Result<Vec<ProductLink>, LedgerError> {
        let watched = Watch::of_product(product, variants);
        let keys: Vec<(String, String)> = watched.iter().map(|watch| (shop_pk(shop), watch_sk(watch))).collect();
        let mut named: BTreeSet<(String, String)> = BTreeSet::new();
        for item in self.batch_get(&self.tables.registry, &keys).await? {
            let links = item.get("links").and_then(|links| links.as_ss().ok()).into_iter().flatten();
            named.extend(links.filter_map(|link| {
                let (destination, variant) = link.split_once('#')?;
                Some((shop_pk(&destination.parse().ok()?), link_sk(variant.parse().ok()?)))
            }));
        }
        let keys: Vec<(String, String)> = named.into_iter().collect();
        let items = self.batch_get(&self.tables.registry, &keys).await?;
        let links = items.iter().map(|item| from_attribute("understand a product link", item, "body"));
        let links: Vec<ProductLink> = links.collect::<Result<_, _>>()?;
        // A row may name a link that has become another since.
        Ok(links.into_iter().filter(|link| Watch::concerns(&watched, shop, link)).collect())
    }

    pub(super) async fn write_link_changes(&self, changes: &[LinkChange]) -> Result<(), LedgerError> {
        for chunk in changes.chunks(LINKS_AT_ONCE) {
            let mut items = Vec::new();
            let mut watched: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
            for LinkChange { before, after } in chunk {
                match (before, after) {
                    (before, Some(after)) => {
                        items.push(self.put_link(before.as_ref(), after)?);
                        let name = format!("{}#{}", after.destination, after.destination_variant);
                        for (shop, watch) in Watch::of_link(after) {
                            watched.entry((shop_pk(&shop), watch_sk(&watch))).or_default().push(name.clone());
                        }
                    }
                    (Some(before), None) => items.push(self.delete_link(before)),
                    (None, None) => {}
                }
            }
            items.extend(watched.into_iter().map(|(key, links)| self.watch(key, links)));
            if items.is_empty() {
                continue;
            }
            let write = self.client.transact_write_items().set_transact_items(Some(items)).send();
            write.await.map_err(transaction_failed)?;
        }
        Ok(())
    }

    fn put_link(&self, before: Option<&ProductLink>, after: &ProductLink) -> Result<TransactWriteItem, LedgerError> {
        let version = before.map_or(0, |before| before.version);
        let after = ProductLink { version: version + 1, ..after.clone() };
        let item = registry_item(shop_pk(&after.destination), link_sk(after.destination_variant), &after)?;
        let put = Put::builder().table_name(&self.tables.registry).set_item(Some(item));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(before) => {
                put.condition_expression(condition(before)).expression_attribute_values(":read", number(before.version))
            }
        };
        Ok(TransactWriteItem::builder().put(put.build().expect("table and item are set")).build())
    }

    fn delete_link(&self, before: &ProductLink) -> TransactWriteItem {
        let delete = Delete::builder()
            .table_name(&self.tables.registry)
            .key("pk", text(shop_pk(&before.destination)))
            .key("sk", text(link_sk(before.destination_variant)))
            .condition_expression(condition(before))
            .expression_attribute_values(":read", number(before.version));
        TransactWriteItem::builder().delete(delete.build().expect("table and key are set")).build()
    }

    /// Adds links to those that a change concerns. None is ever taken away: whoever reads them looks at each link itself.
    fn watch(&self, (pk, sk): (String, String), links: Vec<String>) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.tables.registry)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .update_expression("ADD links :links")
            .expression_attribute_values(":links", AttributeValue::Ss(links));
        TransactWriteItem::builder().update(update.build().expect("table, key and update are set")).build()
    }

    /// Links from `destination` to `source`, those in trouble alone if asked for, in the order of their keys: at most
    /// `limit`, and fewer where many others had to be passed over.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn list_links(
        &self,
        destination: &ShopDomain,
        source: &ShopDomain,
        (trouble_only, limit): (bool, usize),
        after: Option<VariantId>,
    ) -> Result<LinkPage, LedgerError> {
        let filter = if trouble_only {
            "body.#source = :source AND attribute_exists(body.trouble)"
        } else {
            "body.#source = :source"
        };
        let mut page = LinkPage { links: Vec::new(), next: after };
        for _ in 0..MAX_READS {
            let wanted = i32::try_from(limit - page.links.len()).unwrap_or(i32::MAX);
            let start = page.next.map(|variant| {
                HashMap::from([
                    ("pk".to_owned(), text(shop_pk(destination))),
                    ("sk".to_owned(), text(link_sk(variant))),
                ])
            });
            let answer = self
                .client
                .query()
                .table_name(&self.tables.registry)
                .key_condition_expression("pk = :pk AND begins_with(sk, :variants)")
                .filter_expression(filter)
                .expression_attribute_names("#source", "source")
                .expression_attribute_values(":pk", text(shop_pk(destination)))
                .expression_attribute_values(":variants", text(VARIANTS))
                .expression_attribute_values(":source", text(source.as_str()))
                .set_exclusive_start_key(start)
                .limit(wanted)
                .send()
                .await
                .map_err(failed("read product links"))?;
            let links = answer.items.unwrap_or_default();
            let links = links.iter().map(|item| from_attribute("understand a product link", item, "body"));
            page.links.extend(links.collect::<Result<Vec<ProductLink>, _>>()?);
            page.next = answer.last_evaluated_key.as_ref().and_then(variant_of);
            if page.next.is_none() || page.links.len() >= limit {
                break;
            }
        }
        Ok(page)
    }
}

/// That the link is as it was read. One of before links were counted has no version.
fn condition(before: &ProductLink) -> &'static str {
    match before.version {
        0 => "attribute_exists(pk) AND (attribute_not_exists(body.version) OR body.version = :read)",
        _ => "body.version = :read",
    }
}

fn variant_of(key: &Item) -> Option<VariantId> {
    get_text(key, "sk")?.strip_prefix(VARIANTS)?.parse().ok()
}
