//! A merchant's morning, typed: the command against the deployed stack.

use std::collections::BTreeMap;

use roundtrip_kit::scene::{SOON, Scene};
use roundtrip_kit::stack::eventually;
use serde_json::Value;

use crate::cli::{Ran, roundtrip};

pub(super) async fn run(scene: &Scene, line: &str) -> Ran {
    let env = BTreeMap::from([
        ("ROUNDTRIP_API", scene.stack.api.url().to_owned()),
        ("ROUNDTRIP_TOKEN", scene.stack.api.token().to_owned()),
    ]);
    let moon_and_sun = line.replace("MOON", &scene.moon).replace("SUN", &scene.sun);
    roundtrip(&moon_and_sun.split(' ').collect::<Vec<_>>(), &env, "").await
}

/// What it says, where it did what it was asked to.
pub(super) async fn told(scene: &Scene, line: &str) -> String {
    let ran = run(scene, line).await;
    assert_eq!(ran.code, 0, "{line}: {ran:?}");
    ran.out
}

#[tokio::test]
async fn an_order_is_found_tried_pushed_and_followed_by_the_command_alone() {
    let scene = Scene::new(false).await;
    let rates = told(&scene, "shop settings MOON --shipping-rate 0=4.90 --email-contact admin").await;
    assert!(rates.contains("4.90"), "{rates}");
    let versions = told(&scene, "shop settings MOON --versions").await;
    assert!(versions.contains("version 2  email_contact"), "{versions}");
    let order = scene.place().await;
    eventually("the order is known", SOON, || scene.ledger_order(&order)).await;

    let found = told(&scene, &format!("order list MOON --number {}", order.name)).await;
    assert!(found.contains(&order.id.to_string()) && found.contains("not-pushed"), "{found}");
    let tried = told(&scene, &format!("order dry-run MOON {}", order.id)).await;
    assert!(tried.contains("may go, all ") && tried.contains("shipping 4.90 USD (rate from 0 on)"), "{tried}");
    assert!(scene.source_orders().await.is_empty());

    let unknown = run(&scene, "order push MOON 4242 --source SUN --wait").await;
    assert_eq!((unknown.code, unknown.err.lines().count()), (1, 2), "{unknown:?}");
    let pushed = told(&scene, &format!("order push MOON {} --source SUN --fee 7.35 --wait", order.id)).await;
    assert!(pushed.contains("is at "), "{pushed}");
    let source = scene.pushed(&order).await;
    assert_eq!(source.shipping_lines[0].title, "Shipping");
    let twice = run(&scene, &format!("order push MOON {}", order.id)).await;
    assert_eq!(twice.code, 1, "{twice:?}");

    let tags = told(&scene, &format!("order tag MOON {} --add vip", order.id)).await;
    assert!(tags.contains("vip"), "{tags}");
    let tagged = told(&scene, "order list MOON --tag vip --tab pushed").await;
    assert!(tagged.contains(&order.name), "{tagged}");
    let counts: Value = serde_json::from_str(&told(&scene, "order counts MOON --json").await).unwrap();
    assert_eq!((&counts["counts"]["pushed"], &counts["sum"]), (&1.into(), &1.into()), "{counts}");
    let received = told(&scene, "order received SUN").await;
    assert!(received.contains("unfulfilled") && received.contains(&order.name), "{received}");

    scene.ship(&source, "9400111899223100004321").await;
    scene.written_back(&order).await;
    let shown = told(&scene, &format!("order show MOON {}", order.id)).await;
    assert!(shown.contains("9400111899223100004321") && shown.contains("by hand, shipping 7.35 USD"), "{shown}");
    let synced = told(&scene, &format!("order sync MOON {} --wait", order.id)).await;
    assert!(synced.contains("done"), "{synced}");
    let csv = told(&scene, "order list MOON --shipped yes --csv").await;
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let received = told(&scene, "order received SUN --state fulfilled").await;
    assert!(received.contains(&order.name), "{received}");

    let matched = told(&scene, "links match MOON SUN --by sku --dry-run").await;
    assert!(matched.contains("would be linked"), "{matched}");
    let links = told(&scene, "links list MOON SUN").await;
    assert!(links.contains("VARIANT"), "{links}");
    let resynced = told(&scene, "resync MOON --wait").await;
    assert!(resynced.contains("was read"), "{resynced}");
    scene.settle().await;
}
