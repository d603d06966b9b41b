//! Money is decimal, and stands in the shop's and in the customer's currency.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::codes::CurrencyCode;

/// An amount in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Decimal, never rounded here.
    pub amount: Decimal,
    /// Its currency.
    pub currency: CurrencyCode,
}

/// The same money for the shop and for the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyBag {
    /// In the shop's currency.
    pub shop: Money,
    /// In the customer's currency.
    pub presentment: Money,
}

impl MoneyBag {
    /// The same amount in both: what a shop that sells in its own currency has.
    pub fn of(amount: Decimal, currency: CurrencyCode) -> Self {
        let money = Money { amount, currency };
        Self { shop: money, presentment: money }
    }

    /// This times `count`.
    pub fn times(self, count: u32) -> Self {
        self.map(|amount| amount * Decimal::from(count))
    }

    /// This and `other`; currencies are taken from this one.
    pub fn plus(mut self, other: Self) -> Self {
        self.shop.amount += other.shop.amount;
        self.presentment.amount += other.presentment.amount;
        self
    }

    /// This less `other`, never below zero.
    pub fn minus(mut self, other: Self) -> Self {
        self.shop.amount = (self.shop.amount - other.shop.amount).max(Decimal::ZERO);
        self.presentment.amount = (self.presentment.amount - other.presentment.amount).max(Decimal::ZERO);
        self
    }

    /// Both amounts changed alike.
    pub fn map(mut self, change: impl Fn(Decimal) -> Decimal) -> Self {
        self.shop.amount = change(self.shop.amount);
        self.presentment.amount = change(self.presentment.amount);
        self
    }
}
