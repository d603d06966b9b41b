//! The composition root: the one place where ports meet their adapters.

use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::Error;
use roundtrip_aws::{DynamoLedger, EventBus, Notifications, SqsTasks, Vault, VaultReader};
use roundtrip_connectors::chat::Chat;
use roundtrip_connectors::shopify::ShopifyApi;
use roundtrip_domain::Waits;
use roundtrip_domain::ports::{Clock, Ports};

use crate::config::{self, ProcessEnvironment};
use crate::outbox::Outbox;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Shopify, with tokens from the vault.
pub type Shopify = ShopifyApi<Vault, SystemClock>;

/// What the workers are given.
pub type WorkerPorts = Ports<DynamoLedger, Shopify, Outbox, SystemClock>;

/// A worker's ports.
///
/// # Errors
/// The environment is incomplete.
pub async fn worker() -> Result<WorkerPorts, Error> {
    let env = ProcessEnvironment;
    let sdk = roundtrip_aws::sdk_config().await;
    let vault = Vault::new(&sdk, config::vault(&env)?);
    Ok(Ports {
        ledger: DynamoLedger::new(&sdk, config::tables(&env)?),
        channel: ShopifyApi::new(config::shopify(&env)?, vault, SystemClock)?,
        tasks: Outbox {
            tasks: SqsTasks::new(&sdk, config::queues(&env)),
            events: EventBus::new(&sdk, config::event_bus(&env)?),
        },
        clock: SystemClock,
        waits: config::waits(&env)?,
    })
}

/// What runs every minute is given: no shop is called.
pub type ScheduledPorts = Ports<DynamoLedger, NoChannel, SqsTasks, SystemClock>;

/// In the place of a channel where none is needed; has no methods.
#[derive(Debug, Clone, Copy)]
pub struct NoChannel;

/// The ports of what runs every minute.
///
/// # Errors
/// The environment is incomplete.
pub async fn scheduled() -> Result<ScheduledPorts, Error> {
    let env = ProcessEnvironment;
    let sdk = roundtrip_aws::sdk_config().await;
    Ok(Ports {
        ledger: DynamoLedger::new(&sdk, config::tables(&env)?),
        channel: NoChannel,
        tasks: SqsTasks::new(&sdk, config::queues(&env)),
        clock: SystemClock,
        waits: Waits::default(),
    })
}

/// Intake's parts: the queues, and the reader of the app's secret with its id.
///
/// # Errors
/// The environment is incomplete.
pub async fn intake() -> Result<(SqsTasks, VaultReader, String), Error> {
    let env = ProcessEnvironment;
    let sdk = roundtrip_aws::sdk_config().await;
    Ok((SqsTasks::new(&sdk, config::queues(&env)), VaultReader::new(&sdk), config::app_secret_id(&env)?))
}

/// What tells people: the ledger, to say what needs somebody, and the ways to them.
#[derive(Debug, Clone)]
pub struct People {
    pub ledger: DynamoLedger,
    pub mail: Notifications,
    pub chat: ChatDoor,
}

/// The way into the chat, which may be made, changed or closed at any time.
#[derive(Debug, Clone)]
pub struct ChatDoor {
    vault: VaultReader,
    secret_id: String,
}

impl ChatDoor {
    /// The chat as its secret says now; `None`: there is none.
    ///
    /// # Errors
    /// The secret cannot be read, or the HTTP client not be made.
    pub async fn open(&self) -> Result<Option<Chat>, Error> {
        let webhook = self.vault.chat_webhook(&self.secret_id).await?;
        Ok(webhook.map(Chat::new).transpose()?)
    }
}

/// The parts of what tells people.
///
/// # Errors
/// The environment is incomplete.
pub async fn people() -> Result<People, Error> {
    let env = ProcessEnvironment;
    let sdk = roundtrip_aws::sdk_config().await;
    let (topic, secret_id) = config::notifications(&env)?;
    Ok(People {
        ledger: DynamoLedger::new(&sdk, config::tables(&env)?),
        mail: Notifications::new(&sdk, topic),
        chat: ChatDoor { vault: VaultReader::new(&sdk), secret_id },
    })
}

/// How long a call may sleep for a shop's rate limit: whoever asks waits for one answer, and API Gateway gives up after 29 s.
const API_PATIENCE: Duration = Duration::from_secs(2);

/// The API's parts.
#[derive(Debug, Clone)]
pub struct Api {
    pub ledger: DynamoLedger,
    /// To read products; nothing here changes a shop.
    pub channel: Shopify,
    pub tasks: SqsTasks,
    pub vault: Vault,
    pub operator: roundtrip_aws::OperatorSecret,
}

/// The API's parts; reads the operator secret.
///
/// # Errors
/// The environment is incomplete, or the operator secret cannot be read.
pub async fn ops_api() -> Result<Api, Error> {
    let env = ProcessEnvironment;
    let sdk = roundtrip_aws::sdk_config().await;
    let operator = VaultReader::new(&sdk).operator(&config::operator_secret_id(&env)?).await?;
    let vault = Vault::new(&sdk, config::vault(&env)?);
    let channel = ShopifyApi::new(config::shopify(&env)?, vault.clone(), SystemClock)?;
    channel.set_patience(API_PATIENCE);
    Ok(Api {
        ledger: DynamoLedger::new(&sdk, config::tables(&env)?),
        channel,
        tasks: SqsTasks::new(&sdk, config::queues(&env)),
        vault,
        operator,
    })
}
