use std::time::Duration;

use jiff::Timestamp;

use crate::ports::after;
use crate::wait::WaitReason;

/// How long things wait. Template parameters in production; tests shrink them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// How long a call without an answer belongs to the worker that made it. Longer than the function
    /// timeout plus the time in which a call may still land: that no call lands later is the protocol's
    /// one assumption (docs/adr/0002-push-protocol.md). Default 2 minutes.
    pub quarantine: Duration,
    /// Between two looks for an order whose creation had no answer. Default 30 s: Shopify's search lags.
    pub verify_interval: Duration,
    /// The first wait after a failure; doubles with each further one. Default 30 s.
    pub retry_base: Duration,
    /// How long a shipment may lack its tracking number before it is looked at again. Default 24 h;
    /// a webhook that brings the number ends the wait at once.
    pub awaiting_tracking: Duration,
    /// What changed so recently may have a webhook that is still on its way: a resync leaves it alone. Default
    /// 15 minutes.
    pub webhook_delay: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            quarantine: Duration::from_secs(120),
            verify_interval: Duration::from_secs(30),
            retry_base: Duration::from_secs(30),
            awaiting_tracking: Duration::from_secs(24 * 3600),
            webhook_delay: Duration::from_secs(15 * 60),
        }
    }
}

impl Waits {
    /// Until when the work of a paused shop rests before it is looked whether the shop is back: ten times the
    /// first wait after a failure.
    #[must_use]
    pub fn paused(&self, now: Timestamp) -> (Timestamp, WaitReason) {
        (after(now, self.retry_base * 10), WaitReason::ShopPaused)
    }

    /// The wait before attempt `failed + 1`: base, twice, four times … of it.
    #[must_use]
    pub fn backoff(&self, failed: u32) -> Duration {
        self.retry_base * 2_u32.saturating_pow(failed.saturating_sub(1).min(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait() {
        let waits = Waits { retry_base: Duration::from_secs(30), ..Waits::default() };

        let seconds = [1, 2, 3, 4, 11, u32::MAX].map(|failed| waits.backoff(failed).as_secs());

        assert_eq!(seconds, [30, 60, 120, 240, 30 * 1024, 30 * 1024]);
    }
}
