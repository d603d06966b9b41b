//! The API tried out by its own description: what it takes by what it says it takes, and what it does not.

use std::process::Stdio;
use std::time::Duration;

use roundtrip_kit::dynamodb::project;
use roundtrip_kit::scene::{SKU, SOON, Scene};
use roundtrip_kit::stack::eventually;
use tokio::process::Command;

/// What every answer is held to.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,ignored_auth";

/// Stores that are registered on the way, and that nobody has: connecting them is parked.
const NOBODYS: [&str; 2] = ["moon-shop.myshopify.com", "0.myshopify.com"];

/// Of what is there, so that most requests get past the names.
fn config(scene: &Scene, order: u64) -> String {
    let Scene { moon, sun, .. } = scene;
    let variant = scene.stores.variant(moon, SKU);
    let held = scene.stores.variant(sun, SKU);
    format!(
        r#"
headers = {{ Authorization = "Bearer {}" }}

[parameters]
"path.shop" = "{moon}"
"path.id" = "{order}"
"path.destination" = "{moon}"
"path.source" = "{sun}"
"path.variant" = "{variant}"
"path.label" = "se-1"
"query.source" = "{sun}"
"body.shop" = {{ dictionary = "moon" }}
"body.order" = {{ dictionary = "order" }}
"body.destination" = {{ dictionary = "moon" }}
"body.source" = {{ dictionary = "sun" }}
"body.links[*].destination_variant" = {{ dictionary = "variant" }}
"body.links[*].source_variant" = {{ dictionary = "held" }}

[[operations]]
include-name = "POST /v1/shops"
generation.mode = "negative"

[dictionaries]
moon = {{ values = ["{moon}"] }}
sun = {{ values = ["{sun}"] }}
order = {{ values = ["{order}"] }}
variant = {{ values = ["{variant}"] }}
held = {{ values = ["{held}"] }}
"#,
        scene.stack.api.token()
    )
}

#[tokio::test]
async fn the_api_answers_as_its_document_says_whatever_it_is_asked() {
    let scene = Scene::new(false).await;
    let order = scene.place().await;
    eventually("the order is known", SOON, || scene.ledger_order(&order)).await;
    let folder = project().join(".local/tmp");
    let file = folder.join(format!("schemathesis-{}.toml", scene.moon));
    std::fs::write(&file, config(&scene, order.id)).unwrap();

    let schemathesis = project().join(".local/venv-openapi/bin/schemathesis");
    let document = format!("{}/v1/openapi.json", scene.stack.api.url());
    let run = Command::new(&schemathesis)
        .arg("--config-file")
        .arg(&file)
        .args(["run", &document, "--url", scene.stack.api.url(), "--checks", CHECKS])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "15",
            "--seed",
            "1",
            "--generation-deterministic",
        ])
        // One worker: two that parse at once break Python's own parser before 3.11.8 (cpython issue 106905).
        .args(["--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "30", "--workers", "1"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap_or_else(|error| panic!("{} ({error}): `make test` installs it", schemathesis.display()));
    std::fs::remove_file(&file).unwrap();

    // Whatever it found: what it left is taken away before the next test counts.
    scene.stack.messages.settle(Duration::from_secs(60)).await;
    for nobodys in NOBODYS {
        scene.stack.messages.take_dead_letters("app-lifecycle", nobodys).await;
    }
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{told}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(told.contains("No issues found"), "{told}");
    scene.settle().await;
}
