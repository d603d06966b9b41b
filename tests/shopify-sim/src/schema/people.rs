//! Customers and addresses.

use async_graphql::{ID, SimpleObject};

use super::scalars::UnsignedInt64;
use crate::codes::CountryCode;
use crate::state::{self, gid};

#[derive(SimpleObject)]
pub(crate) struct MailingAddress {
    id: ID,
    first_name: Option<String>,
    last_name: Option<String>,
    name: Option<String>,
    company: Option<String>,
    address1: Option<String>,
    address2: Option<String>,
    city: Option<String>,
    province: Option<String>,
    province_code: Option<String>,
    zip: Option<String>,
    country: Option<String>,
    country_code_v2: Option<CountryCode>,
    phone: Option<String>,
}

impl MailingAddress {
    pub(crate) fn new(order_id: u64, address: &state::MailingAddress) -> Self {
        Self {
            id: gid("MailingAddress", order_id).into(),
            first_name: address.first_name.clone(),
            last_name: address.last_name.clone(),
            name: address.name(),
            company: address.company.clone(),
            address1: address.address1.clone(),
            address2: address.address2.clone(),
            city: address.city.clone(),
            province: address.province_code.clone(),
            province_code: address.province_code.clone(),
            zip: address.zip.clone(),
            country: address.country_code.map(crate::words::word),
            country_code_v2: address.country_code,
            phone: address.phone.clone(),
        }
    }
}

#[derive(SimpleObject)]
pub(crate) struct CustomerEmailAddress {
    email_address: String,
}

#[derive(SimpleObject)]
pub(crate) struct CustomerPhoneNumber {
    phone_number: String,
}

#[derive(SimpleObject)]
pub(crate) struct Customer {
    id: ID,
    legacy_resource_id: UnsignedInt64,
    first_name: Option<String>,
    last_name: Option<String>,
    display_name: String,
    default_email_address: Option<CustomerEmailAddress>,
    default_phone_number: Option<CustomerPhoneNumber>,
}

impl From<&state::Customer> for Customer {
    fn from(it: &state::Customer) -> Self {
        let names: Vec<&str> = [&it.first_name, &it.last_name].into_iter().flatten().map(String::as_str).collect();
        Self {
            id: gid("Customer", it.id).into(),
            legacy_resource_id: UnsignedInt64(it.id),
            first_name: it.first_name.clone(),
            last_name: it.last_name.clone(),
            display_name: names.join(" "),
            default_email_address: it.email.clone().map(|email_address| CustomerEmailAddress { email_address }),
            default_phone_number: it.phone.clone().map(|phone_number| CustomerPhoneNumber { phone_number }),
        }
    }
}
