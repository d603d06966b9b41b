//! Fulfillments: goods that were sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::words::FulfillmentStatus;

/// Goods sent from one location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfillment {
    pub id: u64,
    /// `#1001-F1`
    pub name: String,
    pub status: FulfillmentStatus,
    pub location_id: u64,
    /// The handle of the fulfillment service that sent them.
    pub service: String,
    pub tracking_info: Vec<TrackingInfo>,
    pub lines: Vec<FulfillmentLine>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How many of an order's line were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentLine {
    pub id: u64,
    pub line_item_id: u64,
    /// The work this did, given back when the fulfillment is cancelled.
    pub fulfillment_order_line_id: u64,
    pub quantity: u32,
}

/// Where a parcel can be followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingInfo {
    pub company: Option<String>,
    pub number: Option<String>,
    pub url: Option<String>,
}

impl TrackingInfo {
    /// Tracking infos as Shopify makes them: one company for all numbers, and the carrier's own page
    /// where Shopify knows the carrier by exactly this name and no URL was given.
    ///
    /// Source: Admin GraphQL schema 2026-10, `FulfillmentTrackingInput` (numbers and urls are matched
    /// by position; the singular fields come first).
    pub fn list(company: Option<&str>, numbers: &[String], urls: &[String]) -> Vec<Self> {
        let count = numbers.len().max(urls.len());
        let parts = (0..count).map(|at| {
            let number = numbers.get(at).filter(|number| !number.is_empty()).cloned();
            let guessed = || tracking_page(company?, number.as_deref()?);
            Self {
                company: company.map(str::to_owned),
                url: urls.get(at).cloned().or_else(guessed),
                number: number.clone(),
            }
        });
        let mut list: Vec<Self> = parts.collect();
        if list.is_empty() && company.is_some() {
            list.push(Self { company: company.map(str::to_owned), ..Self::default() });
        }
        list
    }
}

/// A few of the carriers whose pages Shopify links by itself. That it does is documented; the links' form is unverified.
fn tracking_page(company: &str, number: &str) -> Option<String> {
    let page = match company {
        "UPS" => "https://www.ups.com/WebTracking?loc=en_US&requester=ST&trackNums=",
        "USPS" => "https://tools.usps.com/go/TrackConfirmAction.action?tLabels=",
        "FedEx" => "https://www.fedex.com/fedextrack/?trknbr=",
        "DHL Express" => "https://www.dhl.com/en/express/tracking.html?brand=DHL&AWB=",
        _ => return None,
    };
    Some(format!("{page}{number}"))
}

/// Why the customer was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// The order was received.
    OrderConfirmation,
    /// Goods are on their way.
    ShippingConfirmation,
    /// Their tracking changed.
    ShippingUpdate,
    /// The order was cancelled.
    OrderCancelled,
}

/// A mail that Shopify would have sent to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub kind: MailKind,
    pub to: String,
    pub fulfillment_id: Option<u64>,
    /// What the mail told the customer to follow.
    pub tracking_numbers: Vec<String>,
    pub at: Timestamp,
}
