//! A function's process, and what it has used.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use roundtrip_kit::dynamodb::project;
use tokio::process::{Child, Command};

use crate::subject::Subject;

/// A function that runs; it is killed with its drop.
pub(crate) struct Process {
    child: Child,
    proc: PathBuf,
}

impl Process {
    /// Starts `subject` against the host at `address`, with nothing of our environment but the path.
    pub(crate) fn start(subject: &Subject, address: &str) -> Result<Self, String> {
        let log = log(subject)?;
        let child = Command::new(&subject.command[0])
            .args(&subject.command[1..])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment(address))
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(|error| error.to_string())?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", subject.command[0].display()))?;
        let proc = Path::new("/proc").join(child.id().expect("it was just started").to_string());
        Ok(Self { child, proc })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it is not waited for before `end`")
    }

    /// CPU that all its threads have used, user and system. Counted by the scheduler, not by ticks.
    pub(crate) fn cpu(&self) -> Result<Duration, String> {
        let threads = std::fs::read_dir(self.proc.join("task")).map_err(|error| unreadable(&error))?;
        let mut total = Duration::ZERO;
        for thread in threads.flatten() {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).map_err(|error| unreadable(&error))?;
            let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
            total += Duration::from_nanos(nanoseconds.ok_or("schedstat is not understood")?);
        }
        Ok(total)
    }

    /// The most memory that it had at a time.
    pub(crate) fn peak_memory_bytes(&self) -> Result<u64, String> {
        let status = std::fs::read_to_string(self.proc.join("status")).map_err(|error| unreadable(&error))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.map(|kibibytes| kibibytes * 1024).ok_or_else(|| "status has no VmHWM".to_owned())
    }

    /// Kills it and waits until it is gone.
    pub(crate) async fn end(mut self) {
        let _ = self.child.kill().await; // It may have ended by itself.
    }
}

fn unreadable(error: &std::io::Error) -> String {
    format!("what a process has used is read from Linux's /proc: {error}; see .local/logs/bench-*.log")
}

fn log(subject: &Subject) -> Result<std::fs::File, String> {
    let folder = project().join(".local/logs");
    let path = folder.join(format!("bench-{}.log", subject.id));
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::File::create(&path))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// What template.yaml sets for `webhook-intake`, and what Lambda adds.
fn environment(address: &str) -> Vec<(String, String)> {
    let template = roundtrip_kit::template::read();
    let everywhere = &template["Globals"]["Function"]["Environment"]["Variables"];
    let own = &template["Resources"]["WebhookIntakeFunction"]["Properties"]["Environment"]["Variables"];
    let variables = [everywhere, own].into_iter().filter_map(|variables| variables.as_object()).flatten();
    // A reference reads as the name of what it refers to; a queue's is its URL.
    let of_template = variables.map(|(name, value)| {
        let value = value.as_str().unwrap_or_default();
        let value =
            if name.ends_with("_URL") { format!("http://{address}/000000000000/{value}") } else { value.into() };
        (name.clone(), value)
    });
    let endpoint = format!("http://{address}");
    let of_lambda = [
        ("AWS_LAMBDA_RUNTIME_API", address),
        ("AWS_LAMBDA_FUNCTION_NAME", "roundtrip-webhook-intake"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/roundtrip-webhook-intake"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_SESSION_TOKEN", "bench"),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("TZ", ":UTC"),
        ("LANG", "en_US.UTF-8"),
    ];
    let of_lambda = of_lambda.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    of_template.chain(of_lambda).collect()
}
