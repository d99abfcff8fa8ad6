//! Finding PostgreSQL's programs and running the short ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian and Ubuntu put the programs of each version: `<this>/<version>/bin`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with `initdb`, `postgres` and `psql`, and how to run them: PostgreSQL refuses to run as root.
pub(crate) struct Programs {
    folder: PathBuf,
    /// The user to become first, when this process is root.
    pub(crate) user: Option<&'static str>,
}

impl Programs {
    pub(crate) fn find() -> Result<Self, String> {
        let folder = newest_debian().or_else(on_path).ok_or(
            "there is no PostgreSQL here: run scripts/setup test, install postgresql, or name a server in PORTREEVE_TEST_POSTGRES",
        )?;
        let user = is_root().then(database_user);
        Ok(Self { folder, user })
    }

    /// The command line that runs one of them, as the right user.
    pub(crate) fn line(&self, program: &str) -> Vec<String> {
        let mut line: Vec<String> = Vec::new();
        if let Some(user) = self.user {
            line.extend(
                ["setpriv", "--reuid", user, "--regid", user, "--init-groups"].map(Into::into),
            );
        }
        line.push(self.folder.join(program).display().to_string());
        line
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let line = self.line(program);
        let mut command = Command::new(&line[0]);
        command
            .args(&line[1..])
            .stdin(Stdio::null())
            .current_dir("/");
        command
    }

    /// Runs statements; the first error ends it.
    pub(crate) fn psql(&self, url: &str, sql: &str) -> Result<(), String> {
        let mut command = self.command("psql");
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]);
        run(command)
    }

    /// Gives a file or folder to the user that the programs run as.
    pub(crate) fn hand_over(&self, path: &Path) -> Result<(), String> {
        let Some(user) = self.user else {
            return Ok(());
        };
        let mut chown = Command::new("chown");
        chown.arg("-R").arg(format!("{user}:{user}")).arg(path);
        run(chown)
    }
}

/// Runs a command to its end. The error is what it said.
pub(crate) fn run(mut command: Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("could not run {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed: {}", said.trim()))
}

fn newest_debian() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN).ok()?.filter_map(Result::ok);
    versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| folder.join("initdb").exists())
        .max()
        .map(|(_, folder)| folder)
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout == b"0\n")
}

/// The packages make a user `postgres`; elsewhere any other than root will do.
fn database_user() -> &'static str {
    let there = Command::new("id").arg("postgres").output();
    if there.is_ok_and(|output| output.status.success()) {
        "postgres"
    } else {
        "nobody"
    }
}
