//! `fault …`

use clap::{Args, Subcommand};
use shopify_sim::SimClient;
use shopify_sim::faults::{Chaos, Fault, FaultPlan, FaultRule, UserErrorSpec, WebhookFault, WebhookFaultRule};
use shopify_sim::webhooks::Topic;

use super::Done;
use super::print::Out;

#[derive(Subcommand)]
pub(crate) enum FaultVerb {
    /// Let calls fail.
    Call(CallFault),
    /// Let webhooks fail.
    Webhook(HookFault),
    /// Let calls fail at random.
    Chaos {
        /// From 0 to 1.
        #[arg(long)]
        probability: f64,
        /// Where the dice start.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// What may happen; as in `fault call`.
        #[arg(required = true, value_parser = call_fault)]
        faults: Vec<Fault>,
    },
    /// What is still to go wrong.
    List,
    /// Nothing goes wrong any more.
    Clear,
    /// Let held answers go.
    Release,
}

#[derive(Args)]
pub(crate) struct CallFault {
    /// What happens.
    ///
    /// Before the effect: `status:503[:RETRY_AFTER]` (any HTTP status; 429 is the rate limit), `throttled` (the rate limit under HTTP 200),
    /// `internal-error`, `hang:MS` (a time-out), `access-denied:SCOPE`, `reject:MESSAGE` (userErrors).
    /// After the effect: `internal-error-after`, `lose-answer[:MS]` (a time-out), `hold-answer:MS` (until `fault release`).
    /// The effect comes later than the answer: `land-late:MS`.
    #[arg(value_parser = call_fault, verbatim_doc_comment)]
    fault: Fault,
    /// Shop; none: every shop.
    #[arg(long)]
    shop: Option<String>,
    /// GraphQL operation, e.g. OrderCreate; none: every operation.
    #[arg(long)]
    operation: Option<String>,
    /// Calls that it hits.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// Calls that pass first.
    #[arg(long, default_value_t = 0)]
    skip: u32,
}

#[derive(Args)]
pub(crate) struct HookFault {
    /// drop, double, delay:MS, reorder
    #[arg(value_parser = webhook_fault)]
    fault: WebhookFault,
    /// Shop; none: every shop.
    #[arg(long)]
    shop: Option<String>,
    /// e.g. orders/paid; none: every topic.
    #[arg(long, value_parser = topic)]
    topic: Option<Topic>,
    /// Webhooks that it hits.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// Webhooks that pass first.
    #[arg(long, default_value_t = 0)]
    skip: u32,
}

impl FaultVerb {
    pub(super) async fn run(self, sim: &SimClient, out: Out) -> Done {
        let plan = match self {
            Self::Call(it) => {
                let rule = FaultRule {
                    shop: it.shop,
                    operation: it.operation,
                    skip: it.skip,
                    count: it.count,
                    fault: it.fault,
                };
                sim.add_fault(&rule).await?
            }
            Self::Webhook(it) => {
                let rule = WebhookFaultRule {
                    shop: it.shop,
                    topic: it.topic,
                    skip: it.skip,
                    count: it.count,
                    fault: it.fault,
                };
                sim.add_webhook_fault(&rule).await?
            }
            Self::Chaos { probability, seed, faults } => {
                sim.set_chaos(&Chaos { shop: None, seed, probability, faults, webhook_faults: Vec::new() }).await?
            }
            Self::List => sim.faults().await?,
            Self::Clear => sim.clear_faults().await?,
            Self::Release => return out.count("answers released", sim.release_held().await?),
        };
        out.say(&plan, || describe(&plan))
    }
}

fn describe(plan: &FaultPlan) -> String {
    let any = |said: &Option<String>| said.clone().unwrap_or_else(|| "any".to_owned());
    let calls = plan
        .calls
        .iter()
        .map(|it| format!("next {} of {} in {}: {:?}", it.count, any(&it.operation), any(&it.shop), it.fault));
    let webhooks = plan.webhooks.iter().map(|it| {
        let topic = it.topic.map_or("any", Topic::slashed);
        format!("next {} of {topic} from {}: {:?}", it.count, any(&it.shop), it.fault)
    });
    let chaos = plan.chaos.iter().map(|it| format!("{} of all calls: {:?}", it.probability, it.faults));
    let all: Vec<String> = calls.chain(webhooks).chain(chaos).collect();
    if all.is_empty() { "nothing is to go wrong".to_owned() } else { all.join("\n") }
}

fn call_fault(said: &str) -> Result<Fault, String> {
    let (kind, rest) = said.split_once(':').map_or((said, None), |(kind, rest)| (kind, Some(rest)));
    let number = |text: Option<&str>| {
        text.and_then(|text| text.parse::<u64>().ok()).ok_or_else(|| format!("{kind} needs a number: {kind}:1000"))
    };
    Ok(match kind {
        "throttled" => Fault::Throttled,
        "access-denied" => Fault::AccessDenied { scope: rest.unwrap_or("write_orders").to_owned() },
        "internal-error" => Fault::InternalError { effect: false },
        "internal-error-after" => Fault::InternalError { effect: true },
        "lose-answer" => Fault::LoseAnswer { hang_ms: rest.map_or(Ok(0), |rest| number(Some(rest)))? },
        "hang" => Fault::Hang { ms: number(rest)? },
        "land-late" => Fault::LandLate { ms: number(rest)? },
        "hold-answer" => Fault::HoldAnswer { ms: number(rest)? },
        "status" => {
            let (status, retry_after) = rest
                .unwrap_or("500")
                .split_once(':')
                .map_or((rest.unwrap_or("500"), None), |(status, after)| (status, Some(after)));
            let status = status.parse().map_err(|_| format!("{status} is not an HTTP status"))?;
            Fault::Status { status, retry_after_secs: retry_after.map(|after| number(Some(after))).transpose()? }
        }
        "reject" => Fault::Reject {
            user_errors: vec![UserErrorSpec {
                message: rest.unwrap_or("Invalid").to_owned(),
                ..UserErrorSpec::default()
            }],
        },
        _ => return Err(format!("{kind} is not a fault")),
    })
}

fn webhook_fault(said: &str) -> Result<WebhookFault, String> {
    match said.split_once(':').unwrap_or((said, "")) {
        ("drop", _) => Ok(WebhookFault::Drop),
        ("double", _) => Ok(WebhookFault::Double),
        ("reorder", _) => Ok(WebhookFault::Reorder),
        ("delay", ms) => Ok(WebhookFault::Delay { ms: ms.parse().map_err(|_| "write delay:MS".to_owned())? }),
        _ => Err("drop, double, delay:MS or reorder".to_owned()),
    }
}

pub(super) fn topic(said: &str) -> Result<Topic, String> {
    serde_json::from_value(serde_json::Value::String(said.to_owned()))
        .map_err(|_| format!("{said} is not a topic that is sent here"))
}
