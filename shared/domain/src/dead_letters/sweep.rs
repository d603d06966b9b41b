//! The sweep: keeps the dead-letter queues true to the ledger, which alone knows what is parked.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::crash::{Crash, note};
use super::{DeadLetterId, these};
use crate::ports::{Ledger, LedgerError, Letter, Letters, ParkedMessage};
use crate::task::{Queue, Task};
use crate::work::Unfinished;

/// Letters of one queue that one run looks at, ten at a time: it has to end within a minute.
const MAX_RECEIVES: usize = 20;

/// What one sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Letters that it looked at.
    pub seen: usize,
    /// Letters taken off: their steps go again, or are done.
    pub removed: usize,
    /// Tasks that crashed, and have a row from now on.
    pub crashed: usize,
    /// Messages that are no letters of ours. They stay for a person to see.
    pub unreadable: usize,
}

/// Looks through the dead-letter queues: a letter of a step that is not parked any more, as it was then, is taken off; a
/// task that crashed gets a row. Whoever dies in between leaves the letter where it is. Trouble with one queue keeps no
/// other from being looked through.
///
/// # Errors
/// The ledger or a queue failed; the next sweep sees what is left.
pub async fn sweep(ledger: &impl Ledger, letters: &impl Letters, now: Timestamp) -> Result<Swept, Unfinished> {
    let mut swept = Swept::default();
    let mut trouble = None;
    for queue in Queue::ALL {
        let mut kept = Vec::new();
        let went = sweep_queue((ledger, letters), queue, (&mut swept, &mut kept), now).await;
        // Nobody is to miss them, least of all whoever counts them.
        let shown = letters.show_again(queue, &kept).await.map_err(Unfinished::from);
        trouble = trouble.or(went.and(shown).err());
    }
    trouble.map_or(Ok(swept), Err)
}

async fn sweep_queue(
    (ledger, letters): (&impl Ledger, &impl Letters),
    queue: Queue,
    (swept, kept): (&mut Swept, &mut Vec<Letter>),
    now: Timestamp,
) -> Result<(), Unfinished> {
    let mut trouble = None;
    for _ in 0..MAX_RECEIVES {
        let received = letters.receive(queue).await?;
        if received.is_empty() {
            break;
        }
        swept.seen += received.len();
        let (parked, others) = split(received);
        let still: BTreeSet<DeadLetterId> = match still_parked(ledger, &parked).await {
            Ok(still) => still,
            // One by one: what cannot be read stays as it is, and keeps no other.
            Err(error) => {
                trouble = trouble.or(Some(error));
                let mut still = BTreeSet::new();
                for (id, _) in &parked {
                    if these(ledger, std::slice::from_ref(id)).await.map_or(true, |letters| !letters.is_empty()) {
                        still.insert(id.clone());
                    }
                }
                still
            }
        };
        for (id, letter) in parked {
            if still.contains(&id) {
                kept.push(letter);
            } else {
                letters.remove(queue, &letter).await?;
                swept.removed += 1;
            }
        }
        for letter in others {
            let Ok(task) = serde_json::from_str::<Task>(&letter.body) else {
                swept.unreadable += 1;
                kept.push(letter);
                continue;
            };
            match note(ledger, queue, &task, letter.sent_at, now).await {
                Ok(Crash::Over) => {
                    letters.remove(queue, &letter).await?;
                    swept.removed += 1;
                    continue;
                }
                Ok(Crash::New) => swept.crashed += 1,
                // Somebody goes on with it just now: the next sweep sees how it came out.
                Ok(Crash::Parked) | Err(LedgerError::Conflict) => {}
                // One row that cannot be read keeps no other letter from being looked at.
                Err(error) => trouble = trouble.or(Some(error)),
            }
            kept.push(letter);
        }
    }
    trouble.map_or(Ok(()), |error| Err(error.into()))
}

/// Letters of steps that were parked, by what they name; and the others.
fn split(letters: Vec<Letter>) -> (Vec<(DeadLetterId, Letter)>, Vec<Letter>) {
    let (mut parked, mut others) = (Vec::new(), Vec::new());
    for letter in letters {
        match serde_json::from_str::<ParkedMessage>(&letter.body) {
            Ok(message) => parked.push((DeadLetterId::of(&message), letter)),
            Err(_) => others.push(letter),
        }
    }
    (parked, others)
}

async fn still_parked(
    ledger: &impl Ledger,
    letters: &[(DeadLetterId, Letter)],
) -> Result<BTreeSet<DeadLetterId>, LedgerError> {
    let ids: Vec<DeadLetterId> = letters.iter().map(|(id, _)| id.clone()).collect();
    Ok(these(ledger, &ids).await?.into_iter().map(|letter| letter.id).collect())
}
