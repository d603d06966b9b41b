//! What needs somebody now, by cause.

use jiff::{SignedDuration, SignedDurationRound, Timestamp, Unit};
use roundtrip_api::incidents::{IncidentsAnswer, ListedIncident, NOTHING};

use super::{failure, labelled, time};

/// A paragraph each, the one with the most exceptions first.
pub(crate) fn incidents(found: &IncidentsAnswer, now: Timestamp) -> String {
    let IncidentsAnswer { incidents, count, more } = found;
    if incidents.is_empty() {
        return format!("nothing needs anybody: {NOTHING}");
    }
    let least = if *more { "at least " } else { "" };
    let causes = if incidents.len() == 1 { "1 cause".to_owned() } else { format!("{} causes", incidents.len()) };
    let exceptions = if *count == 1 { "exception" } else { "exceptions" };
    let mut text = vec![format!("{least}{count} {exceptions}, {causes}")];
    text.extend(incidents.iter().map(|incident| self::incident(incident, now)));
    text.join("\n\n")
}

fn incident(incident: &ListedIncident, now: Timestamp) -> String {
    let ListedIncident { code, kind, failed_at, count, .. } = incident;
    let since = format!("{} ({})", time(incident.since), age(now.duration_since(incident.since)));
    let shops: Vec<&str> = incident.shops.iter().map(|shop| shop.as_str()).collect();
    let mut pairs = vec![("means", incident.meaning.clone()), ("since", since)];
    if *count > 1 {
        pairs.push(("latest", time(incident.latest)));
    }
    pairs.push(("of", shops.join(", ")));
    pairs.push(("owner", incident.owned_by()));
    let first = incident.first_failure.as_ref().filter(|first| incident.last_failure.as_ref() != Some(first));
    pairs.extend(first.map(|first| ("first", failure(first))));
    pairs.extend(incident.last_failure.as_ref().map(|last| ("last", failure(last))));
    pairs.push(("remedy", incident.remedy.clone()));
    pairs.extend(incident.commands.iter().map(|next| (next.to.as_str(), next.command.clone())));
    format!("{count} x {code}: {kind} at {failed_at}\n{}", labelled(&pairs))
}

/// `3d 4h`, `12m`: the two units that matter.
pub(super) fn age(age: SignedDuration) -> String {
    let unit = if age.as_hours() >= 24 { Unit::Hour } else { Unit::Minute };
    let rounded = age.round(SignedDurationRound::new().smallest(unit)).unwrap_or(age);
    let (hours, minutes) = (rounded.as_hours(), rounded.as_mins() % 60);
    match (hours / 24, hours % 24) {
        (0, 0) => format!("{minutes}m"),
        (0, hours) => format!("{hours}h {minutes}m"),
        (days, hours) => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn each_cause_says_how_many_since_when_whose_and_what_to_type() {
        let found: IncidentsAnswer = serde_json::from_value(json!({ "count": 41, "incidents": [{
            "cause": "5f3a91c2", "code": "CHANNEL_UNAVAILABLE", "meaning": "the store's API failed", "kind": "push",
            "failed_at": "sun.myshopify.com", "count": 40, "shops": ["mars.myshopify.com", "moon.myshopify.com"],
            "since": "2026-11-23T01:00:00Z", "latest": "2026-11-23T02:58:00Z", "unowned": 40,
            "first_failure": { "at": "2026-11-23T00:50:00Z", "code": "CHANNEL_UNAVAILABLE", "message": "no answer" },
            "last_failure": { "at": "2026-11-23T02:58:00Z", "code": "CHANNEL_UNAVAILABLE", "message": "HTTP 503", "request_id": "r-1" },
            "remedy": "redrive when the store answers", "help": "/v1/help/CHANNEL_UNAVAILABLE",
            "commands": [
                { "to": "see", "command": "roundtrip incident show 5f3a91c2" },
                { "to": "take", "command": "roundtrip incident own 5f3a91c2" },
                { "to": "redrive", "command": "roundtrip dlq redrive --cause 5f3a91c2 --canary 1 --reason \"…\" --wait" },
            ],
        }] }))
        .unwrap();

        let expected = "\
41 exceptions, 1 cause

40 x CHANNEL_UNAVAILABLE: push at sun.myshopify.com
  means    the store's API failed
  since    2026-11-23 01:00:00Z (2h 3m)
  latest   2026-11-23 02:58:00Z
  of       mars.myshopify.com, moon.myshopify.com
  owner    nobody
  first    2026-11-23 00:50:00Z  CHANNEL_UNAVAILABLE: no answer
  last     2026-11-23 02:58:00Z  CHANNEL_UNAVAILABLE: HTTP 503 (Shopify's request r-1)
  remedy   redrive when the store answers
  see      roundtrip incident show 5f3a91c2
  take     roundtrip incident own 5f3a91c2
  redrive  roundtrip dlq redrive --cause 5f3a91c2 --canary 1 --reason \"…\" --wait";
        assert_eq!(incidents(&found, at("2026-11-23T03:03:10Z")), expected);
        let nothing = IncidentsAnswer { incidents: vec![], count: 0, more: false };
        assert_eq!(
            incidents(&nothing, at("2026-11-23T03:03:10Z")),
            "nothing needs anybody: nothing is parked, and no order waits to be changed at its source"
        );
    }

    #[test]
    fn an_age_has_the_two_units_that_matter() {
        let ages = [("PT59S", "1m"), ("PT2H3M", "2h 3m"), ("PT76H10M", "3d 4h")];
        for (age, expected) in ages {
            assert_eq!(super::age(age.parse().unwrap()), expected);
        }
    }
}
