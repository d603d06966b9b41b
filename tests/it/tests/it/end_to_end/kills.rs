//! Workers die at any moment, and messages make no sense: nothing is lost, and the others go through.

use std::time::Duration;

use roundtrip_domain::push::PushState;
use roundtrip_domain::writeback::Phase;
use roundtrip_kit::scene::{SOON, Scene};
use roundtrip_kit::stack::eventually;
use serde_json::json;
use shopify_sim::faults::{Fault, FaultRule};

/// Moments before each kill, in milliseconds: random once, the same in each run.
const MOMENTS: [u64; 10] = [310, 1170, 90, 640, 1490, 220, 870, 30, 1310, 480];

/// `kill -9` for each process of a function.
pub(super) fn kill_workers(bin: &str) -> usize {
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        let function = format!("AWS_LAMBDA_FUNCTION_NAME=roundtrip-local-{bin}");
        let is_worker = environment.split(|byte| *byte == 0).any(|variable| variable == function.as_bytes());
        if is_worker && std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success() {
            killed += 1;
        }
    }
    killed
}

#[tokio::test]
async fn ten_kills_at_random_moments_lose_nothing_and_double_nothing() {
    let scene = Scene::new(true).await;
    let (mut killed_pushing, mut killed_writing) = (0, 0);

    let mut orders = Vec::new();
    for moment in &MOMENTS[..5] {
        for _ in 0..3 {
            orders.push(scene.place().await);
        }
        tokio::time::sleep(Duration::from_millis(*moment)).await;
        killed_pushing += kill_workers("order-push");
    }
    scene
        .run_until("all are pushed", Duration::from_secs(150), || async {
            for order in &orders {
                let record = scene.record(order.id).await;
                let confirmed = |state: &PushState| matches!(state, PushState::Confirmed { .. });
                if !record.pushes.values().any(|row| confirmed(&row.get().state)) {
                    return false;
                }
            }
            true
        })
        .await;
    let sources = scene.source_orders().await;
    assert_eq!(sources.len(), orders.len(), "one source order each");

    for (group, moment) in sources.chunks(3).zip(&MOMENTS[5..]) {
        for source in group {
            scene.ship(source, &format!("94001118992231{:08}", source.id % 100_000_000)).await;
        }
        tokio::time::sleep(Duration::from_millis(*moment)).await;
        killed_writing += kill_workers("tracking-writeback");
    }
    scene
        .run_until("all are written back", Duration::from_secs(150), || async {
            for order in &orders {
                let record = scene.record(order.id).await;
                let written = |phase: &Phase| matches!(phase, Phase::Written { .. });
                if !record.writebacks.values().any(|row| written(&row.get().state.phase)) {
                    return false;
                }
            }
            true
        })
        .await;

    assert!(killed_pushing >= 3 && killed_writing >= 3, "{killed_pushing} and {killed_writing} workers were killed");
    for order in &orders {
        let home = scene.destination_order(order.id).await;
        let number = home.fulfillments[0].tracking_info[0].number.clone().unwrap();
        let seen = (home.fulfillments.len(), home.shipping_mails(), home.mails_about(&number));
        assert_eq!(seen, (1, 1, 1), "{}: {:?}", order.name, home.mails);
    }
    // The killed workers' messages come back after their visibility timeout, and change nothing.
    scene.stack.messages.settle(Duration::from_secs(120)).await;
    assert_eq!(scene.source_orders().await.len(), orders.len());
}

#[tokio::test]
async fn a_batch_of_ten_with_one_poison_message_delivers_nine() {
    let scene = Scene::new(false).await;
    scene.go_silent(&scene.moon).await;
    let mut orders = Vec::new();
    for _ in 0..9 {
        orders.push(scene.place().await);
    }
    let task = |id: u64| {
        json!({ "v": 1, "trigger": "webhook", "cause_id": "batch", "subject":
            { "type": "order", "shop": scene.moon, "id": id.to_string() } })
        .to_string()
    };
    let mut batch: Vec<String> = orders.iter().map(|order| task(order.id)).collect();
    batch.insert(4, r#"{"v":1,"subject":"poison"}"#.to_owned());

    scene.stack.messages.send("order-push", &batch).await;

    for order in &orders {
        eventually(&format!("{} is known", order.name), SOON, || scene.ledger_order(order)).await;
    }
    // The nine are taken off when the worker has said so, and the poison is kept, to be tried again.
    eventually("nine are delivered", SOON, || async {
        (scene.left_behind().await.get("order-push") == Some(&1)).then_some(())
    })
    .await;
    scene.stack.messages.purge("order-push").await;
    scene.sim().clear_faults().await.unwrap();
}

#[tokio::test]
async fn a_resync_whose_worker_is_killed_while_the_store_answers_goes_on_and_finds_all() {
    let scene = Scene::new(true).await;
    scene.resynced(&scene.moon).await;
    scene.go_silent(&scene.moon).await;
    let mut missed = Vec::new();
    for _ in 0..3 {
        missed.push(scene.place().await);
    }
    // So long a webhook may be on its way: WebhookDelaySecs of the stack on this machine.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let held = FaultRule::next(&scene.moon, "OrdersPage", Fault::HoldAnswer { ms: 60_000 });
    scene.sim().add_fault(&held).await.unwrap();

    let path = format!("/v1/shops/{}/resync", scene.moon);
    let begun = scene.stack.api.post(&path, json!({})).await;
    eventually("the store is about to answer", SOON, || async {
        (!scene.sim().held().await.unwrap().is_empty()).then_some(())
    })
    .await;
    assert!(kill_workers("resync") >= 1);
    scene.sim().release_held().await.unwrap();

    let ended = scene.run_of(&scene.moon, &begun.body).await;

    assert_eq!((&ended["found"], &ended["fixed"]), (&json!(3), &json!(3)), "{ended:#}");
    for order in &missed {
        scene.pushed(order).await;
    }
    scene.stack.messages.settle(Duration::from_secs(120)).await;
}
