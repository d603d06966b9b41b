//! Tracking that is to be shown again, as a merchant asks for it.

use roundtrip_domain::record::{OrderRecord, Row};
use roundtrip_domain::step::{Failure, Step};
use roundtrip_domain::writeback::{Phase, WritebackState};

use super::*;

impl Scene {
    /// A paid order that is known, whose one shipment is shown, or failed of `code`.
    async fn shipped(&self, id: u64, code: Option<Code>) {
        let order = paid_order(id, self.world.clock.now());
        let at = order.at.clone();
        self.world.channel.shop(&moon(), |shop| shop.orders.insert(at.id, order));
        let task = Task::new(Trigger::Webhook, "e", Subject::Order(at.clone()));
        push_order(&self.world, &task).await.unwrap();
        let mut record: OrderRecord = self.world.ledger.load(&at).await.unwrap();
        let now = Timestamp::now();
        let mut step = Step::new(WritebackState::pending());
        match code {
            Some(code) => {
                step.fail(Failure { at: now, code, message: "no".into(), request_id: None }, |_| Duration::ZERO);
                step.park(code, now, now, None);
                step.announced();
                let summary = record.summary.as_mut().unwrap().change();
                summary.system_tags.insert("Failed Shipment Notification".into());
            }
            None => step.state.phase = Phase::Written { tracking: Vec::new(), at: now },
        }
        let shipment = format!("writeback/sun.myshopify.com/{}/9", id + 7000).parse().unwrap();
        let StepId::Writeback(shipment) = shipment else { unreachable!("a writeback") };
        record.writebacks.insert(shipment, Row::new(step));
        self.world.ledger.save(&mut [&mut record]).await.unwrap();
    }

    async fn retry(&self, body: Value) -> (u16, Value) {
        let mut all = json!({ "shop": moon() });
        all.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap());
        self.send("POST", "/v1/writebacks/retry", all).await
    }

    /// Three whose tracking failed, and one whose tracking is shown.
    async fn with_failed() -> Self {
        let scene = Self::start().await;
        for id in [51, 52, 53] {
            scene.shipped(id, Some(Code::LocationUnmapped)).await;
        }
        scene.shipped(54, None).await;
        scene
    }
}

fn ids(problem: &Value) -> Vec<&str> {
    problem["orders"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_retry_shows_its_list_first_and_goes_once_it_is_confirmed() {
    let scene = Scene::with_failed().await;

    let (status, problem) = scene.retry(json!({ "orders": ["51", "52", "53", "51"] })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("CONFIRM_REQUIRED")), "{problem:#}");
    assert_eq!(ids(&problem), ["51", "52", "53"]);
    assert_eq!(problem["orders"][0], json!({ "id": "51", "name": "#51", "failed": ["LOCATION_UNMAPPED"] }));
    let (status, begun) = scene.retry(json!({ "orders": ["51", "52", "53"], "confirm": true })).await;
    assert_eq!((status, &begun["matched"], &begun["failed"]), (202, &json!(3), &json!(3)), "{begun:#}");

    let path = format!("/v1/jobs/{}", begun["job_id"].as_str().unwrap());
    let (_, job) = scene.send("GET", &path, Value::Null).await;
    let told = ["kind", "state", "total", "sent", "running", "done", "verdict"].map(|field| job[field].clone());
    assert_eq!(json!(told), json!(["resend", "running", 3, 3, 3, 0, "tracking written back for 0 of 3"]), "{job:#}");
    let (status, again) = scene.retry(json!({ "orders": ["51"], "confirm": true })).await;
    assert_eq!((status, &again["failed"]), (202, &json!(1)), "it has not come there yet: {again:#}");
}

#[tokio::test]
async fn an_order_that_has_not_failed_is_sent_again_only_if_somebody_knows_that() {
    let scene = Scene::with_failed().await;

    let (status, problem) = scene.retry(json!({ "orders": ["51", "54"], "confirm": true })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("ACK_REQUIRED")));
    assert_eq!((ids(&problem), &problem["field"]), (vec!["54"], &json!("acknowledge_not_failed")));
    let body = json!({ "orders": ["51", "54"], "confirm": true, "acknowledge_not_failed": true, "reason": "she asks" });
    let (status, begun) = scene.retry(body).await;

    assert_eq!((status, &begun["matched"], &begun["failed"]), (202, &json!(2), &json!(1)), "{begun:#}");
    let (_, order) = scene.send("GET", &format!("/v1/shops/{}/orders/54", moon()), Value::Null).await;
    let history = order["history"].as_array().unwrap();
    let told = history.iter().find(|event| event["after"] == "resend requested").unwrap();
    assert_eq!((&told["actor"], &told["detail"]), (&json!("ada"), &json!("she asks")));
    let writeback = &order["writebacks"][0];
    assert_eq!(
        (&writeback["state"], &writeback["wait"]["why"]),
        (&json!("written"), &json!("resend")),
        "{writeback:#}"
    );
}

#[tokio::test]
async fn many_are_found_by_their_tag_and_by_whether_they_were_shipped() {
    let scene = Scene::with_failed().await;
    let tag = "Failed Shipment Notification";

    let (status, problem) = scene.retry(json!({ "tag": tag, "shipped": true })).await;

    assert_eq!((status, &problem["code"]), (409, &json!("CONFIRM_REQUIRED")), "{problem:#}");
    let mut found = ids(&problem);
    found.sort_unstable();
    assert_eq!(found, ["51", "52", "53"]);
    assert_eq!(scene.retry(json!({ "tag": "no such tag" })).await.0, 404);
}

#[tokio::test]
async fn a_retry_that_says_not_which_is_refused_by_its_field() {
    let scene = Scene::with_failed().await;
    let many: Vec<String> = (1..=251).map(|id: u32| id.to_string()).collect();

    for (body, status, field) in [
        (json!({}), 400, "orders"),
        (json!({ "orders": ["51"], "tag": "x" }), 400, "orders"),
        (json!({ "orders": many }), 400, "orders"),
        (json!({ "orders": ["4711"] }), 404, "orders"),
        (json!({ "orders": ["x"] }), 400, "orders[0]"),
        (json!({ "orders": ["51"], "reason": "" }), 400, "reason"),
        (json!({ "orders": ["51"], "confirm": "yes" }), 400, "confirm"),
    ] {
        let (answered, problem) = scene.retry(body.clone()).await;
        assert_eq!((answered, &problem["field"]), (status, &json!(field)), "{body}: {problem:#}");
    }
}
