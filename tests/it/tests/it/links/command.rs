//! `roundtrip link` and `roundtrip links` against the API itself.

use roundtrip_kit::order::{moon, sun};
use serde_json::Value;
use shopify_sim::control::{NewVariant, VariantChange};

use super::scene::Scene;
use crate::cli::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn a_match_reports_on_the_terminal_and_in_a_file() {
    let scene = Scene::start(&[("DRUM", ""), ("FLUTE", ""), ("=LUTE", "")], &[("DRUM", ""), ("FLUTE", "")]).await;
    let made = scene.sim.set_variant(sun().as_str(), &NewVariant::of("OTHER", 5.into())).await.unwrap();
    let to = VariantChange { sku: Some("FLUTE".into()), barcode: None };
    scene.sim.change_variant(sun().as_str(), &made.id.to_string(), &to).await.unwrap();
    let folder = Folder::new("links-match");
    let file = folder.write("report.csv", "");
    let (moon_flute, moon_lute) = (scene.variant(&moon(), "FLUTE").await, scene.variant(&moon(), "=LUTE").await);
    let sun_flute = scene.variant(&sun(), "FLUTE").await;

    let dry = scene.run("links match moon.myshopify.com sun.myshopify.com --by sku --dry-run").await;
    assert!(scene.link("DRUM").await.is_none(), "{}", dry.err);
    let ran = scene.run(&format!("links match moon.myshopify.com sun.myshopify.com --by sku --csv {file}")).await;

    let expected = format!(
        "\
moon.myshopify.com matched with sun.myshopify.com by SKU
  linked     1
  ambiguous  1
  missing    1
  kept       0

ambiguous: several variants of sun.myshopify.com carry it
  {moon_flute}  FLUTE  FLUTE  {sun_flute} (FLUTE), {} (OTHER)

missing: no variant of sun.myshopify.com carries it
  {moon_lute}  =LUTE  =LUTE
",
        made.id
    );
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, expected.as_str(), ""));
    assert!(dry.out.contains("would be linked  1"), "{}", dry.out);
    let report = std::fs::read_to_string(file).unwrap();
    assert!(
        report.starts_with("outcome,destination_variant,title,value,source_variant,source_title,candidates\nlinked,")
    );
    assert!(report.contains(&format!("ambiguous,{moon_flute},FLUTE,FLUTE,,,{sun_flute} {}\n", made.id)), "{report}");
    assert!(report.contains(&format!("missing,{moon_lute},'=LUTE,'=LUTE,")), "no formula for a spreadsheet: {report}");
    assert!(scene.link("DRUM").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_skus_is_linked_and_each_line_that_is_not_is_told() {
    let scene = Scene::start(&[("M-1", ""), ("M-2", "")], &[("S-1", "")]).await;
    let folder = Folder::new("links-csv");
    let file = folder.write("links.csv", "title,destination_sku,source_sku\nDrum,M-1,S-1\nFlute,M-2,S-2\n");

    let ran = scene.run(&format!("link moon.myshopify.com sun.myshopify.com --csv {file}")).await;

    let expected = "\
1 variant of moon.myshopify.com linked to sun.myshopify.com
not linked:
  line 3  source_sku  S-2  sun.myshopify.com has no variant with this SKU
";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (1, expected, ""));
    assert!(scene.link("M-1").await.is_some() && scene.link("M-2").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_listed_and_taken_away() {
    let scene = Scene::start(&[("DRUM", ""), ("FLUTE", "")], &[("DRUM", ""), ("FLUTE", "")]).await;
    scene.run("links match moon.myshopify.com sun.myshopify.com --by sku").await;
    scene.subscribe(&sun()).await;
    scene.sim.delete_variant(sun().as_str(), "FLUTE").await.unwrap();
    scene.deliver().await;
    let drum = scene.variant(&moon(), "DRUM").await;
    let flute = scene.link("FLUTE").await.unwrap();

    let trouble = scene.run("links list moon.myshopify.com sun.myshopify.com --trouble").await;
    let expected = format!(
        "\
VARIANT        SOURCE VARIANT  BY         TROUBLE        WHY
{}  {}   SKU FLUTE  SKU_NOT_FOUND  the source has no variant {} any more
",
        flute.destination_variant, flute.source_variant, flute.source_variant
    );
    assert_eq!((trouble.code, trouble.out.as_str()), (0, expected.as_str()), "{}", trouble.err);
    let removed = scene.run(&format!("links remove moon.myshopify.com sun.myshopify.com {drum}")).await;
    assert_eq!(
        removed.out,
        format!("variant {drum} of moon.myshopify.com is not linked to sun.myshopify.com any more\n")
    );
    let raw = scene.run("links list moon.myshopify.com sun.myshopify.com --json").await;
    let left: Value = serde_json::from_str(&raw.out).unwrap();
    assert_eq!(left["links"].as_array().unwrap().len(), 1, "{left:#}");
}
