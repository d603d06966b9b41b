//! The steps of a shop itself: rows of its own partition in the ledger, so that due work finds them.

use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::ports::LedgerError;
use roundtrip_domain::record::{List, WakeUp};
use roundtrip_domain::step::{Step, StepId};
use roundtrip_domain::task::Subject;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::{parked_sk, shop_pk, status_pk, step_sk};
use super::orders::add_due;
use super::{DynamoLedger, ITEM_VERSION, Item, failed, from_attribute, get_number, number, text, to_attribute};

impl DynamoLedger {
    pub(super) async fn read_shop_step<S: DeserializeOwned>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
    ) -> Result<Option<(Step<S>, u64)>, LedgerError> {
        let read = self
            .client
            .get_item()
            .table_name(&self.tables.ledger)
            .key("pk", text(shop_pk(domain)))
            .key("sk", text(step_sk(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read a step of a shop"))?;
        let Some(item) = read.item else { return Ok(None) };
        let step = from_attribute("understand a step of a shop", &item, "body")?;
        Ok(Some((step, get_number(&item, "version").unwrap_or(0))))
    }

    pub(super) async fn write_shop_step<S: Serialize>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
        step: &Step<S>,
        version: u64,
    ) -> Result<(), LedgerError> {
        let pk = shop_pk(domain);
        let mut item = Item::from([
            ("pk".to_owned(), text(&pk)),
            ("sk".to_owned(), text(step_sk(id))),
            ("v".to_owned(), number(ITEM_VERSION)),
            ("version".to_owned(), number(version + 1)),
            ("body".to_owned(), to_attribute("write a step of a shop", step)?),
        ]);
        if let Some(wait) = &step.wait {
            let subject = Subject::Shop { shop: domain.clone() };
            add_due(&mut item, &pk, &WakeUp { at: wait.until, queue: id.queue(), subject, why: wait.why });
        }
        if let Some(parked) = step.parked.as_ref().filter(|parked| parked.is_listed()) {
            item.insert("status_pk".into(), text(status_pk(domain, List::Parked)));
            item.insert("status_sk".into(), text(parked_sk(parked.at, domain, id)));
        }
        let put = self.client.put_item().table_name(&self.tables.ledger).set_item(Some(item));
        let put = match version {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            version => {
                put.condition_expression("version = :version").expression_attribute_values(":version", number(version))
            }
        };
        put.send().await.map_err(failed("write a step of a shop"))?;
        Ok(())
    }
}
