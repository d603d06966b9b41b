//! Gets Shopify's schema from npm, once.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Shopify's own package that carries its schemas (ISC). Pinned: a test must not change by itself.
const PACKAGE: &str = "@shopify/dev-mcp@1.16.0";
const FILE: &str = "shopify-dev-mcp-1.16.0.tgz";
/// SHA-512 of that file, as npm's registry gives it, in hex.
const SHA512: &str = "b6a8119caeec4218dec3e86dc6d95e4c7db79d70797d972cae15a0124a26b28ac65ef2ce0769a1daea70666f2ecee4c3353667aad2cc7bae3223087ab366b0b7";
const MEMBER: &str = "package/dist/data/admin_2026-10.json.gz";

/// The introspection answer as JSON, or why there is none.
pub(super) fn introspection() -> Result<Vec<u8>, String> {
    let package = package()?;
    let member = run(Command::new("tar").arg("-xzOf").arg(&package).arg(MEMBER), &[])?;
    run(Command::new("gzip").arg("-dc"), &member)
}

/// The package in the target folder, fetched if it is not there.
fn package() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(FILE);
    if !path.exists() {
        run(Command::new("npm").args(["pack", PACKAGE, "--silent", "--pack-destination"]).arg(folder), &[])?;
    }
    let found = sha512(&path)?;
    if found == SHA512 {
        return Ok(path);
    }
    let _ = std::fs::remove_file(&path); // so that the next run fetches it anew
    Err(format!("{FILE} has SHA-512 {found}"))
}

/// By the tool that the system has: GNU's or BSD's.
fn sha512(path: &Path) -> Result<String, String> {
    let gnu = run(Command::new("sha512sum").arg(path), &[]);
    let said = gnu.or_else(|_| run(Command::new("shasum").args(["-a", "512"]).arg(path), &[]))?;
    let said = String::from_utf8_lossy(&said).into_owned();
    said.split_whitespace().next().map(str::to_owned).ok_or_else(|| "no checksum".to_owned())
}

/// A tool's output for this input.
fn run(command: &mut Command, input: &[u8]) -> Result<Vec<u8>, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let stdin = child.stdin.take();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.map(|mut stdin| std::io::Write::write_all(&mut stdin, &input)));
    let output = child.wait_with_output().map_err(failed)?;
    let _ = writer.join(); // a tool that needs no input closes it
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
