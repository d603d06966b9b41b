//! Waiting for what workers do after the API has answered.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::{Answer, Api};
use crate::trouble::Trouble;

/// As long as the quarantine of a call without an answer. What takes longer is better looked at later.
const AT_MOST: Duration = Duration::from_secs(120);
/// Work usually ends within two seconds.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Reads `path` until the answer is `settled`, or for as long as somebody should wait; returns the last
/// answer either way. What passes by itself is waited out, unless it is still so at the end.
pub(crate) async fn until(
    api: &Api,
    path: &str,
    settled: impl Fn(&Answer) -> Result<bool, Trouble>,
) -> Result<Answer, Trouble> {
    let deadline = Instant::now() + AT_MOST;
    loop {
        let late = Instant::now() >= deadline;
        match api.get(path, &[]).await {
            Ok(answer) if late || settled(&answer)? => return Ok(answer),
            Err(trouble) if late || !trouble.is_passing() => return Err(trouble),
            Ok(_) | Err(_) => tokio::time::sleep(BETWEEN_LOOKS).await,
        }
    }
}
