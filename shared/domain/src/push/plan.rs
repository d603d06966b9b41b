//! What exactly goes: decided without a single call.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fee::FeeRule;
use super::key::OrderKey;
use super::refusal::Refusal;
use super::rules::{Case, Verdict, verdicts};
use crate::id::{LineItemId, ShopDomain, VariantId};
use crate::money::Money;
use crate::record::Tab;
use crate::registry::Inventory;

/// What will be sent to one source shop. Frozen in the ledger before the call, and free of personal
/// data: names and addresses are read from Shopify when they are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushPlan {
    pub key: OrderKey,
    pub lines: Vec<PlannedLine>,
    #[serde(flatten)]
    pub terms: PushTerms,
    #[serde(default = "bypass")]
    pub inventory: Inventory,
    /// `updatedAt` of the order it was made from.
    pub order_updated_at: Timestamp,
}

/// On what terms something is pushed: kept with the push for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushTerms {
    #[serde(default)]
    pub mode: PushMode,
    /// In the source shop's currency. Never what the customer paid for shipping.
    pub shipping_fee: Money,
    #[serde(default)]
    pub fee_rule: FeeRule,
    /// The version of the connection's settings.
    pub settings_version: u64,
    /// The version of the destination shop's.
    #[serde(default)]
    pub shop_settings_version: u64,
}

fn bypass() -> Inventory {
    Inventory::Bypass
}

/// Who set a push going.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PushMode {
    Manual,
    #[default]
    Automatic,
}

impl PushMode {
    /// As the source store's merchant reads it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Automatic => "automatic",
        }
    }
}

impl PushPlan {
    /// How many of each destination line go.
    #[must_use]
    pub fn quantities(&self) -> Vec<(LineItemId, u32)> {
        self.lines.iter().map(|line| (line.destination_line, line.quantity)).collect()
    }
}

/// One line that goes to the source shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLine {
    pub destination_line: LineItemId,
    pub source_variant: VariantId,
    pub quantity: u32,
    pub requires_shipping: bool,
    /// `None`: the source variant's own price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}

/// What of the order goes to the source shop, or every reason why nothing does. The group tells one push from a
/// deliberate second one.
///
/// # Errors
/// All refusals, not just the first.
pub fn plan_push(case: &Case<'_>, group: u32, mode: PushMode) -> Result<PushPlan, Vec<Refusal>> {
    let refusals: Vec<Refusal> =
        verdicts(case).into_iter().filter(|verdict| !verdict.passed).map(Refusal::from).collect();
    // Without a refusal there is a currency, and all amounts are in it.
    let fee = case.fee();
    let lines: Option<Vec<PlannedLine>> = case
        .lines()
        .map(|(line, link)| {
            Some(PlannedLine {
                destination_line: line.id,
                source_variant: link.source_variant,
                quantity: line.quantity,
                requires_shipping: line.requires_shipping,
                unit_price: case.unit_price(line)?,
            })
        })
        .collect();
    match (fee, lines) {
        (Some((shipping_fee, fee_rule)), Some(lines)) if refusals.is_empty() => Ok(PushPlan {
            key: OrderKey::new(&case.order.at, &case.connection.source, group),
            lines,
            terms: PushTerms {
                mode,
                shipping_fee,
                fee_rule,
                settings_version: case.connection.settings_change.version,
                shop_settings_version: case.shop.settings_change.version,
            },
            inventory: case.connection.settings.inventory,
            order_updated_at: case.order.updated_at,
        }),
        _ => Err(refusals),
    }
}

impl From<Verdict> for Refusal {
    fn from(Verdict { rule, observed, required, .. }: Verdict) -> Self {
        Self { reason: rule, observed, required }
    }
}

/// In which tab an order stands: `wanted` are the source shops that its lines are linked to, `confirmed`
/// those that have it.
#[must_use]
pub fn tab(cancelled: bool, wanted: &BTreeSet<ShopDomain>, confirmed: &BTreeSet<ShopDomain>) -> Tab {
    if cancelled {
        Tab::Cancelled
    } else if confirmed.is_empty() {
        Tab::NotPushed
    } else if wanted.is_subset(confirmed) {
        Tab::Pushed
    } else {
        Tab::PartiallyPushed
    }
}
