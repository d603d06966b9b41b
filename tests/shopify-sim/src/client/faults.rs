//! What is to go wrong.

use super::{SimClient, SimResult};
use crate::control::Count;
use crate::faults::{Chaos, FaultPlan, FaultRule, HeldAnswer, WebhookFaultRule};

impl SimClient {
    /// Lets calls fail.
    pub async fn add_fault(&self, rule: &FaultRule) -> SimResult<FaultPlan> {
        self.post("faults", rule).await
    }

    /// Lets webhooks fail.
    pub async fn add_webhook_fault(&self, rule: &WebhookFaultRule) -> SimResult<FaultPlan> {
        self.post("faults/webhooks", rule).await
    }

    /// Lets calls and webhooks fail at random.
    pub async fn set_chaos(&self, chaos: &Chaos) -> SimResult<FaultPlan> {
        self.post("faults/chaos", chaos).await
    }

    /// What is still to go wrong.
    pub async fn faults(&self) -> SimResult<FaultPlan> {
        self.get("faults").await
    }

    /// Nothing goes wrong any more; held answers go out.
    pub async fn clear_faults(&self) -> SimResult<FaultPlan> {
        self.delete("faults").await
    }

    /// Answers that are held now: their work is done.
    pub async fn held(&self) -> SimResult<Vec<HeldAnswer>> {
        self.get("held").await
    }

    /// Lets held answers go.
    pub async fn release_held(&self) -> SimResult<Count> {
        self.delete("held").await
    }
}
