//! Faults on command.

use std::time::Duration;

use serde_json::{Value, json};
use shopify_sim::faults::{Chaos, Fault, FaultRule, UserErrorSpec};

use crate::shop::{DOMAIN, Shop, query};

async fn orders(shop: &Shop) -> usize {
    shop.client.orders(DOMAIN).await.unwrap().len()
}

async fn arm(shop: &Shop, fault: Fault) {
    shop.client.add_fault(&FaultRule::next(DOMAIN, "OrderCreate", fault)).await.unwrap();
}

async fn whole_answer(shop: &Shop) -> reqwest::Result<Value> {
    shop.send(query!("order_create"), shop.new_order("key")).await?.json().await
}

#[tokio::test]
async fn a_lost_answer_has_done_its_work() {
    let shop = Shop::open().await;
    arm(&shop, Fault::LoseAnswer { hang_ms: 0 }).await;

    let lost = whole_answer(&shop).await;

    assert!(lost.is_err());
    assert_eq!(orders(&shop).await, 1);
    assert_eq!(shop.client.call_count(DOMAIN, "OrderCreate").await.unwrap(), 1);
    assert!(whole_answer(&shop).await.is_ok(), "only one call was to fail");
}

#[tokio::test]
async fn a_caller_that_times_out_may_have_had_its_effect_or_not() {
    let shop = Shop::open().await;
    let patience = Duration::from_millis(300);

    arm(&shop, Fault::Hang { ms: 60_000 }).await;
    let before = tokio::time::timeout(patience, whole_answer(&shop)).await;
    let after_the_first = orders(&shop).await;
    arm(&shop, Fault::LoseAnswer { hang_ms: 60_000 }).await;
    let after = tokio::time::timeout(patience, whole_answer(&shop)).await;

    assert!(before.is_err() && after.is_err());
    assert_eq!((after_the_first, orders(&shop).await), (0, 1));
}

#[tokio::test]
async fn an_internal_error_may_come_after_the_effect_and_names_its_request() {
    let shop = Shop::open().await;
    arm(&shop, Fault::InternalError { effect: true }).await;

    let response = shop.send(query!("order_create"), shop.new_order("key")).await.unwrap();

    let header = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["requestId"], header);
    assert_eq!(answer["data"], Value::Null);
    assert_eq!(orders(&shop).await, 1);
}

#[tokio::test]
async fn a_late_call_lands_after_its_caller_gave_up() {
    let shop = Shop::open().await;
    arm(&shop, Fault::LandLate { ms: 150 }).await;

    let lost = whole_answer(&shop).await;
    let at_once = orders(&shop).await;
    tokio::time::sleep(Duration::from_millis(300)).await;

    assert!(lost.is_err());
    assert_eq!((at_once, orders(&shop).await), (0, 1));
}

#[tokio::test]
async fn a_held_answer_has_done_its_work_and_goes_out_when_released() {
    let shop = Shop::open().await;
    arm(&shop, Fault::HoldAnswer { ms: 10_000 }).await;

    let release = async {
        while shop.client.held().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let done = orders(&shop).await;
        shop.client.release_held().await.unwrap();
        done
    };
    let (answer, done) = tokio::join!(whole_answer(&shop), release);

    assert_eq!(done, 1);
    assert_eq!(answer.unwrap()["data"]["orderCreate"]["order"]["name"], "#1001");
}

#[tokio::test]
async fn faults_before_the_effect_have_none() {
    let shop = Shop::open().await;

    arm(&shop, Fault::Status { status: 503, retry_after_secs: Some(2) }).await;
    let unavailable = shop.send(query!("order_create"), shop.new_order("key")).await.unwrap();
    assert_eq!((unavailable.status().as_u16(), unavailable.headers()["retry-after"].to_str().unwrap()), (503, "2"));
    arm(&shop, Fault::Status { status: 429, retry_after_secs: Some(1) }).await;
    assert_eq!(shop.send(query!("order_create"), shop.new_order("key")).await.unwrap().status(), 429);
    arm(&shop, Fault::Hang { ms: 20 }).await;
    assert!(whole_answer(&shop).await.is_err());
    arm(&shop, Fault::Throttled).await;
    assert_eq!(whole_answer(&shop).await.unwrap()["errors"][0]["extensions"]["code"], "THROTTLED");
    arm(&shop, Fault::AccessDenied { scope: "write_orders".to_owned() }).await;
    assert_eq!(whole_answer(&shop).await.unwrap()["errors"][0]["extensions"]["code"], "ACCESS_DENIED");
    arm(&shop, Fault::InternalError { effect: false }).await;
    assert_eq!(whole_answer(&shop).await.unwrap()["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    let refusal = UserErrorSpec {
        field: Some(vec!["order".to_owned()]),
        message: "No.".to_owned(),
        code: Some("INVALID".to_owned()),
    };
    arm(&shop, Fault::Reject { user_errors: vec![refusal] }).await;
    let rejected = whole_answer(&shop).await.unwrap();
    assert_eq!(
        rejected["data"]["orderCreate"],
        json!({"order": null, "userErrors": [{"code": "INVALID", "field": ["order"], "message": "No."}]})
    );

    assert_eq!(orders(&shop).await, 0);
}

#[tokio::test]
async fn chaos_is_the_same_for_the_same_seed() {
    let shop = Shop::open().await;
    let chaos =
        Chaos { shop: None, seed: 7, probability: 0.5, faults: vec![Fault::Throttled], webhook_faults: Vec::new() };

    let mut runs = Vec::new();
    for _ in 0..2 {
        shop.client.set_chaos(&chaos).await.unwrap();
        let mut run = Vec::new();
        for _ in 0..20 {
            run.push(shop.ask("query Q { shop { id } }", json!({})).await["errors"].is_array());
        }
        runs.push(run);
    }

    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&true) && runs[0].contains(&false));
}

/// What the shop says when the app asks for a token.
async fn grant(shop: &Shop) -> reqwest::Response {
    let url = format!("{}/{DOMAIN}/admin/oauth/access_token", shop.sim.url());
    let config = shop.sim.config();
    let body = json!({"grant_type": "client_credentials", "client_id": config.client_id, "client_secret": config.client_secret});
    reqwest::Client::new().post(url).json(&body).send().await.unwrap()
}

#[tokio::test]
async fn a_shop_without_the_app_grants_no_token_until_it_is_installed_again() {
    let shop = Shop::open().await;

    shop.client.uninstall(DOMAIN).await.unwrap();
    let refused = shop.send(query!("shop_facts"), json!({})).await.unwrap().status();
    let denied = grant(&shop).await.status();
    shop.client.install(DOMAIN).await.unwrap();
    let granted = grant(&shop).await.status();

    assert_eq!((refused.as_u16(), denied.as_u16(), granted.as_u16()), (401, 400, 200));
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_a_new_one_can_be_had() {
    let shop = Shop::open().await;
    shop.client.revoke_tokens(DOMAIN).await.unwrap();

    let refused = shop.send(query!("shop_facts"), json!({})).await.unwrap();
    let granted: Value = grant(&shop).await.json().await.unwrap();
    let client_id = shop.sim.config().client_id.clone();
    let form = format!("grant_type=client_credentials&client_id={client_id}&client_secret=wrong");
    let wrong = reqwest::Client::new()
        .post(format!("{}/{DOMAIN}/admin/oauth/access_token", shop.sim.url()))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();

    assert_eq!(refused.status(), 401);
    assert!(granted["access_token"].as_str().unwrap().starts_with("shpat_"));
    assert_eq!(granted["expires_in"], 86_399);
    assert_eq!(wrong.status(), 400);
}
