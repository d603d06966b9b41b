//! A product changes, and the orders that hold it hear of it: over shops in memory.

use roundtrip_connectors::shopify::webhook::{Headers, Verified, task};
use roundtrip_domain::channel::Channel;
use roundtrip_domain::code::Code;
use roundtrip_domain::id::{ProductId, ShopDomain, VariantId};
use roundtrip_domain::links::{LinksAsked, Variant, write_links};
use roundtrip_domain::ports::{Ledger, Registry};
use roundtrip_domain::push::RefusalReason;
use roundtrip_domain::record::Tab;
use roundtrip_domain::registry::{LinkChange, LinkTroubleCode, LinkedBy, MatchBy, Paused, ProductLink};
use roundtrip_domain::resync::{Occasion, ResyncState, promise_run};
use roundtrip_domain::secret::{AppCredentials, Secret};
use roundtrip_domain::step::StepId;
use roundtrip_domain::task::{Queue, Subject, Task, Trigger};
use roundtrip_kit::fake::Fault;
use roundtrip_kit::order::{line, link, moon, sun};

use crate::world::{MINUTE, World};

use LinkTroubleCode::{DuplicateSku, SkuNotFound};

fn variant(id: u64, product: u64, sku: &str) -> Variant {
    Variant {
        id: VariantId::new(id),
        product: ProductId::new(product),
        title: format!("Product {product}"),
        sku: Some(sku.to_owned()),
        barcode: None,
    }
}

/// The moon's variant 1 is the sun's 1001 by the SKU `A-1`; nothing was pushed yet.
async fn matched() -> World {
    let world = World::new();
    world.shop(&sun(), |shop| shop.variants = vec![variant(1001, 501, "A-1"), variant(1002, 502, "B-2")]);
    world.shop(&moon(), |shop| shop.variants = vec![variant(1, 51, "A-1")]);
    let by = LinkedBy::Matched { by: MatchBy::Sku, value: "A-1".into() };
    relink(&world, ProductLink { by, ..known_products(link(1)) }).await;
    world
}

fn known_products(link: ProductLink) -> ProductLink {
    let (destination_product, source_product) = (Some(ProductId::new(51)), Some(ProductId::new(501)));
    ProductLink { destination_product, source_product, ..link }
}

async fn relink(world: &World, after: ProductLink) {
    let before = the_link(world).await;
    world.ports.ledger.change_links(&[LinkChange { before, after: Some(after) }]).await.unwrap();
}

async fn the_link(world: &World) -> Option<ProductLink> {
    let variant = VariantId::new(1);
    world.ports.ledger.links(&moon(), &[variant], &[]).await.unwrap().by_variant.remove(&variant)
}

async fn trouble(world: &World) -> Option<LinkTroubleCode> {
    the_link(world).await.unwrap().trouble.map(|trouble| trouble.code)
}

fn product(shop: &ShopDomain, id: u64) -> Task {
    Task::new(Trigger::Webhook, "product-event", Subject::Product { shop: shop.clone(), id: ProductId::new(id) })
}

/// A product's webhook comes, and what follows from it at once.
async fn webhook(world: &World, shop: &ShopDomain, id: u64) {
    world.tell(Queue::OrderPush, product(shop, id)).await;
}

fn set_sku(world: &World, id: u64, sku: &str) {
    world.shop(&sun(), |shop| {
        let variant = shop.variants.iter_mut().find(|variant| variant.id.number() == id).unwrap();
        variant.sku = Some(sku.to_owned());
    });
}

async fn refusals(world: &World) -> Vec<RefusalReason> {
    let groups = world.summary().await.refusals;
    groups.iter().flat_map(|group| &group.reasons).map(|refusal| refusal.reason).collect()
}

fn pushed(world: &World) -> usize {
    world.shop(&sun(), |shop| shop.pushed.len())
}

#[tokio::test]
async fn a_sku_that_changed_keeps_the_order_back_until_it_is_there_again() {
    let world = matched().await;

    set_sku(&world, 1001, "A-1-NEW");
    webhook(&world, &sun(), 501).await;
    assert_eq!(trouble(&world).await, Some(SkuNotFound));
    world.order_webhook().await;
    assert_eq!((refusals(&world).await, pushed(&world)), (vec![RefusalReason::SkuNotFound], 0));
    let observed = world.summary().await.refusals[0].reasons[0].observed.clone();
    assert_eq!(observed, "SKU-1: variant 1001 has the SKU `A-1-NEW` now, and had `A-1`");

    set_sku(&world, 1001, "A-1");
    webhook(&world, &sun(), 501).await;

    assert_eq!((trouble(&world).await, world.tab().await, pushed(&world)), (None, Tab::Pushed, 1));
}

#[tokio::test]
async fn a_sku_on_two_variants_is_a_duplicate_whichever_product_told_of_it() {
    for told_of in [501, 502] {
        let world = matched().await;
        set_sku(&world, 1002, "A-1");
        webhook(&world, &sun(), told_of).await;
        assert_eq!(trouble(&world).await, Some(DuplicateSku), "told by {told_of}");
        world.order_webhook().await;
        assert_eq!((refusals(&world).await, pushed(&world)), (vec![RefusalReason::DuplicateSku], 0));

        set_sku(&world, 1002, "B-2");
        webhook(&world, &sun(), 502).await;

        assert_eq!((trouble(&world).await, pushed(&world)), (None, 1), "told by {told_of}");
    }
}

#[tokio::test]
async fn a_double_that_the_search_does_not_know_yet_is_seen_on_its_own_product() {
    let world = matched().await;
    set_sku(&world, 1002, "A-1");
    world.shop(&sun(), |shop| shop.unsearchable = vec![VariantId::new(1002)]);

    webhook(&world, &sun(), 501).await;
    assert_eq!(trouble(&world).await, None, "nobody knows yet");
    webhook(&world, &sun(), 502).await;

    assert_eq!(trouble(&world).await, Some(DuplicateSku));
}

#[tokio::test]
async fn a_variant_that_is_deleted_is_missed_however_it_was_linked() {
    for by in [
        LinkedBy::Given,
        LinkedBy::Named { sku: "A-1".into() },
        LinkedBy::Matched { by: MatchBy::Sku, value: "A-1".into() },
    ] {
        let world = matched().await;
        relink(&world, ProductLink { by, ..known_products(link(1)) }).await;
        world.shop(&sun(), |shop| shop.variants.retain(|variant| variant.id.number() != 1001));

        // The last variant takes the product along; told twice, and once more by a stale retry.
        for _ in 0..3 {
            webhook(&world, &sun(), 501).await;
        }

        assert_eq!(trouble(&world).await, Some(SkuNotFound));
        world.order_webhook().await;
        assert_eq!((refusals(&world).await, pushed(&world)), (vec![RefusalReason::SkuNotFound], 0));
    }
}

#[tokio::test]
async fn a_link_by_ids_minds_neither_another_sku_nor_a_double() {
    let world = matched().await;
    relink(&world, known_products(link(1))).await;
    set_sku(&world, 1001, "Z");
    set_sku(&world, 1002, "Z");

    webhook(&world, &sun(), 501).await;
    webhook(&world, &sun(), 502).await;
    world.order_webhook().await;

    assert_eq!((trouble(&world).await, pushed(&world)), (None, 1));
}

#[tokio::test]
async fn webhooks_that_are_doubled_and_come_in_any_order_end_in_what_is_there() {
    for order in [[501, 502, 501, 502], [502, 501, 502, 501], [502, 502, 501, 501]] {
        let world = matched().await;
        set_sku(&world, 1002, "A-1");
        for told in &order[..2] {
            webhook(&world, &sun(), *told).await;
        }
        set_sku(&world, 1001, "C-3");
        set_sku(&world, 1002, "B-2");
        for told in &order[2..] {
            webhook(&world, &sun(), *told).await;
        }
        // Whatever came late is looked at as it is now.
        webhook(&world, &sun(), 501).await;

        assert_eq!(trouble(&world).await, Some(SkuNotFound), "{order:?}");
        let version = the_link(&world).await.unwrap().version;
        for told in order {
            webhook(&world, &sun(), told).await;
        }
        assert_eq!(the_link(&world).await.unwrap().version, version, "nothing new was written");
    }
}

#[tokio::test]
async fn a_destination_variant_that_is_deleted_takes_its_link_along() {
    let world = matched().await;
    world.shop(&moon(), |shop| shop.variants.push(variant(2, 51, "A-2")));
    webhook(&world, &moon(), 51).await;
    assert!(the_link(&world).await.is_some(), "it is still sold");

    world.shop(&moon(), |shop| shop.variants.retain(|variant| variant.id.number() != 1));
    webhook(&world, &moon(), 51).await;

    assert!(the_link(&world).await.is_none());
}

#[tokio::test]
async fn a_product_that_no_link_has_to_do_with_costs_one_question() {
    let world = matched().await;

    webhook(&world, &sun(), 502).await;

    assert_eq!(world.shop(&sun(), |shop| shop.calls.clone()), ["product"]);
    assert!(world.ports.ledger.shop_step::<ResyncState>(&moon(), &StepId::Resync).await.unwrap().is_none());
}

#[tokio::test]
async fn a_shop_that_throttles_is_asked_again_and_one_that_lets_nobody_in_is_told_of() {
    let world = matched().await;
    set_sku(&world, 1001, "C-3");
    world.fail_questions(&sun(), &[Fault::Throttled]);
    webhook(&world, &sun(), 501).await;
    assert_eq!(trouble(&world).await, Some(SkuNotFound), "the message came again");

    let world = matched().await;
    world.fail_questions(&sun(), &[Fault::Revoked]);
    world.ports.tasks.sent().work.push((Queue::OrderPush, product(&sun(), 501)));
    let (queue, task) = world.ports.tasks.take().unwrap();
    world.handle(queue, &task).await.unwrap();
    let told = world.ports.tasks.take().unwrap();
    assert_eq!((told.0, told.1.subject), (Queue::AppLifecycle, Subject::Shop { shop: sun() }));

    let world = matched().await;
    let now = world.now();
    world.ports.ledger.pause(&sun(), &Paused { since: now, message: "frozen".into() }).await.unwrap();
    webhook(&world, &sun(), 501).await;
    assert!(world.shop(&sun(), |shop| shop.calls.is_empty()));

    let world = matched().await;
    world.fail_questions(&sun(), &[Fault::Unreachable]);
    assert!(world.handle(Queue::OrderPush, &product(&sun(), 501)).await.is_err(), "it is delivered again");
}

#[tokio::test]
async fn a_new_link_wakes_the_order_that_waits_for_it_and_no_other() {
    let world = World::new();
    world.change_order(|order| order.lines = vec![line(7)]);
    world.order_webhook().await;
    assert_eq!((world.tab().await, pushed(&world)), (Tab::NotPushed, 0));
    let shop = world.ports.ledger.shop(&moon()).await.unwrap().unwrap();
    let reads = || world.shop(&moon(), |shop| shop.calls.iter().filter(|call| **call == "order").count());

    let asked = |id: &str| LinksAsked { id: id.into(), by: "ada".into(), at: world.now() };
    let other = [LinkChange::first(link(9))];
    let before = reads();
    let run = write_links(&world.ports.ledger, &world.ports.tasks, &shop, &other, asked("r-1")).await.unwrap();
    world.drain().await;
    assert_eq!((run.as_deref(), reads()), (Some("r-1"), before), "an order without that product is left alone");

    let its = [LinkChange::first(link(7))];
    write_links(&world.ports.ledger, &world.ports.tasks, &shop, &its, asked("r-2")).await.unwrap();
    world.drain().await;

    assert_eq!((world.tab().await, pushed(&world)), (Tab::Pushed, 1));
    let step = world.ports.ledger.shop_step::<ResyncState>(&moon(), &StepId::Resync).await.unwrap().unwrap().0;
    assert_eq!(step.state.run.unwrap().occasion, Occasion::Links);
}

#[tokio::test]
async fn a_link_to_another_variant_of_the_same_store_wakes_the_order_that_was_refused() {
    let world = matched().await;
    world.fail_next(&sun(), &[Fault::Refused]);
    world.order_webhook().await;
    assert_eq!((pushed(&world), world.push(&sun()).await.parked.map(|parked| parked.code)), (0, Some(Code::Rejected)));
    let shop = world.ports.ledger.shop(&moon()).await.unwrap().unwrap();

    let before = the_link(&world).await;
    let after = before.clone().map(|link| ProductLink { source_variant: VariantId::new(1002), ..link });
    let asked = LinksAsked { id: "r-1".into(), by: "ada".into(), at: world.now() };
    let its = [LinkChange { before, after }];
    write_links(&world.ports.ledger, &world.ports.tasks, &shop, &its, asked).await.unwrap();
    world.drain().await;

    assert_eq!(pushed(&world), 1);
    assert_eq!(world.made_at(&sun())[0].lines[0].variant, VariantId::new(1002));
}

#[tokio::test]
async fn a_writer_that_dies_between_the_links_and_the_run_leaves_no_order_asleep() {
    let world = World::new();
    world.change_order(|order| order.lines = vec![line(7)]);
    world.order_webhook().await;
    let now = world.now();
    let wish = roundtrip_domain::resync::Asked {
        id: "r-1".into(),
        at: now,
        by: "ada".into(),
        occasion: Occasion::Links,
        days: 60,
    };

    promise_run(&world.ports.ledger, &moon(), &wish).await.unwrap();
    world.ports.ledger.change_links(&[LinkChange::first(link(7))]).await.unwrap();
    assert_eq!(pushed(&world), 0);
    world.run(MINUTE * 3).await;

    assert_eq!(pushed(&world), 1);
}

#[tokio::test]
async fn of_two_who_change_a_link_at_once_one_is_told() {
    let world = matched().await;
    let read = the_link(&world).await.unwrap();
    relink(&world, ProductLink { source_variant: VariantId::new(1002), ..read.clone() }).await;

    let late = LinkChange { before: Some(read.clone()), after: Some(ProductLink { trouble: None, ..read }) };

    assert!(world.ports.ledger.change_links(&[late]).await.is_err());
    assert_eq!(the_link(&world).await.unwrap().source_variant, VariantId::new(1002));
}

/// What Shopify sends, cut down to what is subscribed to.
const FIXTURES: [(&str, &str); 2] = [
    ("products/update", include_str!("../../fixtures/webhooks/products_update.json")),
    ("products/delete", include_str!("../../fixtures/webhooks/products_delete.json")),
];

#[test]
fn each_topic_about_products_names_the_product() {
    let app =
        AppCredentials { client_id: "id".into(), client_secret: Secret::new("secret"), previous_client_secret: None };
    for (topic, body) in FIXTURES {
        let signature = shopify_sim::sign(body.as_bytes(), "secret");
        let verified = Verified::check(body.as_bytes(), Some(&signature), &app).unwrap();
        let headers =
            Headers { topic: Some(topic.into()), shop: Some("sun.myshopify.com".into()), ..Headers::default() };

        let (queue, task) = task(verified, &headers).unwrap();

        let expected = Subject::Product { shop: sun(), id: ProductId::new(788_032_119_674_292_922) };
        assert_eq!((queue, task.subject), (Queue::OrderPush, expected), "{topic}");
    }
}

#[tokio::test]
async fn the_fake_reads_its_variants_as_the_channel_says() {
    let world = matched().await;
    let channel = &world.ports.channel;
    world.shop(&sun(), |shop| shop.variants = (1..=300).map(|n| variant(n, 500 + n, "S")).collect());

    let first = channel.variants(&sun(), None).await.unwrap();
    let second = channel.variants(&sun(), first.next.as_deref()).await.unwrap();

    assert_eq!((first.variants.len(), second.variants.len(), second.next), (250, 50, None));
}
