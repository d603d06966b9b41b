//! What a source store is told that shipping costs: a flat rate or what a person says, never what the customer paid.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::registry::ShippingRate;

/// By which rule a fee was set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum FeeRule {
    /// No rate applies: nothing is charged.
    #[default]
    None,
    /// The flat rate from this value on.
    Rate { from: Decimal },
    /// A person said so.
    Manual,
}

/// The rate of the highest value that `value` reaches.
pub(super) fn flat_rate(rates: &[ShippingRate], value: Decimal) -> Option<&ShippingRate> {
    rates.iter().filter(|rate| rate.from <= value).max_by_key(|rate| rate.from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_the_highest_value_that_is_reached_counts() {
        let rate = |from: &str, fee: &str| ShippingRate { from: from.parse().unwrap(), fee: fee.parse().unwrap() };
        let rates = [rate("200", "0.00"), rate("100.00", "10.00")];
        let fee = |value: &str| flat_rate(&rates, value.parse().unwrap()).map(|rate| rate.fee.to_string());

        assert_eq!(
            ["99.99", "100.00", "199.99", "200.00"].map(fee),
            [None, Some("10.00".to_owned()), Some("10.00".to_owned()), Some("0.00".to_owned())]
        );
    }
}
