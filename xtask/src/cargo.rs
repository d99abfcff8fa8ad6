//! What `cargo metadata` and git say about this workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The workspace's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// A member of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the root.
    pub(crate) folder: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A line of a member's `[dependencies]`, `[dev-dependencies]` or `[build-dependencies]`.
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) for_tests_only: bool,
}

pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    /// Where cargo builds into.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Reads the manifests; builds and fetches nothing.
    pub(crate) fn read() -> Result<Self> {
        let text = output(Command::new("cargo").args([
            "metadata",
            "--format-version=1",
            "--no-deps",
            "--locked",
        ]))?;
        let metadata: Value =
            serde_json::from_str(&text).context("cargo metadata printed no JSON")?;
        let packages = list(&metadata, "packages")
            .iter()
            .map(package)
            .collect::<Result<_>>()?;
        Ok(Self {
            packages,
            target: PathBuf::from(string(&metadata, "target_directory")?),
        })
    }
}

fn package(value: &Value) -> Result<Package> {
    let manifest = PathBuf::from(string(value, "manifest_path")?);
    let folder = manifest.parent().unwrap_or(root());
    let dependencies = list(value, "dependencies")
        .iter()
        .map(|dependency| {
            Ok(Dependency {
                name: string(dependency, "name")?.to_owned(),
                for_tests_only: dependency.get("kind").and_then(Value::as_str) == Some("dev"),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Package {
        name: string(value, "name")?.to_owned(),
        folder: folder.strip_prefix(root()).unwrap_or(folder).to_owned(),
        dependencies,
    })
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn string<'v>(value: &'v Value, name: &str) -> Result<&'v str> {
    value
        .get(name)
        .and_then(Value::as_str)
        .with_context(|| format!("cargo metadata has no `{name}`"))
}

/// The project's own files, relative to the root: tracked ones and new ones, not what git ignores.
pub(crate) fn files() -> Result<Vec<PathBuf>> {
    let text = output(Command::new("git").args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut files: Vec<PathBuf> = text.lines().map(PathBuf::from).collect();
    files.retain(|file| root().join(file).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

fn output(command: &mut Command) -> Result<String> {
    let done = command
        .current_dir(root())
        .output()
        .with_context(|| format!("could not run {command:?}"))?;
    ensure!(
        done.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(String::from_utf8(done.stdout)?)
}
