//! What is measured: `webhook-intake` as it is deployed, and the same function for Node. Both are built here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use roundtrip_kit::dynamodb::project;
use serde_json::Value;

/// A function that was built.
pub(crate) struct Subject {
    /// For a table's head.
    pub(crate) name: String,
    /// For the names of files.
    pub(crate) id: &'static str,
    pub(crate) command: Vec<PathBuf>,
    /// What is uploaded, unpacked and as a zip.
    pub(crate) artefact_bytes: u64,
    pub(crate) zip_bytes: u64,
}

impl Subject {
    /// Builds `webhook-intake` by the release profile, which is that of a deployment, for this machine's processor.
    pub(crate) fn rust() -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--release", "-p", "roundtrip-functions", "--bin", "webhook-intake"]);
        build.arg("--message-format=json-render-diagnostics").current_dir(project());
        let messages = run(&mut build)?;
        let executable = messages.lines().find_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            message["executable"].as_str().map(PathBuf::from)
        });
        let binary = executable.ok_or("cargo names no executable")?;
        Self::of("rust", "Rust".to_owned(), vec![binary.clone()], &binary)
    }

    /// Bundles the function for Node, or says why it cannot.
    pub(crate) fn node() -> Result<Self, String> {
        let version = run(Command::new("node").arg("--version"))?;
        let source = project().join("infra/local/bench/node-intake");
        let folder = project().join(".local/bench/node-intake");
        let lock = |folder: &Path| std::fs::read(folder.join("package-lock.json")).ok();
        let installed = lock(&folder) == lock(&source) && folder.join("node_modules").exists();
        copy(&source, &folder)?;
        let npm = |what: &[&str]| run(Command::new("npm").args(what).arg("--loglevel=error").current_dir(&folder));
        if !installed {
            npm(&["ci"])?;
        }
        npm(&["run", "build"])?;
        let bundle = folder.join("dist/intake.js");
        let command = vec!["node".into(), folder.join("runtime.js"), bundle.clone()];
        Self::of("node", format!("Node {}", version.trim().trim_start_matches('v')), command, &bundle)
    }

    fn of(id: &'static str, name: String, command: Vec<PathBuf>, artefact: &Path) -> Result<Self, String> {
        let zip = project().join(format!(".local/bench/{id}.zip"));
        let folder = zip.parent().expect("a zip in a folder");
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        // As `sam package` zips.
        run(Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&zip).arg(artefact))?;
        Ok(Self { name, id, command, artefact_bytes: size(artefact)?, zip_bytes: size(&zip)? })
    }
}

fn size(path: &Path) -> Result<u64, String> {
    std::fs::metadata(path).map(|metadata| metadata.len()).map_err(|error| format!("{}: {error}", path.display()))
}

/// The files of a folder without folders in it.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let copied = || -> std::io::Result<()> {
        std::fs::create_dir_all(to)?;
        for file in std::fs::read_dir(from)? {
            let file = file?;
            std::fs::copy(file.path(), to.join(file.file_name()))?;
        }
        Ok(())
    };
    copied().map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}

/// A command's output; its errors and its progress go to the screen.
fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{program} is needed: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "{program} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stdout).trim()
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
