use std::fmt;
use std::rc::Rc;

use jiff::Timestamp;
use roundtrip_domain::id::{OrderRef, ProductId, ShopDomain, VariantId};
use roundtrip_domain::links::Variant;
use roundtrip_domain::ports::{DueRow, Ledger, LedgerError, Registry};
use roundtrip_domain::record::{Commit, RowKey, StoredRow};
use roundtrip_domain::registry::{ConnectedShop, LinkChange, Links, Paused, ProductLink, ShopFacts};
use roundtrip_domain::step::{Step, StepId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::choice::Kind;
use super::super::wire::Wire;
use crate::fake::MemoryLedger;

/// The ledger, watched; what is written may be tampered with.
#[derive(Debug, Clone)]
pub(in super::super) struct WatchedLedger {
    pub(super) ledger: MemoryLedger,
    pub(super) tamper: fn(&MemoryLedger, &mut Commit),
    pub(super) wire: Rc<Wire>,
}

/// Shows which rows a commit writes, and the state of each.
struct Writes<'a>(&'a Commit);

impl fmt::Display for Writes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for write in self.0.writes.iter().filter(|write| write.body.is_some()) {
            let state = write.body.as_ref().and_then(|body| body.pointer("/state/type")).and_then(Value::as_str);
            match &write.key {
                RowKey::Step(step) => write!(f, "{step}")?,
                other => write!(f, "{other:?} of {}", write.order)?,
            }
            write!(f, " {}; ", state.unwrap_or("…"))?;
        }
        Ok(())
    }
}

fn down() -> LedgerError {
    LedgerError::Unavailable { doing: "answer", source: "the table throttles".into() }
}

impl WatchedLedger {
    async fn read<R: fmt::Debug>(
        &self,
        name: &'static str,
        about: impl fmt::Display,
        effect: impl Future<Output = Result<R, LedgerError>>,
    ) -> Result<R, LedgerError> {
        self.wire.call(Kind::LedgerRead, name, about, effect, down).await
    }

    async fn write(
        &self,
        name: &'static str,
        about: impl fmt::Display,
        effect: impl Future<Output = Result<(), LedgerError>>,
    ) -> Result<(), LedgerError> {
        self.wire.call(Kind::Commit, name, about, effect, down).await
    }
}

impl Ledger for WatchedLedger {
    async fn rows(&self, order: &OrderRef) -> Result<Vec<StoredRow>, LedgerError> {
        self.read("ledger.rows", order, self.ledger.rows(order)).await
    }

    async fn commit(&self, commit: Commit) -> Result<(), LedgerError> {
        let effect = async {
            let mut commit = commit.clone();
            (self.tamper)(&self.ledger, &mut commit);
            self.ledger.commit(commit).await
        };
        self.write("ledger.commit", Writes(&commit), effect).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRow>, LedgerError> {
        self.read("ledger.due", now, self.ledger.due(now, limit)).await
    }

    async fn postpone(&self, row: &DueRow, until: Timestamp) -> Result<(), LedgerError> {
        self.write("ledger.postpone", &row.row.1, self.ledger.postpone(row, until)).await
    }

    async fn some_rows(&self, keys: &[(OrderRef, RowKey)]) -> Result<Vec<(OrderRef, StoredRow)>, LedgerError> {
        self.read("ledger.some_rows", keys.len(), self.ledger.some_rows(keys)).await
    }

    async fn shop_step<S: DeserializeOwned>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
    ) -> Result<Option<(Step<S>, u64)>, LedgerError> {
        let effect = async {
            let step: Option<(Step<Value>, u64)> = self.ledger.shop_step(domain, id).await?;
            Ok(step.map(|(step, version)| (json!(step), version)))
        };
        let step = self.read("ledger.shop_step", domain, effect).await?;
        Ok(step.map(|(step, version)| (serde_json::from_value(step).expect("a step of that kind"), version)))
    }

    async fn save_shop_step<S: Serialize>(
        &self,
        domain: &ShopDomain,
        id: &StepId,
        step: &Step<S>,
        version: u64,
    ) -> Result<(), LedgerError> {
        self.write("ledger.save_shop_step", domain, self.ledger.save_shop_step(domain, id, step, version)).await
    }
}

impl Registry for WatchedLedger {
    async fn shop(&self, domain: &ShopDomain) -> Result<Option<ConnectedShop>, LedgerError> {
        self.read("registry.shop", domain, self.ledger.shop(domain)).await
    }

    async fn shops(&self) -> Result<Vec<ShopDomain>, LedgerError> {
        self.read("registry.shops", "all", self.ledger.shops()).await
    }

    async fn links(
        &self,
        destination: &ShopDomain,
        variants: &[VariantId],
        sources: &[ShopDomain],
    ) -> Result<Links, LedgerError> {
        self.read("registry.links", destination, self.ledger.links(destination, variants, sources)).await
    }

    async fn links_about(
        &self,
        shop: &ShopDomain,
        product: ProductId,
        variants: &[Variant],
    ) -> Result<Vec<ProductLink>, LedgerError> {
        self.read("registry.links_about", shop, self.ledger.links_about(shop, product, variants)).await
    }

    async fn change_links(&self, changes: &[LinkChange]) -> Result<(), LedgerError> {
        self.write("registry.change_links", changes.len(), self.ledger.change_links(changes)).await
    }

    async fn pause(&self, domain: &ShopDomain, paused: &Paused) -> Result<(), LedgerError> {
        self.write("registry.pause", domain, self.ledger.pause(domain, paused)).await
    }

    async fn record_facts(&self, domain: &ShopDomain, facts: &ShopFacts) -> Result<(), LedgerError> {
        self.write("registry.record_facts", domain, self.ledger.record_facts(domain, facts)).await
    }
}
