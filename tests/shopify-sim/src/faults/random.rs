//! Faults by chance, the same for the same seed and sequence of calls.

use serde::{Deserialize, Serialize};

use super::{Fault, WebhookFault};

/// Lets calls and webhooks fail at random.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chaos {
    /// Shop domain; `None` is every shop.
    #[serde(default)]
    pub shop: Option<String>,
    /// Where the dice start.
    pub seed: u64,
    /// From 0 (never) to 1 (always).
    pub probability: f64,
    /// What may go wrong with a call.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What may go wrong with a webhook.
    #[serde(default)]
    pub webhook_faults: Vec<WebhookFault>,
}

/// SplitMix64: a few lines, and enough to spread faults.
#[derive(Default)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn draw<'c, T>(&mut self, probability: f64, choices: &'c [T]) -> Option<&'c T> {
        if choices.is_empty() {
            return None;
        }
        let chance = (self.roll() >> 11) as f64 / (1_u64 << 53) as f64;
        (chance < probability).then(|| &choices[(self.roll() % choices.len() as u64) as usize])
    }
}
