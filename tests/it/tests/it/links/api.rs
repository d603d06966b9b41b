//! What the API answers about links, and what it leaves in the registry.

use roundtrip_domain::ports::{Ledger, Registry};
use roundtrip_domain::registry::{LinkTroubleCode, LinkedBy};
use roundtrip_domain::resync::{Occasion, ResyncState};
use roundtrip_domain::step::StepId;
use roundtrip_kit::order::{moon, sun};
use serde_json::{Value, json};
use shopify_sim::control::{NewVariant, VariantChange};
use shopify_sim::faults::{Fault, FaultRule};

use super::scene::Scene;

/// The values of a report's part.
fn values<'a>(answer: &'a Value, part: &str) -> Vec<&'a str> {
    answer[part].as_array().unwrap().iter().map(|row| row["value"].as_str().unwrap_or("none")).collect()
}

async fn double(scene: &Scene, sku: &str) -> u64 {
    let beside = NewVariant::of("DOUBLE", 5.into());
    let made = scene.sim.set_variant(sun().as_str(), &beside).await.unwrap();
    let to = VariantChange { sku: Some(sku.to_owned()), barcode: None };
    scene.sim.change_variant(sun().as_str(), &made.id.to_string(), &to).await.unwrap();
    made.id
}

#[tokio::test]
async fn variants_are_matched_by_sku_with_what_is_ambiguous_and_missing() {
    let scene = Scene::start(
        &[("DRUM", ""), ("FLUTE", ""), ("LUTE", "")],
        &[("DRUM", ""), ("FLUTE", ""), ("drum", ""), ("DRUM-XL", "")],
    )
    .await;
    let other = double(&scene, "FLUTE").await;

    let answer = scene.matched("sku", json!({})).await;

    assert_eq!(
        (values(&answer, "linked"), values(&answer, "ambiguous"), values(&answer, "missing")),
        (vec!["DRUM"], vec!["FLUTE"], vec!["LUTE"])
    );
    assert_eq!(
        (&answer["kept"], &answer["next"], &answer["missing"][0]["why"]),
        (&json!(0), &Value::Null, &json!("not_at_source"))
    );
    let candidates = answer["ambiguous"][0]["source_variants"].as_array().unwrap();
    assert_eq!((candidates.len(), &candidates[1]["id"]), (2, &json!(other.to_string())), "{answer:#}");
    let link = scene.link("DRUM").await.unwrap();
    assert_eq!(link.source_variant, scene.variant(&sun(), "DRUM").await);
    assert!(matches!(link.by, LinkedBy::Matched { ref value, .. } if value == "DRUM"));
    assert!(scene.link("FLUTE").await.is_none() && scene.link("LUTE").await.is_none(), "nothing was guessed");
    let run = scene.ledger.shop_step::<ResyncState>(&moon(), &StepId::Resync).await.unwrap().unwrap().0;
    assert_eq!(
        (run.state.asked[0].occasion, json!(run.state.asked[0].id)),
        (Occasion::Links, answer["run_id"].clone())
    );

    let again = scene.matched("sku", json!({})).await;
    assert_eq!((values(&again, "linked"), &again["run_id"]), (vec!["DRUM"], &Value::Null), "nothing was written");
    assert_eq!(scene.link("DRUM").await.unwrap().version, link.version);
}

#[tokio::test]
async fn a_dry_run_reports_the_same_and_writes_nothing() {
    let scene = Scene::start(&[("DRUM", "")], &[("DRUM", "")]).await;

    let dry = scene.matched("sku", json!({ "dry_run": true })).await;

    assert_eq!((values(&dry, "linked"), &dry["run_id"]), (vec!["DRUM"], &Value::Null));
    assert!(scene.link("DRUM").await.is_none());
    assert!(scene.ledger.shop_step::<ResyncState>(&moon(), &StepId::Resync).await.unwrap().is_none());
}

#[tokio::test]
async fn a_barcode_matches_where_the_skus_differ_and_a_blank_one_never() {
    let scene = Scene::start(&[("M-1", "4006381333931"), ("M-2", "")], &[("S-1", "4006381333931"), ("S-2", "")]).await;

    let answer = scene.matched("barcode", json!({})).await;

    assert_eq!((values(&answer, "linked"), &answer["missing"][0]["why"]), (vec!["4006381333931"], &json!("no_value")));
    assert_eq!(scene.link("M-1").await.unwrap().source_variant, scene.variant(&sun(), "S-1").await);
}

#[tokio::test]
async fn a_value_that_stands_for_none_on_very_many_variants_keeps_no_other_from_its_match() {
    let names: Vec<String> = (0..1100).map(|n| format!("S {n}")).collect();
    let mut held: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "none")).collect();
    held.push(("LAST", "4006381333931"));
    let scene = Scene::start(&[("A", "none"), ("B", "4006381333931"), ("C", "4006381333932")], &held).await;

    let answer = scene.matched("barcode", json!({})).await;

    assert_eq!(values(&answer, "ambiguous"), ["none"]);
    assert_eq!(values(&answer, "linked"), ["4006381333931"]);
    assert_eq!(values(&answer, "missing"), ["4006381333932"]);
    let calls = scene.sim.calls().await.unwrap();
    let searches = calls.iter().find(|it| it.operation == "VariantsByValue").map(|it| it.count);
    assert_eq!(searches, Some(4 + 1), "four pages, of which many carry one value, and one of the others");
}

#[tokio::test]
async fn a_value_that_means_too_much_is_named_and_no_matter_once_its_variant_is_linked() {
    // The search is loose: what it finds for one value carries others.
    let names: Vec<String> = (0..1100).map(|n| format!("T-{n}")).collect();
    let mut held: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    held.extend([("T", ""), ("DRUM", "")]);
    let scene = Scene::start(&[("T", ""), ("DRUM", "")], &held).await;

    let body = json!({ "destination": moon(), "source": sun(), "by": "sku" });
    let (status, problem) = scene.send("POST", "/v1/links/match", body).await;
    assert_eq!(status, 503, "{problem:#}");
    assert!(problem["detail"].as_str().unwrap().contains("SKU `T`: link the variant"), "{problem:#}");

    let (sold, shipped) = (scene.variant(&moon(), "T").await, scene.variant(&sun(), "T").await);
    let given = json!({ "destination": moon(), "source": sun(), "links": [{ "destination_variant": sold, "source_variant": shipped }] });
    assert_eq!(scene.send("POST", "/v1/links", given).await.0, 201);
    let answer = scene.matched("sku", json!({})).await;
    assert_eq!((&answer["kept"], values(&answer, "linked")), (&json!(1), vec!["DRUM"]));
}

#[tokio::test]
async fn pages_follow_one_another_and_each_is_small_enough_for_the_rate_limit() {
    let names: Vec<String> = (0..260).map(|n| format!("SKU {n}")).collect();
    let variants: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let scene = Scene::start(&variants, &variants).await;

    let first = scene.matched("sku", json!({})).await;
    let second = scene.matched("sku", json!({ "after": first["next"] })).await;

    assert_eq!((values(&first, "linked").len(), values(&second, "linked").len()), (250, 10));
    assert_eq!(second["next"], Value::Null);
    let calls = scene.sim.calls().await.unwrap();
    let costs = calls.iter().filter(|it| it.operation.starts_with("Variants"));
    assert!(costs.map(|it| it.max_requested_cost).all(|cost| cost <= 40), "{calls:?}");
    let mut listed = 0;
    let mut query = String::from("?limit=100");
    loop {
        let page = scene.listed(&query).await;
        listed += page["links"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=100&after={next}");
    }
    assert_eq!(listed, 260);
}

#[tokio::test]
async fn a_link_that_a_person_gave_is_kept_until_they_take_it_away() {
    let scene = Scene::start(&[("DRUM", "")], &[("DRUM", ""), ("BONGO", "")]).await;
    let (drum, bongo) = (scene.variant(&moon(), "DRUM").await, scene.variant(&sun(), "BONGO").await);
    let given = json!({ "destination": moon(), "source": sun(), "links": [{ "destination_variant": drum, "source_variant": bongo }] });
    assert_eq!(scene.send("POST", "/v1/links", given).await.0, 201);

    let answer = scene.matched("sku", json!({})).await;
    assert_eq!((&answer["kept"], values(&answer, "linked").len()), (&json!(1), 0));
    assert_eq!(scene.link("DRUM").await.unwrap().source_variant, bongo);
    let path = format!("/v1/connections/{}/{}/links/{drum}", moon(), sun());
    assert_eq!(scene.send("DELETE", &path, Value::Null).await.0, 200);
    let (status, gone) = scene.send("DELETE", &path, Value::Null).await;
    assert_eq!((status, &gone["code"]), (404, &json!("NOT_FOUND")));

    assert_eq!(values(&scene.matched("sku", json!({})).await, "linked"), ["DRUM"]);
}

#[tokio::test]
async fn what_changed_unseen_about_a_link_that_a_person_chose_is_found_by_the_next_match() {
    // Nobody subscribes: so it is while a store is paused.
    let scene = Scene::start(&[("DRUM", "")], &[("BONGO", "")]).await;
    let given = json!({ "destination": moon(), "source": sun(), "links": [{ "destination_sku": "DRUM", "source_sku": "BONGO" }] });
    assert_eq!(scene.send("POST", "/v1/links", given).await.0, 201);
    let bongo = scene.variant(&sun(), "BONGO").await;
    let second = double(&scene, "BONGO").await;

    scene.matched("sku", json!({ "dry_run": true })).await;
    assert_eq!(scene.trouble("DRUM").await, None);
    assert_eq!(scene.matched("sku", json!({})).await["kept"], 1);
    assert_eq!(scene.trouble("DRUM").await, Some(LinkTroubleCode::DuplicateSku));
    scene.sim.delete_variant(sun().as_str(), &second.to_string()).await.unwrap();
    scene.matched("sku", json!({})).await;
    assert_eq!(scene.trouble("DRUM").await, None);

    let other = VariantChange { sku: Some("CONGA".into()), barcode: None };
    scene.sim.change_variant(sun().as_str(), &bongo.to_string(), &other).await.unwrap();
    scene.matched("sku", json!({})).await;
    assert_eq!(scene.trouble("DRUM").await, Some(LinkTroubleCode::SkuNotFound));
    assert_eq!(scene.link("DRUM").await.unwrap().source_variant, bongo);
}

#[tokio::test]
async fn pairs_by_sku_tell_of_each_row_what_came_of_it() {
    let scene = Scene::start(&[("M-1", ""), ("M-2", ""), ("M-3", "")], &[("S-1", ""), ("S-2", "")]).await;
    double(&scene, "S-2").await;
    let first = scene.variant(&moon(), "M-1").await;
    let rows = json!([
        { "destination_variant": first, "source_sku": " S-1 " },
        { "destination_sku": "M-2", "source_sku": "S-2" },
        { "destination_sku": "M-3", "source_sku": "NONE" },
        { "destination_sku": "NOBODY", "source_sku": "S-1" },
    ]);

    let (status, answer) =
        scene.send("POST", "/v1/links", json!({ "destination": moon(), "source": sun(), "links": rows })).await;

    assert_eq!((status, &answer["linked"]), (201, &json!(1)), "{answer:#}");
    assert_eq!(
        (&answer["ambiguous"][0]["row"], answer["ambiguous"][0]["variants"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
    let missing: Vec<_> =
        answer["missing"].as_array().unwrap().iter().map(|row| (&row["row"], &row["field"])).collect();
    assert_eq!(missing, [(&json!(3), &json!("source_sku")), (&json!(4), &json!("destination_sku"))]);
    let link = scene.link("M-1").await.unwrap();
    assert_eq!(link.by, LinkedBy::Named { sku: "S-1".into() });
    assert_eq!(scene.matched("sku", json!({})).await["kept"], 1, "a person named it");
}

#[tokio::test]
async fn rubbish_is_refused_with_its_field_and_row_and_nothing_is_linked() {
    let scene = Scene::start(&[("M-1", ""), ("M-2", "")], &[("S-1", "")]).await;
    let (one, two, held) =
        (scene.variant(&moon(), "M-1").await, scene.variant(&moon(), "M-2").await, scene.variant(&sun(), "S-1").await);
    let good = json!({ "destination_variant": one, "source_variant": held });
    let cases = [
        (
            json!({ "destination_variant": two, "source_variant": "99" }),
            "links[1].source_variant",
            "sun.myshopify.com has no variant 99",
        ),
        (
            json!({ "destination_variant": held, "source_variant": held }),
            "links[1].destination_variant",
            "moon.myshopify.com has no variant",
        ),
        (json!({ "destination_variant": "x", "source_variant": held }), "links[1].destination_variant", "`x` is not"),
        (json!({ "destination_sku": " ", "source_variant": held }), "links[1].destination_sku", "it is empty"),
        (json!({ "destination_variant": two }), "links[1].source_variant", "both are given, or none"),
        (
            json!({ "destination_variant": two, "destination_sku": "M-2", "source_variant": held }),
            "links[1].destination_variant",
            "both are given, or none",
        ),
        (
            json!({ "destination_sku": "M-1", "source_variant": held }),
            "links[1].destination_variant",
            "stands in links[0] already",
        ),
    ];
    for (bad, field, told) in cases {
        let body = json!({ "destination": moon(), "source": sun(), "links": [good, bad] });
        let (status, answer) = scene.send("POST", "/v1/links", body).await;
        assert_eq!((status, &answer["field"]), (400, &json!(field)), "{answer:#}");
        assert!(answer["detail"].as_str().unwrap().contains(told), "{answer:#}");
    }
    assert!(scene.link("M-1").await.is_none());

    let matches = |change: Value| {
        let mut body = json!({ "destination": moon(), "source": sun(), "by": "sku" });
        body.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap());
        body
    };
    for (change, status, code) in [
        (json!({ "by": "title" }), 400, "INVALID_FIELD"),
        (json!({ "after": "no cursor!" }), 400, "INVALID_FIELD"),
        (json!({ "after": "bm9ib2R5" }), 400, "INVALID_FIELD"),
        (json!({ "destination": "mars.myshopify.com" }), 404, "NOT_FOUND"),
        (json!({ "source": "mars.myshopify.com" }), 409, "NOT_CONNECTED"),
        (json!({ "source": "mars" }), 400, "INVALID_FIELD"),
    ] {
        let (told, answer) = scene.send("POST", "/v1/links/match", matches(change)).await;
        assert_eq!((told, &answer["code"]), (status, &json!(code)), "{answer:#}");
    }
    let list = format!("/v1/connections/{}/{}/links", moon(), sun());
    for query in ["?limit=0", "?after=x", "?trouble=maybe"] {
        assert_eq!(scene.send("GET", &format!("{list}{query}"), Value::Null).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn a_store_that_throttles_says_when_to_come_again_and_one_that_is_gone_what_to_do() {
    let scene = Scene::start(&[("DRUM", "")], &[("DRUM", "")]).await;
    let body = json!({ "destination": moon(), "source": sun(), "by": "sku" });

    scene.sim.add_fault(&FaultRule::next(sun().as_str(), "VariantsByValue", Fault::Throttled)).await.unwrap();
    let (status, retry, answer) = scene.answer("POST", "/v1/links/match", body.clone()).await;
    assert_eq!((status, &answer["code"]), (503, &json!("THROTTLED")), "{answer:#}");
    assert!(retry.is_some_and(|seconds| seconds >= 1), "{retry:?}");

    let status = |status| Fault::Status { status, retry_after_secs: None };
    for (fault, expected, code) in [(status(503), 503, "CHANNEL_UNAVAILABLE"), (status(402), 409, "ACCESS_DENIED")] {
        scene.sim.add_fault(&FaultRule::next(moon().as_str(), "VariantsPage", fault)).await.unwrap();
        let (told, answer) = scene.send("POST", "/v1/links/match", body.clone()).await;
        assert_eq!((told, &answer["code"]), (expected, &json!(code)), "{answer:#}");
    }
    assert!(scene.link("DRUM").await.is_none());
    assert_eq!(values(&scene.matched("sku", json!({})).await, "linked"), ["DRUM"], "and it is safe to repeat");
}

#[tokio::test]
async fn a_change_at_the_source_becomes_visible_trouble_and_a_match_mends_it() {
    let scene = Scene::start(&[("DRUM", ""), ("FLUTE", "")], &[("DRUM", ""), ("FLUTE", "")]).await;
    scene.matched("sku", json!({})).await;
    scene.subscribe(&sun()).await;
    let (drum, flute) = (scene.variant(&sun(), "DRUM").await, scene.variant(&sun(), "FLUTE").await);

    let to = |sku: &str| VariantChange { sku: Some(sku.into()), barcode: None };
    scene.sim.change_variant(sun().as_str(), &drum.to_string(), &to("DRUM-2")).await.unwrap();
    assert_eq!(scene.deliver().await, 1);
    assert_eq!(scene.trouble("DRUM").await, Some(LinkTroubleCode::SkuNotFound));
    let second = double(&scene, "FLUTE").await;
    scene.deliver().await;
    assert_eq!(scene.trouble("FLUTE").await, Some(LinkTroubleCode::DuplicateSku));
    let listed = scene.listed("?trouble=true").await;
    let codes: Vec<&Value> = listed["links"].as_array().unwrap().iter().map(|link| &link["trouble"]["code"]).collect();
    assert_eq!(codes, ["SKU_NOT_FOUND", "DUPLICATE_SKU"], "{listed:#}");
    assert_eq!(scene.matched("sku", json!({})).await["linked"], json!([]), "a match does not guess either");
    assert_eq!(scene.trouble("FLUTE").await, Some(LinkTroubleCode::DuplicateSku));

    // The goods stand under a new variant by now; the double goes.
    scene.sim.set_variant(sun().as_str(), &NewVariant::of("DRUM", 9.into())).await.unwrap();
    scene.sim.delete_variant(sun().as_str(), &second.to_string()).await.unwrap();
    scene.deliver().await;
    assert_eq!(scene.trouble("FLUTE").await, None);
    assert_eq!(scene.trouble("DRUM").await, Some(LinkTroubleCode::SkuNotFound), "never the next best by itself");
    assert_eq!(values(&scene.matched("sku", json!({})).await, "linked"), ["DRUM", "FLUTE"]);
    let mended = scene.link("DRUM").await.unwrap();
    assert!(mended.source_variant != drum && mended.trouble.is_none());
    assert_eq!(scene.link("FLUTE").await.unwrap().source_variant, flute);
    assert_eq!(scene.listed("?trouble=true").await["links"], json!([]));
}

#[tokio::test]
async fn a_deleted_product_is_found_by_its_links_on_either_side() {
    let scene = Scene::start(&[("DRUM", ""), ("FLUTE", "")], &[("DRUM", ""), ("FLUTE", "")]).await;
    scene.matched("sku", json!({})).await;
    scene.subscribe(&sun()).await;
    scene.subscribe(&moon()).await;
    let gone = scene.link("FLUTE").await.unwrap();

    scene.sim.delete_variant(sun().as_str(), "DRUM").await.unwrap();
    scene.sim.delete_variant(moon().as_str(), "FLUTE").await.unwrap();
    assert_eq!(scene.deliver().await, 2);

    assert_eq!(scene.trouble("DRUM").await, Some(LinkTroubleCode::SkuNotFound));
    let left = scene.ledger.links(&moon(), &[gone.destination_variant], &[]).await.unwrap();
    assert!(left.by_variant.is_empty(), "no order can hold it");
}
