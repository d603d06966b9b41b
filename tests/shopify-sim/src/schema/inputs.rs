//! What `orderCreate` and the fulfillment mutations take.

use async_graphql::{ID, InputObject, OneofObject};

use super::scalars::{DateTime, Decimal, Url};
use crate::codes::{CountryCode, CurrencyCode};
use crate::state;
use crate::words::{
    MetafieldOwnerType, OrderCreateFinancialStatus, OrderCreateFulfillmentStatus, OrderCreateInputsInventoryBehavior,
    OrderTransactionKind, OrderTransactionStatus,
};

macro_rules! inputs {
    ($($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $field:ident: $ty:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(InputObject)]
        pub(crate) struct $name { $($(#[$meta])* pub(crate) $field: $ty),* }
    )*};
}

inputs! {
    OrderCreateOrderInput {
        name: Option<String>,
        email: Option<String>,
        phone: Option<String>,
        note: Option<String>,
        tags: Option<Vec<String>>,
        test: Option<bool>,
        po_number: Option<String>,
        source_name: Option<String>,
        source_identifier: Option<String>,
        source_url: Option<Url>,
        processed_at: Option<DateTime>,
        currency: Option<CurrencyCode>,
        presentment_currency: Option<CurrencyCode>,
        financial_status: Option<OrderCreateFinancialStatus>,
        fulfillment_status: Option<OrderCreateFulfillmentStatus>,
        custom_attributes: Option<Vec<OrderCreateCustomAttributeInput>>,
        line_items: Option<Vec<OrderCreateLineItemInput>>,
        shipping_lines: Option<Vec<OrderCreateShippingLineInput>>,
        shipping_address: Option<MailingAddressInput>,
        billing_address: Option<MailingAddressInput>,
        customer: Option<OrderCreateCustomerInput>,
        metafields: Option<Vec<MetafieldInput>>,
        discount_code: Option<OrderCreateDiscountCodeInput>,
        tax_lines: Option<Vec<OrderCreateTaxLineInput>>,
        taxes_included: Option<bool>,
        transactions: Option<Vec<OrderCreateOrderTransactionInput>>,
        buyer_accepts_marketing: Option<bool>,
    }
    OrderCreateOptionsInput {
        inventory_behaviour: Option<OrderCreateInputsInventoryBehavior>,
        send_receipt: Option<bool>,
        send_fulfillment_receipt: Option<bool>,
    }
    OrderCreateLineItemInput {
        variant_id: Option<ID>,
        product_id: Option<ID>,
        quantity: i32,
        price_set: Option<MoneyBagInput>,
        properties: Option<Vec<OrderCreateLineItemPropertyInput>>,
        /// Shopify's default is `false`, also for a variant that must be shipped.
        requires_shipping: Option<bool>,
        taxable: Option<bool>,
        gift_card: Option<bool>,
        sku: Option<String>,
        title: Option<String>,
        variant_title: Option<String>,
        vendor: Option<String>,
        tax_lines: Option<Vec<OrderCreateTaxLineInput>>,
    }
    OrderCreateLineItemPropertyInput { name: String, value: String, }
    OrderCreateCustomAttributeInput { key: String, value: String, }
    OrderCreateShippingLineInput {
        title: String,
        code: Option<String>,
        source: Option<String>,
        price_set: MoneyBagInput,
        tax_lines: Option<Vec<OrderCreateTaxLineInput>>,
    }
    OrderCreateTaxLineInput { title: String, rate: Decimal, price_set: Option<MoneyBagInput>, channel_liable: Option<bool>, }
    OrderCreateUpsertCustomerAttributesInput {
        id: Option<ID>,
        email: Option<String>,
        phone: Option<String>,
        first_name: Option<String>,
        last_name: Option<String>,
        note: Option<String>,
        tags: Option<Vec<String>>,
        tax_exempt: Option<bool>,
    }
    OrderCreateAssociateCustomerAttributesInput { id: Option<ID>, email: Option<String>, }
    OrderCreateDiscountCodeInput {
        free_shipping_discount_code: Option<OrderCreateFreeShippingDiscountCodeAttributesInput>,
        item_fixed_discount_code: Option<OrderCreateFixedDiscountCodeAttributesInput>,
        item_percentage_discount_code: Option<OrderCreatePercentageDiscountCodeAttributesInput>,
    }
    OrderCreateFreeShippingDiscountCodeAttributesInput { code: String, }
    OrderCreateFixedDiscountCodeAttributesInput { code: String, amount_set: Option<MoneyBagInput>, }
    OrderCreatePercentageDiscountCodeAttributesInput { code: String, percentage: Option<f64>, }
    OrderCreateOrderTransactionInput {
        amount_set: MoneyBagInput,
        gateway: Option<String>,
        kind: Option<OrderTransactionKind>,
        status: Option<OrderTransactionStatus>,
        test: Option<bool>,
        processed_at: Option<DateTime>,
    }
    MailingAddressInput {
        first_name: Option<String>,
        last_name: Option<String>,
        company: Option<String>,
        address1: Option<String>,
        address2: Option<String>,
        city: Option<String>,
        province_code: Option<String>,
        zip: Option<String>,
        country_code: Option<CountryCode>,
        phone: Option<String>,
    }
    MetafieldInput {
        id: Option<ID>,
        namespace: Option<String>,
        key: Option<String>,
        #[graphql(name = "type")]
        kind: Option<String>,
        value: Option<String>,
    }
    MoneyBagInput { shop_money: MoneyInput, presentment_money: Option<MoneyInput>, }
    MoneyInput { amount: Decimal, currency_code: CurrencyCode, }
    FulfillmentInput {
        line_items_by_fulfillment_order: Vec<FulfillmentOrderLineItemsInput>,
        tracking_info: Option<FulfillmentTrackingInput>,
        notify_customer: Option<bool>,
        origin_address: Option<FulfillmentOriginAddressInput>,
    }
    FulfillmentOrderLineItemsInput {
        fulfillment_order_id: ID,
        fulfillment_order_line_items: Option<Vec<FulfillmentOrderLineItemInput>>,
    }
    FulfillmentOrderLineItemInput { id: ID, quantity: i32, }
    FulfillmentTrackingInput {
        company: Option<String>,
        number: Option<String>,
        url: Option<Url>,
        numbers: Option<Vec<String>>,
        urls: Option<Vec<Url>>,
    }
    FulfillmentOriginAddressInput {
        address1: Option<String>,
        address2: Option<String>,
        city: Option<String>,
        zip: Option<String>,
        province_code: Option<String>,
        country_code: String,
    }
    UniqueMetafieldValueInput { namespace: Option<String>, key: String, value: String, }
    MetafieldDefinitionIdentifierInput { owner_type: MetafieldOwnerType, namespace: Option<String>, key: String, }
    MetafieldDefinitionInput {
        name: String,
        namespace: Option<String>,
        key: String,
        description: Option<String>,
        #[graphql(name = "type")]
        kind: String,
        owner_type: MetafieldOwnerType,
        pin: Option<bool>,
    }
}

#[derive(OneofObject)]
pub(crate) enum OrderCreateCustomerInput {
    ToAssociate(OrderCreateAssociateCustomerAttributesInput),
    ToUpsert(OrderCreateUpsertCustomerAttributesInput),
}

#[derive(OneofObject)]
pub(crate) enum OrderIdentifierInput {
    Id(ID),
    CustomId(UniqueMetafieldValueInput),
}

impl From<MoneyInput> for state::Money {
    fn from(money: MoneyInput) -> Self {
        Self { amount: money.amount.0, currency: money.currency_code }
    }
}

impl From<MoneyBagInput> for state::MoneyBag {
    fn from(bag: MoneyBagInput) -> Self {
        let shop = bag.shop_money.into();
        Self { shop, presentment: bag.presentment_money.map_or(shop, state::Money::from) }
    }
}

impl From<MailingAddressInput> for state::MailingAddress {
    fn from(it: MailingAddressInput) -> Self {
        Self {
            first_name: it.first_name,
            last_name: it.last_name,
            company: it.company,
            address1: it.address1,
            address2: it.address2,
            city: it.city,
            province_code: it.province_code,
            zip: it.zip,
            country_code: it.country_code,
            phone: it.phone,
        }
    }
}

impl From<FulfillmentTrackingInput> for crate::change::NewTracking {
    /// The singular fields come first where both are given.
    fn from(it: FulfillmentTrackingInput) -> Self {
        let numbers = it.number.into_iter().chain(it.numbers.into_iter().flatten()).collect();
        let urls = it.url.into_iter().chain(it.urls.into_iter().flatten()).map(|url| url.0).collect();
        Self { company: it.company, numbers, urls }
    }
}
