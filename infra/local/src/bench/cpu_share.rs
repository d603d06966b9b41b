//! The part of a core that Lambda gives a function of 128 MB, by the kernel's own means, as Lambda does it.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A function of 1,769 MB has one core, and less memory has the proportional part.
/// Source: AWS Lambda Developer Guide, "Configure Lambda function memory".
const SHARE: f64 = 128.0 / 1769.0;

/// In what portions a share is handed out, AWS does not say. The kernel's default is 100 ms, which would let 7 ms pass
/// untouched; this is stricter.
pub(crate) const PERIOD: Duration = Duration::from_millis(20);

/// The CPU in one portion.
pub(crate) fn portion() -> Duration {
    PERIOD.mul_f64(SHARE)
}

/// How long this much CPU takes in portions, the first of which is there at once.
pub(crate) fn in_portions(cpu: Duration) -> Duration {
    let pauses = cpu.div_duration_f64(portion()).floor();
    cpu + (PERIOD - portion()).mul_f64(pauses)
}

/// A control group for one process; removed with its drop, by when the process must be gone.
pub(crate) struct CpuShare {
    folder: PathBuf,
    version: Version,
}

/// The two interfaces that kernels have for control groups.
#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
}

impl CpuShare {
    /// Tries whether this machine lets us limit anything; if not, says why.
    pub(crate) fn is_possible() -> Result<(), String> {
        Self::of_128_mb()?.limit()
    }

    /// A group for the share of 128 MB, not yet limited.
    pub(crate) fn of_128_mb() -> Result<Self, String> {
        let (parent, version) = if Path::new("/sys/fs/cgroup/cpu/cpu.shares").exists() {
            ("/sys/fs/cgroup/cpu", Version::One)
        } else {
            ("/sys/fs/cgroup", Version::Two)
        };
        let folder = Path::new(parent).join(format!("roundtrip-bench-{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self { folder, version })
    }

    /// Takes a process in.
    pub(crate) fn admit(&self, process: u32) -> Result<(), String> {
        self.write("cgroup.procs", &process.to_string())
    }

    /// From now on the process gets no more than its share. Lambda, too, begins only after the start, which runs on
    /// full cores.
    pub(crate) fn limit(&self) -> Result<(), String> {
        let period = PERIOD.as_micros();
        let quota = portion().as_micros();
        match self.version {
            Version::One => {
                self.write("cpu.cfs_period_us", &period.to_string())?;
                self.write("cpu.cfs_quota_us", &quota.to_string())
            }
            Version::Two => self.write("cpu.max", &format!("{quota} {period}")),
        }
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(file);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.folder); // At worst an empty group is left until the next boot.
    }
}
