//! One start of a function: what it takes until it is ready, for its first invocation and for those after it.

use std::time::{Duration, Instant};

use crate::cpu_share::CpuShare;
use crate::deliveries;
use crate::host::{Call, Host};
use crate::process::Process;
use crate::subject::Subject;

/// How often a warm function is invoked.
const WARM: u32 = 200;

/// After it has asked for the next event, a function may still be busy for a moment (Node compiles and collects in other
/// threads). That counts as well.
const SETTLE: Duration = Duration::from_millis(100);

/// What one start used.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) init_cpu: Duration,
    pub(crate) first_cpu: Duration,
    pub(crate) first_wall: Duration,
    /// Per invocation.
    pub(crate) warm_cpu: Duration,
    pub(crate) peak_memory_bytes: u64,
    /// Calls to AWS before the first invocation.
    pub(crate) init_calls: usize,
}

/// Starts `subject`, invokes it again and again, and checks what it does.
pub(crate) async fn start(subject: &Subject) -> Result<Start, String> {
    let (mut host, process) = ready(subject).await?;
    let init_cpu = settled(&process).await?;
    let init_calls = sent_nothing(&host.take_calls())?;

    let first_wall = deliver(&mut host).await?;
    let after_first = settled(&process).await?;
    for _ in 0..WARM {
        deliver(&mut host).await?;
    }
    let after_warm = settled(&process).await?;
    let peak_memory_bytes = process.peak_memory_bytes()?;

    let answer = host.invoke(&deliveries::forged()).await?;
    deliveries::is_refused(&answer, &host.take_calls())?;
    process.end().await;
    let (first_cpu, warm_cpu) = (after_first - init_cpu, (after_warm - after_first) / WARM);
    Ok(Start { init_cpu, first_cpu, first_wall, warm_cpu, peak_memory_bytes, init_calls })
}

/// How long the first invocation takes where the function gets no more than `share` of a core.
pub(crate) async fn first_invocation_at(share: &CpuShare, subject: &Subject) -> Result<Duration, String> {
    let (mut host, process) = ready(subject).await?;
    share.admit(process.id())?;
    settled(&process).await?;
    sent_nothing(&host.take_calls())?;
    share.limit()?;

    let wall = deliver(&mut host).await?;
    process.end().await;
    Ok(wall)
}

/// A function that has just asked for its first event.
async fn ready(subject: &Subject) -> Result<(Host, Process), String> {
    let mut host = Host::start(deliveries::APP).await;
    let process = Process::start(subject, &host.address)?;
    let name = &subject.name;
    host.idle().await.map_err(|trouble| format!("{name} did not start: {trouble}; see .local/logs/bench-*.log"))?;
    Ok((host, process))
}

async fn settled(process: &Process) -> Result<Duration, String> {
    tokio::time::sleep(SETTLE).await;
    process.cpu()
}

/// Gives the function a signed delivery and waits until it asks for the next. Returns how long the answer took.
async fn deliver(host: &mut Host) -> Result<Duration, String> {
    let event = deliveries::signed();
    let asked = Instant::now();
    let answer = host.invoke(&event).await?;
    let wall = asked.elapsed();
    host.idle().await?;
    deliveries::is_stored(&answer, &host.take_calls())?;
    Ok(wall)
}

/// Init must not send a message. Returns how many calls it made.
fn sent_nothing(calls: &[Call]) -> Result<usize, String> {
    let sent = |call: &Call| call.operation == "AmazonSQS.SendMessage";
    if calls.iter().any(sent) { Err(format!("init sent a message: {calls:?}")) } else { Ok(calls.len()) }
}
