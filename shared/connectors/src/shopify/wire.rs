//! The shapes of Shopify's answers, as far as our documents ask for them.

use jiff::Timestamp;
use roundtrip_domain::order::{
    CancelReason, FinancialStatus, FulfillmentOrderStatus, FulfillmentState, FulfillmentStatus,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct Nodes<T> {
    pub(super) nodes: Vec<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    pub(super) nodes: Vec<T>,
    pub(super) page_info: PageInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    #[serde(default)]
    pub(super) end_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct HasId {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct UserError {
    #[serde(default, deserialize_with = "path")]
    pub(super) field: Vec<String>,
    #[serde(default)]
    pub(super) message: String,
    /// Only of payloads whose errors have one.
    #[serde(default)]
    pub(super) code: Option<String>,
}

impl UserError {
    /// `order.email: is invalid`, or the message alone.
    pub(super) fn text(&self) -> String {
        let said = if self.message.is_empty() { self.code.as_deref().unwrap_or_default() } else { &self.message };
        if self.field.is_empty() { said.to_owned() } else { format!("{}: {said}", self.field.join(".")) }
    }
}

/// Where in the input: names, and positions, which Shopify writes as texts here and as numbers there.
fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let parts: Option<Vec<Value>> = Option::deserialize(deserializer)?;
    let text = |part: Value| match part {
        Value::String(name) => name,
        other => other.to_string(),
    };
    Ok(parts.unwrap_or_default().into_iter().map(text).collect())
}

#[derive(Debug, Deserialize)]
pub(super) struct OrderData<T> {
    pub(super) order: Option<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderWire {
    pub(super) name: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) cancel_reason: Option<CancelReason>,
    pub(super) test: bool,
    pub(super) tags: Vec<String>,
    pub(super) note: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) source_identifier: Option<String>,
    pub(super) display_financial_status: Option<FinancialStatus>,
    pub(super) display_fulfillment_status: FulfillmentStatus,
    pub(super) custom_attributes: Vec<AttributeWire>,
    pub(super) order_key: Option<MetafieldValue>,
    pub(super) total_price_set: MoneyBag,
    pub(super) shipping_line: Option<ShippingLine>,
    pub(super) customer: Option<Customer>,
    pub(super) shipping_address: Option<AddressWire>,
    pub(super) billing_address: Option<AddressWire>,
    pub(super) line_items: Page<LineWire>,
    pub(super) fulfillments: Vec<FulfillmentBrief>,
    pub(super) fulfillment_orders: Nodes<FulfillmentOrderBriefWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FulfillmentOrderBriefWire {
    pub(super) status: FulfillmentOrderStatus,
    pub(super) fulfill_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderLines {
    pub(super) updated_at: Timestamp,
    pub(super) line_items: Page<LineWire>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AttributeWire {
    pub(super) key: String,
    pub(super) value: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MetafieldValue {
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MoneyBag {
    pub(super) shop_money: MoneyWire,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MoneyWire {
    pub(super) amount: Decimal,
    pub(super) currency_code: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ShippingLine {
    pub(super) title: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Customer {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddressWire {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) company: Option<String>,
    pub(super) address1: Option<String>,
    pub(super) address2: Option<String>,
    pub(super) city: Option<String>,
    pub(super) province_code: Option<String>,
    pub(super) zip: Option<String>,
    pub(super) country_code_v2: Option<String>,
    pub(super) phone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineWire {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) sku: Option<String>,
    pub(super) current_quantity: u32,
    pub(super) requires_shipping: bool,
    pub(super) custom_attributes: Vec<AttributeWire>,
    pub(super) original_unit_price_set: MoneyBag,
    pub(super) variant: Option<HasId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FulfillmentBrief {
    pub(super) id: String,
    pub(super) status: FulfillmentState,
    pub(super) tracking_info: Vec<TrackingWire>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TrackingWire {
    pub(super) company: Option<String>,
    pub(super) number: Option<String>,
    pub(super) url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderCreateData {
    pub(super) order_create: OrderCreatePayload,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderCreatePayload {
    pub(super) order: Option<OrderName>,
    pub(super) user_errors: Vec<UserError>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderName {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) source_identifier: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderByKeyData {
    pub(super) order_by_identifier: Option<OrderName>,
    pub(super) orders: Nodes<OrderName>,
    pub(super) metafield_definition: Option<HasId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceOrderWire {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) updated_at: Timestamp,
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) fulfillments: Vec<SourceFulfillmentWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceFulfillmentWire {
    pub(super) id: String,
    pub(super) status: FulfillmentState,
    pub(super) location: Option<HasId>,
    pub(super) tracking_info: Vec<TrackingWire>,
    pub(super) fulfillment_line_items: Page<SourceLineWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceLineWire {
    pub(super) quantity: Option<u32>,
    pub(super) line_item: LineProperties,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineProperties {
    pub(super) custom_attributes: Vec<AttributeWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DestinationOrderWire {
    pub(super) updated_at: Timestamp,
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) fulfillments: Vec<ShownFulfillmentWire>,
    pub(super) fulfillment_orders: Page<FulfillmentOrderWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FulfillmentsWire {
    pub(super) fulfillments: Vec<ShownFulfillmentWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownFulfillmentWire {
    pub(super) id: String,
    pub(super) status: FulfillmentState,
    /// Asked for only where it is told on.
    #[serde(default)]
    pub(super) service: Option<ServiceWire>,
    pub(super) tracking_info: Vec<TrackingWire>,
    pub(super) fulfillment_line_items: Page<ShownLineWire>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ServiceWire {
    pub(super) handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownLineWire {
    pub(super) quantity: Option<u32>,
    pub(super) line_item: HasId,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FulfillmentOrderWire {
    pub(super) id: String,
    pub(super) status: FulfillmentOrderStatus,
    pub(super) assigned_location: AssignedLocation,
    pub(super) delivery_method: Option<DeliveryMethod>,
    pub(super) supported_actions: Vec<SupportedAction>,
    pub(super) line_items: Page<FulfillmentOrderLineWire>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AssignedLocation {
    pub(super) location: Option<HasId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryMethod {
    pub(super) method_type: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct SupportedAction {
    pub(super) action: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FulfillmentOrderLineWire {
    pub(super) id: String,
    pub(super) remaining_quantity: u32,
    pub(super) line_item: HasId,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FulfillmentCreateData {
    pub(super) fulfillment_create: FulfillmentCreatePayload,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FulfillmentCreatePayload {
    pub(super) fulfillment: Option<HasId>,
    pub(super) user_errors: Vec<UserError>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrackingUpdateData {
    pub(super) fulfillment_tracking_info_update: UserErrorsOnly,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderCancelData {
    pub(super) order_cancel: OrderCancelPayload,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderCancelPayload {
    pub(super) order_cancel_user_errors: Vec<UserError>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagsAddData {
    pub(super) tags_add: UserErrorsOnly,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagsRemoveData {
    pub(super) tags_remove: UserErrorsOnly,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FulfillmentOrderOwnerData {
    pub(super) fulfillment_order: Option<FulfillmentOrderOwner>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FulfillmentOrderOwner {
    pub(super) order: HasId,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShopFactsData {
    pub(super) shop: ShopWire,
    pub(super) current_app_installation: AppInstallation,
    pub(super) locations: Page<LocationWire>,
    pub(super) metafield_definition: Option<HasId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShopWire {
    pub(super) name: String,
    pub(super) contact_email: Option<String>,
    pub(super) currency_code: String,
    pub(super) iana_timezone: String,
    pub(super) plan: Plan,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    pub(super) partner_development: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppInstallation {
    pub(super) access_scopes: Vec<AccessScope>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AccessScope {
    pub(super) handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LocationWire {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_active: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DefinitionCreateData {
    pub(super) metafield_definition_create: UserErrorsOnly,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionCreateData {
    pub(super) webhook_subscription_create: UserErrorsOnly,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionDeleteData {
    pub(super) webhook_subscription_delete: UserErrorsOnly,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserErrorsOnly {
    pub(super) user_errors: Vec<UserError>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionsData {
    pub(super) webhook_subscriptions: Page<SubscriptionWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionWire {
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) uri: String,
    pub(super) format: String,
    pub(super) filter: Option<String>,
    pub(super) include_fields: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OrdersData {
    pub(super) orders: Page<OrderSightWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderSightWire {
    pub(super) id: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) display_financial_status: Option<FinancialStatus>,
    pub(super) display_fulfillment_status: FulfillmentStatus,
    pub(super) fulfillments: Vec<FulfillmentBrief>,
}
