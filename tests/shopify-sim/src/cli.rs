//! What can be typed.

mod faults;
mod orders;
mod print;
mod serve;
mod shops;

use std::error::Error;

use clap::{Args, Parser, Subcommand};
use shopify_sim::SimClient;

/// A Shopify that behaves like Shopify, on this machine only.
#[derive(Parser)]
#[command(name = "shopify-sim", version)]
pub(crate) struct Command {
    /// The running simulator.
    #[arg(long, global = true, env = "SHOPIFY_SIM_URL", default_value = "http://127.0.0.1:4570")]
    url: String,
    /// Print whole answers as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the simulator until it is told to stop.
    Serve(serve::Serve),
    /// Shops: create, list, show, set.
    #[command(subcommand)]
    Shop(shops::ShopVerb),
    /// Orders: place, list, show.
    #[command(subcommand)]
    Order(orders::OrderVerb),
    /// The money for an order comes in.
    Pay(orders::OrderArg),
    /// Call an order off and refund it.
    Cancel(orders::Cancel),
    /// Set a line's quantity; 0 removes it.
    Edit(orders::Edit),
    /// Give the money for some units back.
    Refund(orders::Refund),
    /// Put an order's open work on hold.
    Hold(orders::Hold),
    /// Release an order's holds.
    Release(orders::OrderArg),
    /// Route an order now.
    Route(orders::OrderArg),
    /// Give an order's open work to another location.
    Move(orders::Move),
    /// Send goods.
    Ship(orders::ShipArgs),
    /// Give a fulfillment another tracking.
    Tracking(orders::Tracking),
    /// Call a fulfillment back.
    Unship(orders::Unship),
    /// Make calls and webhooks fail.
    #[command(subcommand)]
    Fault(faults::FaultVerb),
    /// What shops were asked, how often, for how many points.
    Calls(Reset),
    /// Webhooks and their attempts.
    Deliveries(Reset),
    /// Send a webhook once more.
    Redeliver {
        /// Its `X-Shopify-Webhook-Id`.
        webhook_id: String,
    },
}

#[derive(Args)]
struct Reset {
    /// Start anew.
    #[arg(long)]
    reset: bool,
}

type Done = Result<(), Box<dyn Error>>;

pub(crate) async fn run(command: Command) -> Done {
    let sim = SimClient::new(&command.url);
    let out = print::Out { json: command.json };
    match command.verb {
        Verb::Serve(serve) => serve.run().await,
        Verb::Shop(verb) => verb.run(&sim, out).await,
        Verb::Order(verb) => verb.run(&sim, out).await,
        Verb::Pay(it) => out.order(&sim.pay(&it.shop, &it.order).await?),
        Verb::Cancel(it) => it.run(&sim, out).await,
        Verb::Edit(it) => it.run(&sim, out).await,
        Verb::Refund(it) => it.run(&sim, out).await,
        Verb::Hold(it) => it.run(&sim, out).await,
        Verb::Release(it) => out.order(&sim.release(&it.shop, &it.order).await?),
        Verb::Route(it) => out.order(&sim.route(&it.shop, &it.order).await?),
        Verb::Move(it) => it.run(&sim, out).await,
        Verb::Ship(it) => it.run(&sim, out).await,
        Verb::Tracking(it) => it.run(&sim, out).await,
        Verb::Unship(it) => out.shipped(&sim.cancel_fulfillment(&it.shop, it.fulfillment).await?),
        Verb::Fault(verb) => verb.run(&sim, out).await,
        Verb::Calls(Reset { reset: true }) => out.count("operations forgotten", sim.reset_calls().await?),
        Verb::Calls(Reset { reset: false }) => out.calls(&sim.calls().await?),
        Verb::Deliveries(Reset { reset: true }) => {
            out.count("deliveries still under way", sim.forget_deliveries().await?)
        }
        Verb::Deliveries(Reset { reset: false }) => out.deliveries(&sim.deliveries().await?),
        Verb::Redeliver { webhook_id } => out.count("webhook sent again", sim.redeliver(&webhook_id).await?),
    }
}
