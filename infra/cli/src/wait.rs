//! Waiting for what workers do after the API has answered, and showing how it goes.

use std::time::Duration;

use indicatif::ProgressBar;
use tokio::time::Instant;

use crate::api::{Answer, Api};
use crate::trouble::Trouble;

/// As long as the quarantine of a call without an answer. What does not move for longer is better looked at later.
const AT_MOST: Duration = Duration::from_secs(120);
/// Work usually ends within two seconds.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(120);

/// How far something has come.
pub(crate) enum Seen {
    Settled,
    /// Not yet; in a few words, by which a move is seen.
    Open(String),
}

/// Reads `path` until the answer is settled, or for as long as somebody should wait: as it moves, and two minutes more;
/// returns the last answer either way. What passes by itself is waited out, unless it is still so at the end.
pub(crate) async fn until(
    api: &Api,
    path: &str,
    look: impl Fn(&Answer) -> Result<Seen, Trouble>,
) -> Result<Answer, Trouble> {
    let progress = Progress::begin();
    let mut seen = String::new();
    let mut deadline = Instant::now() + AT_MOST;
    loop {
        let answer = api.get(path, &[]).await;
        match (answer, Instant::now() >= deadline) {
            (Ok(answer), late) => match look(&answer)? {
                Seen::Settled => return Ok(answer),
                Seen::Open(now) if now == seen && late => return Ok(answer),
                Seen::Open(now) => {
                    if now != seen {
                        deadline = Instant::now() + AT_MOST;
                    }
                    progress.show(&now);
                    seen = now;
                }
            },
            (Err(trouble), late) if late || !trouble.is_passing() => return Err(trouble),
            (Err(_), _) => {}
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// How far long work has come, on a terminal; nowhere else, and gone when it is done.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows that something is being done.
    pub(crate) fn begin() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Says how far it has come.
    pub(crate) fn show(&self, text: &str) {
        self.0.set_message(text.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
