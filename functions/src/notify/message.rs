//! What a notification says: plain functions over plain data.

use jiff::Timestamp;
use roundtrip_api::incidents::{IncidentsAnswer, ListedIncident, NOTHING, NextCommand};
use roundtrip_domain::event::{DomainEvent, EventKind};
use serde::Deserialize;

/// So many causes are told; `roundtrip incident` has the rest.
const CAUSES: usize = 5;

/// A change of an alarm's state, as CloudWatch tells its topic. Source: CloudWatch User Guide, "Notifying users on alarm
/// changes".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Alarm {
    alarm_name: String,
    /// What it means, where the runbook tells of it, and what to type first; with ` - ` between.
    #[serde(default)]
    alarm_description: Option<String>,
    new_state_value: String,
    #[serde(default)]
    old_state_value: Option<String>,
    #[serde(default)]
    new_state_reason: String,
    #[serde(default)]
    state_change_time: String,
}

impl Alarm {
    pub(super) fn name(&self) -> &str {
        &self.alarm_name
    }

    pub(super) fn is_over(&self) -> bool {
        self.new_state_value == "OK"
    }

    /// What it is about, where the runbook tells of it, and what to type first.
    fn described(&self) -> (&str, &str, &str) {
        let mut parts = self.alarm_description.as_deref().unwrap_or_default().split(" - ");
        let what = parts.next().unwrap_or_default();
        (what, parts.next().unwrap_or("docs/RUNBOOK.md"), parts.next().unwrap_or("roundtrip incident"))
    }
}

/// What people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub subject: String,
    pub text: String,
}

impl Message {
    /// Of an alarm, with what needs somebody now; or why that cannot be told.
    #[must_use]
    pub fn of_alarm(alarm: &Alarm, open: Result<IncidentsAnswer, String>) -> Self {
        let Alarm { alarm_name, new_state_value, new_state_reason, state_change_time, .. } = alarm;
        let (what, runbook, look) = alarm.described();
        let open = match open {
            Ok(incidents) => told(&incidents),
            Err(error) => format!("What needs somebody cannot be told: {error}"),
        };
        let text = format!(
            "{what}\n\nWhy      {new_state_reason}\nSince    {state_change_time}\nRunbook  {runbook}\n\n{open}\n\nLook     {look}"
        );
        Self { subject: format!("{new_state_value}: {alarm_name}"), text }
    }

    /// Of an alarm that is over. `None`: it never was, as with each alarm of a new stack, which finds that all is well.
    #[must_use]
    pub fn of_end(alarm: &Alarm) -> Option<Self> {
        let Alarm { alarm_name, old_state_value, state_change_time, .. } = alarm;
        let (what, ..) = alarm.described();
        let text = format!("{what}\n\nThat is over since {state_change_time}.");
        let was_amiss = old_state_value.as_deref().is_none_or(|state| state == "ALARM");
        was_amiss.then(|| Self { subject: format!("OK: {alarm_name}"), text })
    }

    /// Of an event that people have to know; `None`: they need not.
    #[must_use]
    pub fn of_event(event: &DomainEvent) -> Option<Self> {
        let DomainEvent { shop, at, .. } = event;
        let (what, why, look, heading) = match &event.kind {
            EventKind::ShopPaused { failure } => (
                "a store does not let us in: its work waits, nothing of it is lost".to_owned(),
                format!("{}: {}", failure.code, failure.last_error.as_deref().unwrap_or("no more is known")),
                format!("roundtrip shop show {shop}"),
                "A store is `paused`",
            ),
            EventKind::WebhooksMissed { run, found, fixed } => (
                format!("a resync found {found} orders of which no webhook had told; {fixed} are looked after already"),
                format!("run {run}"),
                format!("roundtrip resync {shop} --show"),
                "A resync found something",
            ),
            EventKind::SubscriptionsHealed { topics } => (
                "a store had stopped to tell of something; its subscriptions were made again".to_owned(),
                topics.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
                format!("roundtrip resync {shop} --show"),
                "A subscription was made again",
            ),
            EventKind::BackfillStalled { run, requested_at } => (
                "a store was asked for its orders, and has not answered for a quarter of an hour".to_owned(),
                format!("run {run}, asked for at {}", time(*requested_at)),
                format!("roundtrip resync {shop} --show"),
                "A run stays requested",
            ),
            // Alarms tell of these, many at once.
            EventKind::PushFailed { .. } | EventKind::WritebackFailed { .. } => return None,
            EventKind::OrderPushed { .. } | EventKind::TrackingWrittenBack { .. } => return None,
        };
        let name = event.kind.name();
        let at = time(*at);
        let text = format!(
            "{what}\n\nWhy      {why}\nSince    {at}\nStore    {shop}\nRunbook  docs/RUNBOOK.md, {heading}\n\nLook     {look}"
        );
        Some(Self { subject: format!("{name}: {shop}"), text })
    }

    /// As a chat shows it: the subject first, the rest as it is laid out.
    #[must_use]
    pub fn in_chat(&self) -> String {
        format!("*{}*\n```\n{}\n```", self.subject, self.text)
    }
}

fn told(IncidentsAnswer { incidents, count, more }: &IncidentsAnswer) -> String {
    if incidents.is_empty() {
        return format!("Open     {NOTHING}");
    }
    let least = if *more { "at least " } else { "" };
    let causes = incidents.len();
    let mut text = vec![format!("Open     {least}{count}, of {causes} cause{}", if causes == 1 { "" } else { "s" })];
    // What happened last is what the alarm is about.
    let mut latest_first: Vec<&ListedIncident> = incidents.iter().collect();
    latest_first.sort_by_key(|incident| std::cmp::Reverse(incident.latest));
    text.extend(latest_first.into_iter().take(CAUSES).map(incident));
    if causes > CAUSES {
        text.push(format!("… and {} more causes", causes - CAUSES));
    }
    text.join("\n\n")
}

fn incident(incident: &ListedIncident) -> String {
    let ListedIncident { code, kind, failed_at, count, since, shops, remedy, commands, .. } = incident;
    let shops: Vec<&str> = shops.iter().map(|shop| shop.as_str()).collect();
    let mut text = vec![
        format!("{count} x {code}: {kind} at {failed_at}"),
        format!("  oldest   {}", time(*since)),
        format!("  of       {}", shops.join(", ")),
        format!("  owner    {}", incident.owned_by()),
    ];
    text.extend(incident.last_failure.as_ref().map(|failure| format!("  last     {}", failure.message)));
    text.push(format!("  remedy   {remedy}"));
    // What ends all of them, or at least shows them.
    let ends = |next: &&NextCommand| ["redrive", "purge"].contains(&next.to.as_str());
    text.extend(
        commands
            .iter()
            .find(ends)
            .or(commands.first())
            .map(|NextCommand { to, command }| format!("  {to:<9}{command}")),
    );
    text.join("\n")
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alarm(state: &str) -> Alarm {
        serde_json::from_value(json!({
            "AlarmName": "roundtrip-order-push-dlq",
            "AlarmDescription": "A push waits for a person - docs/RUNBOOK.md, A message on a dead-letter queue. - roundtrip incident",
            "OldStateValue": "INSUFFICIENT_DATA", "NewStateValue": state, "NewStateReason": "Threshold Crossed: Maximum 41.0",
            "StateChangeTime": "2026-11-23T03:00:00.000+0000", "Region": "EU (Frankfurt)", "AWSAccountId": "1",
        }))
        .unwrap()
    }

    fn open(causes: usize) -> IncidentsAnswer {
        let incident = json!({
            "cause": "5f3a91c2", "code": "CHANNEL_UNAVAILABLE", "meaning": "…", "kind": "push",
            "failed_at": "sun.myshopify.com", "count": 40, "shops": ["mars.myshopify.com", "moon.myshopify.com"],
            "since": "2026-11-23T01:00:00Z", "latest": "2026-11-23T02:58:00Z",
            "owners": [{ "owner": "ada", "until": "2026-11-30T03:00:00Z" }, { "owner": "warehouse" }], "unowned": 3,
            "last_failure": { "at": "2026-11-23T02:58:00Z", "code": "CHANNEL_UNAVAILABLE", "message": "HTTP 503" },
            "remedy": "redrive when the store answers", "help": "…",
            "commands": [
                { "to": "see", "command": "roundtrip incident show 5f3a91c2" },
                { "to": "redrive", "command": "roundtrip dlq redrive --cause 5f3a91c2 --canary 1 --reason \"…\" --wait" },
            ],
        });
        serde_json::from_value(json!({ "count": 40 * causes, "incidents": vec![incident; causes] })).unwrap()
    }

    #[test]
    fn an_alarm_says_what_is_open_since_when_whose_who_owns_it_and_what_to_type() {
        let expected = "\
A push waits for a person

Why      Threshold Crossed: Maximum 41.0
Since    2026-11-23T03:00:00.000+0000
Runbook  docs/RUNBOOK.md, A message on a dead-letter queue.

Open     40, of 1 cause

40 x CHANNEL_UNAVAILABLE: push at sun.myshopify.com
  oldest   2026-11-23 01:00:00Z
  of       mars.myshopify.com, moon.myshopify.com
  owner    ada until 2026-11-30 03:00:00Z, warehouse; nobody of 3
  last     HTTP 503
  remedy   redrive when the store answers
  redrive  roundtrip dlq redrive --cause 5f3a91c2 --canary 1 --reason \"…\" --wait

Look     roundtrip incident";

        let message = Message::of_alarm(&alarm("ALARM"), Ok(open(1)));

        assert_eq!((message.subject.as_str(), message.text.as_str()), ("ALARM: roundtrip-order-push-dlq", expected));
        assert!(message.in_chat().starts_with("*ALARM: roundtrip-order-push-dlq*\n```\nA push waits"));
    }

    #[test]
    fn of_many_causes_the_latest_are_told_and_how_many_more_there_are() {
        let mut many = open(7);
        many.incidents[6].latest = "2026-11-23T02:59:00Z".parse().unwrap();
        many.incidents[6].failed_at = "pluto.myshopify.com".parse().unwrap();

        let text = Message::of_alarm(&alarm("ALARM"), Ok(many)).text;

        assert!(text.find("pluto").unwrap() < text.find("at sun").unwrap(), "{text}");

        assert_eq!(text.matches("40 x ").count(), 5);
        assert!(text.contains("Open     280, of 7 causes") && text.contains("… and 2 more causes"), "{text}");
    }

    #[test]
    fn an_alarm_is_told_though_the_ledger_is_out_of_reach() {
        let text = Message::of_alarm(&alarm("ALARM"), Err("the ledger cannot list".into())).text;

        assert!(text.contains("What needs somebody cannot be told: the ledger cannot list"), "{text}");
        let nothing = IncidentsAnswer { incidents: vec![], count: 0, more: false };
        let text = Message::of_alarm(&alarm("ALARM"), Ok(nothing)).text;
        assert!(text.contains("\n\nOpen     nothing is parked, and "), "{text}");
    }

    #[test]
    fn what_is_over_is_said_in_a_line() {
        let over = Alarm { old_state_value: Some("ALARM".into()), ..alarm("OK") };

        let message = Message::of_end(&over).unwrap();

        assert_eq!(message.subject, "OK: roundtrip-order-push-dlq");
        assert_eq!(message.text, "A push waits for a person\n\nThat is over since 2026-11-23T03:00:00.000+0000.");
    }

    #[test]
    fn a_new_alarm_that_is_well_tells_nobody() {
        assert_eq!(Message::of_end(&alarm("OK")), None);
    }

    #[test]
    fn an_alarm_says_where_to_look_at_what_it_is_about() {
        let description =
            "No webhook has come - docs/RUNBOOK.md, No webhook has come. - aws logs tail /aws/lambda/r-webhook-intake";
        let silent = Alarm { alarm_description: Some(description.into()), ..alarm("ALARM") };

        let text = Message::of_alarm(&silent, Ok(open(0))).text;

        assert!(text.ends_with("\n\nLook     aws logs tail /aws/lambda/r-webhook-intake"), "{text}");
    }

    #[test]
    fn an_event_that_people_have_to_know_names_store_cause_and_command() {
        let event = |kind: serde_json::Value| -> DomainEvent {
            let mut event =
                json!({ "version": 1, "id": "…", "at": "2026-11-23T03:00:00Z", "shop": "sun.myshopify.com" });
            event.as_object_mut().unwrap().extend(kind.as_object().cloned().unwrap());
            serde_json::from_value(event).unwrap()
        };
        let paused = event(json!({
            "type": "ShopPaused", "step": "connect", "code": "ACCESS_DENIED", "attempts": 1, "last_error": "HTTP 401",
        }));

        let expected = "\
a store does not let us in: its work waits, nothing of it is lost

Why      ACCESS_DENIED: HTTP 401
Since    2026-11-23 03:00:00Z
Store    sun.myshopify.com
Runbook  docs/RUNBOOK.md, A store is `paused`

Look     roundtrip shop show sun.myshopify.com";
        let message = Message::of_event(&paused).unwrap();
        assert_eq!((message.subject.as_str(), message.text.as_str()), ("ShopPaused: sun.myshopify.com", expected));
        let missed = event(json!({ "type": "WebhooksMissed", "run": "r", "found": 3, "fixed": 2 }));
        assert!(Message::of_event(&missed).unwrap().text.contains("found 3 orders"));
        let pushed = event(json!({
            "type": "PushFailed", "order": "42", "step": "push/sun.myshopify.com/1", "code": "REJECTED", "attempts": 1,
        }));
        assert_eq!(Message::of_event(&pushed), None, "of these the alarms tell");
    }
}
