//! Dead letters found and set going again, by the command against the deployed stack.

use std::time::Duration;

use roundtrip_kit::scene::{SOON, Scene};
use roundtrip_kit::stack::eventually;
use serde_json::Value;
use shopify_sim::faults::{Fault, FaultRule, UserErrorSpec};

use super::command::{run, told};

#[tokio::test]
async fn what_a_store_refused_is_found_and_redriven_one_before_the_others() {
    let scene = Scene::new(true).await;
    let error = UserErrorSpec { field: None, message: "the sun takes no orders now".into(), code: None };
    let refuse = Fault::Reject { user_errors: vec![error] };
    let rule = FaultRule { count: 3, ..FaultRule::next(&scene.sun, "OrderCreate", refuse) };
    scene.sim().add_fault(&rule).await.unwrap();
    let mut orders = Vec::new();
    for _ in 0..3 {
        let order = scene.place().await;
        eventually("it is refused and parked", SOON, || async {
            (scene.ledger_order(&order).await?["pushes"][0]["parked"] == "REJECTED").then_some(())
        })
        .await;
        orders.push(order);
    }

    let listed = told(&scene, "dlq list --shop SUN --code rejected --since 1h").await;
    for order in &orders {
        assert!(listed.contains(&format!("{}/{}/push/{}/1@0", scene.moon, order.id, scene.sun)), "{listed}");
    }
    let first = format!("{}/{}/push/{}/1@0", scene.moon, orders[0].id, scene.sun);
    let shown = told(&scene, &format!("dlq show {first}")).await;
    assert!(shown.contains("REJECTED: ") && shown.contains("the sun takes no orders now"), "{shown}");
    let dry = told(&scene, "dlq redrive --shop MOON --dry-run").await;
    assert!(dry.starts_with("3 would be set going") && scene.source_orders().await.is_empty(), "{dry}");
    let nobody = run(&scene, "dlq redrive --dry-run").await;
    assert!(nobody.code == 1 && nobody.err.contains("all"), "{nobody:?}");

    // It may do all that it does, as its role stands: read what it tells of, and show again what stays on the queues.
    let ran = eventually("it looks at the three letters", SOON, || async {
        scene.stack.run_dead_letters().await.filter(|ran| ran["letters"]["seen"].as_u64() >= Some(3))
    })
    .await;
    let waits = &ran["waits"];
    assert!(waits["oldest_parked_secs"].is_u64() && waits["unowned"].is_u64(), "{waits:#}");

    let redrive = "dlq redrive --shop MOON --canary 1 --reason mended --wait";
    let minutes = async {
        loop {
            scene.stack.run_dead_letters().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let redriven = tokio::select! {
        ran = told(&scene, redrive) => ran,
        () = minutes => unreachable!("it goes on for ever"),
    };

    assert!(redriven.starts_with("3 of 3 done\n"), "{redriven}");
    assert_eq!(scene.source_orders().await.len(), 3);
    let listed = told(&scene, "dlq list --shop SUN").await;
    assert_eq!(listed, "nothing is parked\n");
    let gone = run(&scene, &format!("dlq show {first}")).await;
    assert!(gone.code == 1 && gone.err.contains("is not parked"), "{gone:?}");
    let history = told(&scene, &format!("order show MOON {}", orders[1].id)).await;
    assert!(history.contains("redriven") && history.contains("mended"), "{history}");
    let again: Value =
        serde_json::from_str(&told(&scene, &format!("dlq redrive {first} --reason twice --json")).await).unwrap();
    assert_eq!((&again["matched"], &again["not_parked"], &again["job_id"]), (&0.into(), &1.into(), &Value::Null));
    scene.settle().await;
    eventually("their letters are taken off", Duration::from_secs(60), || async {
        scene.stack.run_dead_letters().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        scene.left_behind().await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn tracking_that_failed_is_sent_again_by_the_command_once_its_list_is_confirmed() {
    let scene = Scene::new(true).await;
    let error = UserErrorSpec { field: None, message: "the moon is closed".into(), code: None };
    let refuse = Fault::Reject { user_errors: vec![error] };
    let rule = FaultRule { count: 2, ..FaultRule::next(&scene.moon, "FulfillmentCreate", refuse) };
    scene.sim().add_fault(&rule).await.unwrap();
    let mut orders = Vec::new();
    for number in ["9400111899223100007771", "9400111899223100007772"] {
        let order = scene.place().await;
        let source = scene.pushed(&order).await;
        scene.ship(&source, number).await;
        eventually("the order is tagged", SOON, || async {
            (!scene.destination_order(order.id).await.tags.is_empty()).then_some(())
        })
        .await;
        orders.push(order);
    }
    scene.settle().await;
    let resend = format!("order resend MOON {} {}", orders[0].id, orders[1].id);

    let listed = run(&scene, &resend).await;
    assert!(listed.code == 1 && listed.out.contains("add --confirm."), "{listed:?}");
    assert_eq!(listed.out.matches("REJECTED").count(), 2, "{listed:?}");
    let told = told(&scene, &format!("{resend} --confirm --wait")).await;

    assert!(told.starts_with("tracking written back for 2 of 2\n"), "{told}");
    for order in &orders {
        let home = scene.destination_order(order.id).await;
        assert_eq!((home.fulfillments.len(), home.shipping_mails()), (1, 1));
    }
    let other = run(&scene, &format!("{resend} --confirm")).await;
    assert!(other.code == 1 && other.out.contains("--acknowledge-not-failed"), "they have not failed: {other:?}");
    eventually("their letters are taken off, and their tags", Duration::from_secs(60), || async {
        scene.stack.run_dead_letters().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let tags = scene.destination_order(orders[1].id).await.tags;
        (scene.left_behind().await.is_empty() && tags.is_empty()).then_some(())
    })
    .await;
    scene.settle().await;
}
