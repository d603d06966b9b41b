//! A shop with one question asked of it at a time.

use serde_json::{Value, json};
use shopify_sim::control::{NewShop, PlaceOrder, ShopView};
use shopify_sim::{Sim, SimClient, SimConfig};

pub(crate) const DOMAIN: &str = "moon-shop.myshopify.com";

/// Our own documents, so that the simulator cannot fall behind them.
macro_rules! query {
    ($name:literal) => {
        include_str!(concat!("../../../../shared/connectors/src/shopify/queries/", $name, ".graphql"))
    };
}
pub(crate) use query;

pub(crate) struct Shop {
    pub(crate) sim: Sim,
    pub(crate) client: SimClient,
    pub(crate) view: ShopView,
    http: reqwest::Client,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(SimConfig::default(), NewShop::selling(DOMAIN, &["MOON-1", "MOON-2"])).await
    }

    pub(crate) async fn open_with(config: SimConfig, new: NewShop) -> Self {
        let sim = Sim::start(config).await.unwrap();
        let client = sim.client();
        let view = client.create_shop(&new).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sim, client, view, http }
    }

    pub(crate) async fn send(&self, query: &str, variables: Value) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}/{DOMAIN}/admin/api/2026-10/graphql.json", self.sim.url());
        let token = self.view.access_token.clone().unwrap();
        self.http
            .post(url)
            .header("X-Shopify-Access-Token", token)
            .json(&json!({"query": query, "variables": variables}))
            .send()
            .await
    }

    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        self.send(query, variables).await.unwrap().json().await.unwrap()
    }

    /// Places an order and returns its gid.
    pub(crate) async fn place(&self, lines: &[(&str, u32)]) -> String {
        self.client.place_order(DOMAIN, &PlaceOrder::of(lines)).await.unwrap().gid
    }

    /// An order as an app makes it, with a key.
    pub(crate) fn new_order(&self, key: &str) -> Value {
        json!({
            "order": {
                "email": "customer@example.com",
                "sourceIdentifier": key,
                "financialStatus": "PAID",
                "currency": "USD",
                "lineItems": [{
                    "variantId": self.view.variant_gid("MOON-1"), "quantity": 2, "requiresShipping": true,
                    "priceSet": {"shopMoney": {"amount": "12.00", "currencyCode": "USD"}},
                    "properties": [{"name": "_line", "value": "gid://shopify/LineItem/1"}],
                }],
                "shippingLines": [{"title": "Standard", "code": "std", "priceSet": {"shopMoney": {"amount": 5, "currencyCode": "USD"}}}],
                "shippingAddress": {"firstName": "Ada", "lastName": "Lovelace", "address1": "1 Row", "city": "Portland", "zip": "97201", "countryCode": "US"},
                "customer": {"toUpsert": {"firstName": "Ada", "email": "customer@example.com"}},
                "metafields": [{"key": "order_key", "type": "id", "value": key}],
                "tags": ["b", "a"],
            },
            "options": {"inventoryBehaviour": "BYPASS", "sendReceipt": false, "sendFulfillmentReceipt": false},
        })
    }

    pub(crate) async fn define_key(&self) {
        let definition =
            json!({"definition": {"name": "Order key", "key": "order_key", "type": "id", "ownerType": "ORDER"}});
        let answer = self.ask(query!("order_key_definition_create"), definition).await;
        assert_eq!(answer["data"]["metafieldDefinitionCreate"]["userErrors"], json!([]), "{answer}");
    }

    pub(crate) async fn by_key(&self, key: &str) -> Value {
        let variables = json!({
            "identifier": {"customId": {"key": "order_key", "value": key}},
            "search": format!("source_identifier:'{key}'"),
            "definition": {"ownerType": "ORDER", "key": "order_key"},
        });
        self.ask(query!("order_by_key"), variables).await
    }
}
