//! What is typed in a form of its own: places and their locations, lines and how many, lengths of time.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use roundtrip_api::settings::GivenOwner;
use roundtrip_domain::exceptions::{ExceptionCode, InvalidOwner};
use roundtrip_domain::id::{InvalidId, InvalidShopDomain, LineItemId, LocationId};
use roundtrip_domain::push::looks_like_email;
use roundtrip_domain::registry::{EmailContact, LocationMapping, Place, ShippingRate, UnitPrice};
use rust_decimal::Decimal;
use serde::Serialize;

/// A place that goods are sent from, and the location that stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Mapping(pub(crate) LocationMapping);

/// Why a text is not a [`Mapping`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidMapping {
    #[error("there is no `=` in it: give <place>=<location id>, e.g. sun-supply.myshopify.com/11=7 or WH2=7")]
    NoEquals,
    #[error("the place is blank: give <shop>.myshopify.com/<location id>, or a warehouse's name")]
    NoPlace,
    #[error("`{0}` is a whole shop: name its location too, <shop>.myshopify.com/<location id>")]
    NoLocation(String),
    #[error("`{0}` does not say whose location it is: give <shop>.myshopify.com/<location id>")]
    NoShop(String),
    #[error("the place: {0}")]
    Shop(#[from] InvalidShopDomain),
    #[error("the place: {0}")]
    From(InvalidId),
    #[error("the location: {0}")]
    To(InvalidId),
}

impl FromStr for Mapping {
    type Err = InvalidMapping;

    /// A warehouse's name may have a `=` in it, a location's id never: the last one parts them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.rsplit_once('=').ok_or(InvalidMapping::NoEquals)?;
        let from = place(from.trim())?;
        Ok(Self(LocationMapping { from, to: to.trim().parse().map_err(InvalidMapping::To)? }))
    }
}

/// What looks like a shop or one of Shopify's ids is never taken for a warehouse's name.
fn place(text: &str) -> Result<Place, InvalidMapping> {
    if text.is_empty() {
        return Err(InvalidMapping::NoPlace);
    }
    if text.starts_with("gid://") {
        return Err(InvalidMapping::NoShop(text.to_owned()));
    }
    let is_shop = |text: &str| text.to_ascii_lowercase().ends_with(".myshopify.com");
    match text.split_once('/') {
        Some((shop, location)) if is_shop(shop) => {
            let location: LocationId = location.parse().map_err(InvalidMapping::From)?;
            Ok(Place::Location { shop: shop.parse()?, location })
        }
        None if is_shop(text) => Err(InvalidMapping::NoLocation(text.to_owned())),
        Some(_) | None => Ok(Place::Warehouse { warehouse: text.to_owned() }),
    }
}

/// A line of an order, and how many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Units {
    pub(crate) line_item: LineItemId,
    pub(crate) quantity: u32,
}

/// Why a text is not [`Units`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidUnits {
    #[error("there is no `=` in it: give <line id>=<how many>, e.g. 7712345678903=2")]
    NoEquals,
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error("`{0}` is no quantity: give a whole number from 1 on")]
    Quantity(String),
}

impl FromStr for Units {
    type Err = InvalidUnits;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (line, quantity) = text.split_once('=').ok_or(InvalidUnits::NoEquals)?;
        let line_item = line.trim().parse()?;
        match quantity.trim().parse() {
            Ok(quantity) if quantity > 0 => Ok(Self { line_item, quantity }),
            _ => Err(InvalidUnits::Quantity(quantity.to_owned())),
        }
    }
}

/// A flat shipping fee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Rate(ShippingRate);

/// Why a text is not a [`Rate`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no rate: give <value>=<fee>, e.g. 100.00=10.00")]
pub(crate) struct InvalidRate(String);

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidRate(text.to_owned());
        let (from, fee) = text.split_once('=').ok_or_else(invalid)?;
        let amount = |text: &str| text.trim().parse::<Decimal>().map_err(|_| invalid());
        Ok(Self(ShippingRate { from: amount(from)?, fee: amount(fee)? }))
    }
}

/// Whom what needs somebody belongs to, by its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct OwnerOf(GivenOwner);

/// Why a text is not an [`OwnerOf`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidOwnerOf {
    #[error("there is no `=` in it: give <code>=<name>, e.g. LOCATION_UNMAPPED=warehouse, or *=<name> for all others")]
    NoEquals,
    #[error("`{0}` is no code: give one like LOCATION_UNMAPPED, or * for all others")]
    Code(String),
    #[error(transparent)]
    Owner(#[from] InvalidOwner),
}

impl FromStr for OwnerOf {
    type Err = InvalidOwnerOf;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (code, owner) = text.split_once('=').ok_or(InvalidOwnerOf::NoEquals)?;
        let known = |name: &str| {
            ExceptionCode::named(&name.to_uppercase()).ok_or_else(|| InvalidOwnerOf::Code(name.to_owned()))
        };
        let code = match code.trim() {
            "*" => None,
            name => Some(known(name)?.to_string()),
        };
        Ok(Self(GivenOwner { code, owner: owner.parse()? }))
    }
}

/// Whose e-mail address goes with an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Contact(EmailContact);

/// Why a text is not a [`Contact`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no e-mail contact: give customer, admin, or an address like orders@example.com")]
pub(crate) struct InvalidContact(String);

impl FromStr for Contact {
    type Err = InvalidContact;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "customer" => Ok(Self(EmailContact::Customer)),
            "admin" => Ok(Self(EmailContact::Admin)),
            email if looks_like_email(email) => Ok(Self(EmailContact::Custom { email: email.to_owned() })),
            other => Err(InvalidContact(other.to_owned())),
        }
    }
}

/// Whose unit prices a source order carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Price(UnitPrice);

/// Why a text is not a [`Price`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no price: give source, destination, or a percentage of the destination's, e.g. 80%")]
pub(crate) struct InvalidPrice(String);

impl FromStr for Price {
    type Err = InvalidPrice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = || text.trim().strip_suffix('%')?.trim().parse::<Decimal>().ok();
        match text.trim() {
            "source" => Ok(Self(UnitPrice::Source)),
            "destination" => Ok(Self(UnitPrice::Destination)),
            _ => percent().map(|it| Self(UnitPrice::Percentage(it))).ok_or_else(|| InvalidPrice(text.to_owned())),
        }
    }
}

/// A length of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Seconds(pub(crate) u32);

/// Why a text is not [`Seconds`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no length of time in whole seconds: give one like 10m, 1h30m or 48h, or the seconds alone, e.g. 600")]
pub(crate) struct InvalidSeconds(String);

impl FromStr for Seconds {
    type Err = InvalidSeconds;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidSeconds(text.to_owned());
        let plain = text.trim();
        if let Ok(seconds) = plain.parse() {
            return Ok(Self(seconds));
        }
        let length: SignedDuration = plain.parse().map_err(|_| invalid())?;
        if length.subsec_nanos() != 0 {
            return Err(invalid());
        }
        u32::try_from(length.as_secs()).map(Self).map_err(|_| invalid())
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", SignedDuration::from_secs(self.0.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T: FromStr<Err: fmt::Display>>(text: &str) -> String {
        text.parse::<T>().err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_place_is_a_source_stores_location_or_a_warehouse() {
        let shown = |text: &str| serde_json::to_value(text.parse::<Mapping>().unwrap()).unwrap();

        let location = serde_json::json!({ "from": { "shop": "sun.myshopify.com", "location": "11" }, "to": "7" });
        assert_eq!(shown("Sun.myshopify.com/11=7"), location);
        assert_eq!(shown("sun.myshopify.com/gid://shopify/Location/11=gid://shopify/Location/7"), location);
        for name in ["WH2", "123", "North / East", "a=b"] {
            let warehouse = serde_json::json!({ "from": { "warehouse": name }, "to": "7" });
            assert_eq!(shown(&format!("{name}=7")), warehouse);
        }
    }

    #[test]
    fn a_place_that_is_meant_otherwise_is_not_taken_for_a_warehouse() {
        for (text, remedy) in [
            ("WH2", "<place>=<location id>"),
            ("=7", "the place is blank"),
            ("sun.myshopify.com=7", "name its location too"),
            ("gid://shopify/Location/11=7", "whose location it is"),
            ("sun.myshopify.com/Berlin=7", "the place: `Berlin` is not a Shopify Location id"),
            (".myshopify.com/11=7", "the place: `.myshopify.com` is not a shop domain"),
            ("WH2=Berlin", "the location: `Berlin` is not a Shopify Location id"),
        ] {
            assert!(told::<Mapping>(text).contains(remedy), "{text}: {}", told::<Mapping>(text));
        }
    }

    #[test]
    fn a_line_has_an_id_and_a_quantity() {
        assert_eq!("7=2".parse(), Ok(Units { line_item: LineItemId::new(7), quantity: 2 }));
        for (text, remedy) in
            [("7", "<line id>=<how many>"), ("x=2", "LineItem id"), ("7=0", "from 1 on"), ("7=", "from 1 on")]
        {
            assert!(told::<Units>(text).contains(remedy), "{text}: {}", told::<Units>(text));
        }
    }

    #[test]
    fn an_owner_is_named_for_a_code_or_for_all_others() {
        let shown = |text: &str| serde_json::to_value(text.parse::<OwnerOf>().unwrap()).unwrap();

        let rule = serde_json::json!({ "code": "LOCATION_UNMAPPED", "owner": "the warehouse" });
        assert_eq!(shown("location_unmapped= the warehouse "), rule);
        assert_eq!(shown("*=ada"), serde_json::json!({ "owner": "ada" }));
        for (text, remedy) in
            [("ada", "<code>=<name>"), ("LOST=ada", "`LOST` is no code"), ("*=", "1 to 60 characters")]
        {
            assert!(told::<OwnerOf>(text).contains(remedy), "{text}: {}", told::<OwnerOf>(text));
        }
    }

    #[test]
    fn a_length_of_time_is_typed_as_people_say_it() {
        for (text, seconds, shown) in [
            ("0", 0, "0s"),
            ("600", 600, "10m"),
            ("10m", 600, "10m"),
            ("1h30m", 5400, "1h 30m"),
            ("48h", 172_800, "48h"),
        ] {
            let parsed: Seconds = text.parse().unwrap();
            assert_eq!((parsed, parsed.to_string().as_str()), (Seconds(seconds), shown));
        }
        for bad in ["", "ten", "10 bananas", "-5m", "1.5s", "500ms", "9999999h", "4294967296"] {
            assert!(told::<Seconds>(bad).contains("give one like 10m"), "{bad}");
        }
    }
}
