//! The shop itself, its locations, and the app in it.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::scalars::{UnsignedInt64, Url};
use crate::codes::CurrencyCode;
use crate::state::{self, gid};

#[derive(SimpleObject)]
pub(crate) struct Shop {
    id: ID,
    name: String,
    myshopify_domain: String,
    primary_domain: Domain,
    email: String,
    contact_email: String,
    currency_code: CurrencyCode,
    iana_timezone: String,
    plan: ShopPlan,
}

#[derive(SimpleObject)]
pub(crate) struct Domain {
    host: String,
    url: Url,
}

#[derive(SimpleObject)]
pub(crate) struct ShopPlan {
    public_display_name: String,
    partner_development: bool,
    shopify_plus: bool,
}

impl From<&state::Shop> for Shop {
    fn from(shop: &state::Shop) -> Self {
        Self {
            id: gid("Shop", shop.id).into(),
            name: shop.name.clone(),
            myshopify_domain: shop.domain.clone(),
            primary_domain: Domain { host: shop.domain.clone(), url: Url(format!("https://{}", shop.domain)) },
            email: shop.contact_email.clone(),
            contact_email: shop.contact_email.clone(),
            currency_code: shop.currency,
            iana_timezone: shop.timezone.clone(),
            plan: ShopPlan {
                public_display_name: shop.plan.clone(),
                partner_development: shop.partner_development,
                shopify_plus: shop.plan.contains("Plus"),
            },
        }
    }
}

pub(crate) struct Location(pub(crate) state::Location);

#[Object]
impl Location {
    async fn id(&self) -> ID {
        gid("Location", self.0.id).into()
    }
    async fn legacy_resource_id(&self) -> UnsignedInt64 {
        UnsignedInt64(self.0.id)
    }
    async fn name(&self) -> &str {
        &self.0.name
    }
    async fn is_active(&self) -> bool {
        self.0.active
    }
    async fn fulfills_online_orders(&self) -> bool {
        self.0.active
    }
    async fn has_active_inventory(&self) -> bool {
        self.0.active
    }
    async fn ships_inventory(&self) -> bool {
        self.0.active
    }
    async fn is_fulfillment_service(&self) -> bool {
        false
    }
}

#[derive(SimpleObject)]
pub(crate) struct AccessScope {
    handle: String,
    description: String,
}

pub(crate) struct AppInstallation(pub(crate) u64);

#[Object]
impl AppInstallation {
    async fn id(&self) -> ID {
        gid("AppInstallation", self.0).into()
    }
    async fn launch_url(&self) -> Url {
        Url("https://app.example/".to_owned())
    }
    async fn access_scopes(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AccessScope>> {
        let scopes = &ctx.data::<super::Caller>()?.engine.config.scopes;
        Ok(scopes
            .iter()
            .map(|handle| AccessScope { handle: handle.clone(), description: handle.replace('_', " ") })
            .collect())
    }
}
