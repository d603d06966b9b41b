//! Settings: as they are, and as they were.

use roundtrip_api::settings::{Existing, SettingsTried, SettingsWritten, VersionsAnswer};
use roundtrip_domain::exceptions::OwnerRule;
use roundtrip_domain::id::ShopDomain;
use roundtrip_domain::registry::{
    Connection, ConnectionSettings, EmailContact, Inventory, Plan, SettingsChange, SettingsVersion, ShippingRate,
    ShopSettings, UnitPrice, WithoutTracking,
};
use serde_json::Value;

use super::{labelled, lay_out, table, time};
use crate::typed::Seconds;

type Pairs = Vec<(&'static str, String)>;

/// How a store is treated.
pub(crate) fn shop_settings(SettingsWritten { shop, settings, settings_change, run_id }: &SettingsWritten) -> String {
    let mut pairs = of_shop(settings);
    pairs.push(("version", version(settings_change)));
    let text = format!("{shop}\n{}", labelled(&pairs));
    match run_id {
        Some(run) => {
            format!("{text}\nWhat this changes for orders is looked at: `roundtrip resync {shop} --show` (run {run})")
        }
        None => text,
    }
}

/// How many orders would go.
pub(crate) fn existing(
    shop: &ShopDomain,
    SettingsTried { existing: Existing { orders, or_more }, .. }: &SettingsTried,
) -> String {
    let more = if *or_more { " or more" } else { "" };
    let (orders, are) = if *orders == 1 { ("1 order".to_owned(), "is") } else { (format!("{orders} orders"), "are") };
    format!("{orders}{more} of {shop} {are} known, not pushed, and nothing speaks against it. Nothing was changed.")
}

/// One connection with all its settings.
pub(crate) fn connection(connection: &Connection) -> String {
    let mut pairs = of_connection(&connection.settings);
    pairs.push(("version", version(&connection.settings_change)));
    format!("{} is served by {}\n{}", connection.destination, connection.source, labelled(&pairs))
}

/// Every version with what it changed, newest first.
pub(crate) fn versions(VersionsAnswer { versions, .. }: &VersionsAnswer) -> String {
    if versions.is_empty() {
        return "All settings are as at first".to_owned();
    }
    let mut table = table();
    for (n, version) in versions.iter().enumerate() {
        let before = versions[n + 1..].iter().find(|before| before.source == version.source);
        let of = version.source.as_ref().map_or_else(|| "the store's own".to_owned(), ToString::to_string);
        let SettingsChange { version: number, at, by } = &version.change;
        let at = at.map(time).unwrap_or_default();
        let by = by.clone().unwrap_or_default();
        table.add_row([at, by, of, format!("version {number}"), changes(version, before)]);
    }
    lay_out(table, &[], 0)
}

/// What a version has otherwise than the one before it; of the first, than all settings are at first.
fn changes(version: &SettingsVersion, before: Option<&SettingsVersion>) -> String {
    let first = if version.source.is_some() {
        serde_json::to_value(ConnectionSettings::default())
    } else {
        serde_json::to_value(ShopSettings::default())
    };
    let first = first.unwrap_or_default();
    let known = before.map_or(&first, |before| &before.settings);
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let now = version.settings.as_object().into_iter().flatten();
    let new = now.filter(|(name, value)| known.get(name) != Some(value));
    let mut changed: Vec<String> = new.map(|(name, value)| format!("{name} {}", plain(value))).collect();
    // What has no value is left out.
    let then = before.and_then(|before| before.settings.as_object()).into_iter().flatten();
    let gone = then.filter(|(name, _)| version.settings.get(name).is_none());
    changed.extend(gone.map(|(name, _)| format!("{name} none")));
    if changed.is_empty() { "as at first".to_owned() } else { changed.join(", ") }
}

fn version(SettingsChange { version, at, by }: &SettingsChange) -> String {
    match (at, by) {
        (Some(at), Some(by)) => format!("{version}, by {by} at {}", time(*at)),
        _ => version.to_string(),
    }
}

fn switch(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn since(on: bool, since: Option<jiff::Timestamp>) -> String {
    since.filter(|_| on).map_or_else(|| switch(on), |moment| format!("on for orders since {}", time(moment)))
}

/// Named one by one: a new setting is not to be forgotten here.
pub(super) fn of_shop(settings: &ShopSettings) -> Pairs {
    let ShopSettings {
        order_sync,
        order_sync_since,
        auto_push,
        auto_push_since,
        email_contact,
        shipping_rates,
        allow_partial_push,
        require_email,
        allow_partially_refunded,
        allow_test,
        plan,
        tracking_sync,
        owners,
    } = settings;
    let contact = match email_contact {
        EmailContact::Customer => "the customer's",
        EmailContact::Admin => "the store's own",
        EmailContact::Custom { email } => email,
    };
    let plan = match plan {
        Plan::Free => "free: a backfill reaches back 7 days",
        Plan::Paid => "paid: a backfill reaches back as far as the store shows its orders",
    };
    vec![
        ("order sync", since(*order_sync, *order_sync_since)),
        ("auto push", since(*auto_push, *auto_push_since)),
        ("e-mail contact", contact.to_owned()),
        ("shipping", shipping(shipping_rates)),
        ("partial push", switch(*allow_partial_push)),
        ("e-mail required", switch(*require_email)),
        ("partially refunded", switch(*allow_partially_refunded)),
        ("test orders", switch(*allow_test)),
        ("plan", plan.to_owned()),
        ("tracking sync", switch(*tracking_sync)),
        ("owners", ruled(owners)),
    ]
}

/// Whom what needs somebody belongs to as a rule.
fn ruled(rules: &[OwnerRule]) -> String {
    let rule = |OwnerRule { code, owner }: &OwnerRule| match code {
        Some(code) => format!("{owner} of {code}"),
        None => format!("{owner} of all others"),
    };
    let rules: Vec<String> = rules.iter().map(rule).collect();
    if rules.is_empty() { "nobody".to_owned() } else { rules.join(", ") }
}

fn shipping(rates: &[ShippingRate]) -> String {
    let mut rates: Vec<&ShippingRate> = rates.iter().collect();
    rates.sort_by_key(|rate| rate.from);
    let rates: Vec<String> = rates.iter().map(|rate| format!("{} from {} on", rate.fee, rate.from)).collect();
    if rates.is_empty() { "0".to_owned() } else { rates.join(", ") }
}

/// Named one by one: a new setting is not to be forgotten here.
pub(super) fn of_connection(settings: &ConnectionSettings) -> Pairs {
    let ConnectionSettings {
        auto_push,
        auto_push_since,
        notify_customer,
        unit_price,
        exchange_rate,
        inventory,
        grace_secs,
        without_tracking,
        overwrite_tracking,
        split_ok,
        cancel_source,
    } = settings;
    let price = match unit_price {
        UnitPrice::Source => "source".to_owned(),
        UnitPrice::Destination => "destination".to_owned(),
        UnitPrice::Percentage(percent) => format!("{percent}% of the destination's"),
    };
    let inventory = match inventory {
        Inventory::Bypass => "bypass",
        Inventory::DecrementObeyingPolicy => "decrement-obeying-policy",
        Inventory::DecrementIgnoringPolicy => "decrement-ignoring-policy",
    };
    let untracked = match without_tracking {
        WithoutTracking::Wait => "wait",
        WithoutTracking::FulfilNow => "fulfil-now",
    };
    vec![
        ("auto push", since(*auto_push, *auto_push_since)),
        ("grace", Seconds(*grace_secs).to_string()),
        ("unit price", price),
        ("exchange rate", exchange_rate.map_or_else(|| "none".to_owned(), |rate| rate.to_string())),
        ("inventory", inventory.to_owned()),
        ("notify customer", switch(*notify_customer)),
        ("without tracking", untracked.to_owned()),
        ("overwrite tracking", switch(*overwrite_tracking)),
        ("split shipments", switch(*split_ok)),
        ("cancel source", switch(*cancel_source)),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_connection_shows_all_its_settings() {
        let settings = ConnectionSettings { grace_secs: 5400, ..ConnectionSettings::default() };
        let by = Some("ada".to_owned());
        let connected = Connection {
            destination: "moon.myshopify.com".parse().unwrap(),
            source: "sun.myshopify.com".parse().unwrap(),
            settings,
            settings_change: SettingsChange { version: 3, at: "2026-07-30T12:00:05Z".parse().ok(), by },
        };

        let text = connection(&connected);

        let expected = "\
moon.myshopify.com is served by sun.myshopify.com
  auto push           on
  grace               1h 30m
  unit price          source
  exchange rate       none
  inventory           bypass
  notify customer     on
  without tracking    wait
  overwrite tracking  on
  split shipments     off
  cancel source       off
  version             3, by ada at 2026-07-30 12:00:05Z";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn versions_say_who_changed_what() {
        let answer = json!({ "shop": "moon.myshopify.com", "versions": [
            { "source": null, "change": { "version": 2, "at": "2026-07-30T13:00:00Z", "by": "bob" },
              "settings": { "order_sync": true, "plan": "paid" } },
            { "source": "sun.myshopify.com", "change": { "version": 1, "at": "2026-07-30T12:30:00Z", "by": "ada" },
              "settings": { "auto_push": true, "grace_secs": 600 } },
            { "source": null, "change": { "version": 1, "at": "2026-07-30T12:00:00Z", "by": "ada" },
              "settings": { "order_sync": true, "order_sync_since": "2026-07-30T12:00:00Z", "plan": "free" } },
        ] });

        let text = versions(&serde_json::from_value(answer).unwrap());

        let expected = "\
2026-07-30 13:00:00Z  bob  the store's own    version 2  plan paid, order_sync_since none
2026-07-30 12:30:00Z  ada  sun.myshopify.com  version 1  grace_secs 600
2026-07-30 12:00:00Z  ada  the store's own    version 1  order_sync true, order_sync_since 2026-07-30T12:00:00Z";
        assert_eq!(text, expected, "\n{text}");
    }
}
