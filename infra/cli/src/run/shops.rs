//! `shop …`, `connect`.

use std::io::Read;

use roundtrip_api::settings::{ConnectionAnswer, SettingsWritten};
use roundtrip_api::shops::{LocationsAnswer, ShopAnswer, ShopState};
use roundtrip_domain::id::ShopDomain;
use serde_json::{Value, json};

use super::shown;
use crate::api::{Answer, Api};
use crate::cli::{ConnectArgs, ShopAdd, ShopLocations, ShopSettingsArgs};
use crate::out::Output;
use crate::trouble::Trouble;
use crate::wait::Seen;
use crate::{print, wait};

pub(super) async fn add(api: &Api, json: bool, args: &ShopAdd) -> Result<Output, Trouble> {
    let mut body = json!({ "domain": args.domain });
    if args.access_token_stdin {
        body["access_token"] = Value::String(token_from_stdin()?);
    }
    let answer = api.post("/v1/shops", &body).await?;
    if !args.wait {
        return shown(answer, json, |_| {
            Ok(format!("{} is being connected. See how it goes: roundtrip shop show {}", args.domain, args.domain))
        });
    }
    let look = |answer: &Answer| {
        let shop: ShopAnswer = answer.read()?;
        Ok(match (shop.state, shop.error) {
            (ShopState::Connected | ShopState::Paused | ShopState::Failed, _) => Seen::Settled,
            (ShopState::Registered | ShopState::Connecting, Some(error)) => {
                Seen::Open(format!("connecting, tried again after: {}", error.message))
            }
            (ShopState::Registered | ShopState::Connecting, None) => Seen::Open("connecting".to_owned()),
        })
    };
    let answer = wait::until(api, &path(&args.domain), look).await?;
    let shop: ShopAnswer = answer.read()?;
    let ok = shop.state == ShopState::Connected;
    let text = if json { answer.raw } else { print::shop(&shop) };
    Ok(Output { text, ok })
}

fn token_from_stdin() -> Result<String, Trouble> {
    let remedy = "pass it in, e.g. `roundtrip shop add <domain> --access-token-stdin < token.txt`";
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Trouble::failed(format!("the access token cannot be read: {error}"), remedy))?;
    let token = text.trim();
    if token.is_empty() {
        Err(Trouble::usage("standard input holds no access token", remedy))
    } else {
        Ok(token.into())
    }
}

pub(super) async fn show(api: &Api, json: bool, domain: &ShopDomain) -> Result<Output, Trouble> {
    let answer = api.get(&path(domain), &[]).await?;
    shown(answer, json, |answer| Ok(print::shop(&answer.read()?)))
}

/// Shows the map, or puts another in its place.
pub(super) async fn locations(api: &Api, json: bool, args: &ShopLocations) -> Result<Output, Trouble> {
    if args.mappings.is_empty() && !args.clear {
        let answer = api.get(&path(&args.domain), &[]).await?;
        return shown(answer, json, |answer| Ok(print::locations(&answer.read()?)));
    }
    let body = json!({ "locations": args.mappings });
    let answer = api.put(&format!("{}/locations", path(&args.domain)), &body).await?;
    shown(answer, json, |answer| Ok(print::new_locations(&args.domain, &answer.read::<LocationsAnswer>()?.locations)))
}

/// Shows how a store is treated, or changes what was typed.
pub(super) async fn settings(api: &Api, json: bool, args: &ShopSettingsArgs) -> Result<Output, Trouble> {
    let (shop, path) = (path(&args.domain), format!("{}/settings", path(&args.domain)));
    if args.versions {
        let answer = api.get(&format!("{path}/versions"), &[]).await?;
        return shown(answer, json, |answer| Ok(print::versions(&answer.read()?)));
    }
    let asked = json!(args);
    if asked.as_object().is_some_and(serde_json::Map::is_empty) {
        // A token that may only look is enough.
        let ShopAnswer { shop, settings, settings_change, .. } = api.get(&shop, &[]).await?.read()?;
        let known = SettingsWritten { shop, settings, settings_change, run_id: None };
        let text = if json { json!(known).to_string() } else { print::shop_settings(&known) };
        return Ok(Output::done(text));
    }
    let answer = api.put(&path, &asked).await?;
    if args.dry_run {
        return shown(answer, json, |answer| Ok(print::existing(&args.domain, &answer.read()?)));
    }
    shown(answer, json, |answer| Ok(print::shop_settings(&answer.read()?)))
}

pub(super) async fn connect(api: &Api, json: bool, args: &ConnectArgs) -> Result<Output, Trouble> {
    let answer = api.post("/v1/connections", &json!(args)).await?;
    shown(answer, json, |answer| Ok(print::connection(&answer.read::<ConnectionAnswer>()?.connection)))
}

fn path(domain: &ShopDomain) -> String {
    format!("/v1/shops/{domain}")
}
