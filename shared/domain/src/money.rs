//! Money is a decimal and a currency, never a float.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An ISO 4217 code as Shopify gives it, e.g. `EUR`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
pub struct Currency(String);

impl Currency {
    /// How many decimals its amounts have: 2 for most, 0 for yen. Source: ISO 4217.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        let known = iso_currency::Currency::from_code(&self.0);
        known.and_then(iso_currency::Currency::exponent).map_or(2, u32::from)
    }
}

/// Why a text is not a [`Currency`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a currency: give the three letters of ISO 4217, e.g. EUR")]
pub struct InvalidCurrency(String);

impl FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCurrency(text.chars().take(20).collect()))
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An amount in a currency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Money {
    pub amount: Decimal,
    pub currency: Currency,
}

impl Money {
    /// Nothing, in `currency`.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::ZERO, currency }
    }

    /// So many percent of it, not rounded; `None`: more than can be counted.
    #[must_use]
    pub fn percentage(&self, percent: Decimal) -> Option<Self> {
        let amount = self.amount.checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)?;
        Some(Self { amount, currency: self.currency.clone() })
    }

    /// Rounded to the currency's decimals, halves away from zero.
    #[must_use]
    pub fn rounded(&self) -> Self {
        let strategy = RoundingStrategy::MidpointAwayFromZero;
        let amount = self.amount.round_dp_with_strategy(self.currency.decimals(), strategy);
        Self { amount, currency: self.currency.clone() }
    }

    /// The same in `currency`, at so much of it for one of ours; rounded to its decimals, halves away from zero.
    /// `None`: it is another currency, and no rate was given.
    #[must_use]
    pub fn exchanged(&self, currency: &Currency, rate: Option<Decimal>) -> Option<Self> {
        if self.currency == *currency {
            return Some(self.rounded());
        }
        let amount = self.amount.checked_mul(rate?)?;
        Some(Self { amount, currency: currency.clone() }.rounded())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: &str, currency: &str) -> Money {
        Money { amount: amount.parse().unwrap(), currency: currency.parse().unwrap() }
    }

    #[test]
    fn an_amount_is_rounded_to_the_decimals_of_its_currency() {
        let rate = Some("1.5".parse().unwrap());
        for (amount, currency, expected) in
            [("0.01", "USD", "0.02"), ("10.00", "JPY", "15"), ("0.33", "JPY", "0"), ("1.00", "KWD", "1.500")]
        {
            let exchanged = money(amount, "EUR").exchanged(&currency.parse().unwrap(), rate).unwrap();
            assert_eq!(exchanged, money(expected, currency), "{amount} EUR in {currency}");
        }
    }

    #[test]
    fn a_part_of_an_amount_is_rounded_once() {
        let part = money("9.99", "EUR").percentage("33.333".parse().unwrap()).unwrap();

        assert_eq!(part.exchanged(&"VND".parse().unwrap(), Some(Decimal::from(27_000))), Some(money("89909", "VND")));
        assert_eq!(part.exchanged(&"EUR".parse().unwrap(), None), Some(money("3.33", "EUR")));
    }

    #[test]
    fn an_amount_of_another_currency_needs_a_rate() {
        let ten = money("10.00", "EUR");

        assert_eq!(ten.exchanged(&"USD".parse().unwrap(), None), None);
        assert_eq!(ten.exchanged(&"EUR".parse().unwrap(), None), Some(ten));
    }
}
