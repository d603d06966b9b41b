//! Answers that are held back until a test lets them go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// An answer that is ready and waits: its work is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldAnswer {
    pub shop: String,
    pub operation: String,
}

#[derive(Default)]
pub(crate) struct Held(Mutex<Vec<(HeldAnswer, Arc<Notify>)>>);

impl Held {
    fn list(&self) -> MutexGuard<'_, Vec<(HeldAnswer, Arc<Notify>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> Vec<HeldAnswer> {
        self.list().iter().map(|(answer, _)| answer.clone()).collect()
    }

    pub(crate) fn release_all(&self) -> usize {
        let released = std::mem::take(&mut *self.list());
        released.iter().for_each(|(_, release)| release.notify_one());
        released.len()
    }

    /// Waits until released, or that long. Forgets the answer even when its caller hangs up meanwhile.
    pub(crate) async fn wait(&self, answer: HeldAnswer, at_most: Duration) {
        let release = Arc::new(Notify::new());
        self.list().push((answer, Arc::clone(&release)));
        let _forget = Forget { held: self, release: &release };
        let _ = tokio::time::timeout(at_most, release.notified()).await; // either way the answer goes out
    }
}

struct Forget<'h> {
    held: &'h Held,
    release: &'h Arc<Notify>,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.held.list().retain(|(_, it)| !Arc::ptr_eq(it, self.release));
    }
}
