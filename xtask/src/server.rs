//! A server of the build under test, on a fresh data directory and a free port.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

const STARTUP: Duration = Duration::from_secs(60);

/// A running `portreeve serve`. Dropping it kills the process and removes its data.
pub(crate) struct Server {
    program: PathBuf,
    data: PathBuf,
    /// `host:port`
    pub(crate) address: String,
    /// The same of the listener for metrics.
    pub(crate) metrics: String,
    process: Child,
    log: Option<JoinHandle<()>>,
}

/// What an identity provider is given.
pub(crate) struct Tenant {
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Server {
    /// Starts `program` on the (new) folder `data` and waits until it says that it is ready. Its log goes to `log`.
    pub(crate) fn start(program: &Path, data: PathBuf, log: &Path) -> Result<Self> {
        Self::start_with(program, data, &[], log)
    }

    /// As [`start`](Self::start), with more words on the command line.
    pub(crate) fn start_with(
        program: &Path,
        data: PathBuf,
        words: &[&str],
        log: &Path,
    ) -> Result<Self> {
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        fs::create_dir_all(&data)?;
        let mut process = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let lines = process.stderr.take().context("the server has no stderr")?;
        let (ready, addresses) = mpsc::channel();
        let follower = follow(lines, File::create(log)?, ready);
        let mut server = Self {
            program: program.to_owned(),
            data,
            address: String::new(),
            metrics: String::new(),
            process,
            log: Some(follower),
        };
        (server.address, server.metrics) = addresses.recv_timeout(STARTUP).with_context(|| {
            format!(
                "the server did not say that it is ready; see {}",
                log.display()
            )
        })?;
        Ok(server)
    }

    /// Makes a directory through the command line, as an administrator would.
    pub(crate) fn create_directory(&self, name: &str, options: &[&str]) -> Result<Tenant> {
        let done = Command::new(&self.program)
            .args(["directory", "create", name, "-o", "json", "--data"])
            .arg(&self.data)
            .args(options)
            .output()?;
        ensure!(
            done.status.success(),
            "`portreeve directory create` failed: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        let object: Value = serde_json::from_slice(&done.stdout)
            .context("directory create -o json printed no JSON")?;
        let member = |name: &str| {
            let text = object.get(name).and_then(Value::as_str);
            text.map(str::to_owned)
                .with_context(|| format!("directory create -o json printed no {name}"))
        };
        Ok(Tenant {
            url: member("tenant_url")?,
            token: member("secret_token")?,
        })
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Ends the server as a service manager does, and demands that it ends well.
    pub(crate) fn stop(mut self) -> Result<()> {
        let sent = Command::new("kill")
            .arg(self.process.id().to_string())
            .status()?;
        ensure!(sent.success(), "the server had already ended");
        let status = self.process.wait()?;
        ensure!(
            status.success(),
            "the server ended with {status} on SIGTERM"
        );
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Each fails harmlessly when `stop` has done it already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(log) = self.log.take() {
            let _ = log.join();
        }
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// Copies the server's log, and sends the addresses in its first line that holds any.
fn follow(
    lines: ChildStderr,
    mut log: File,
    ready: mpsc::Sender<(String, String)>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut ready = Some(ready);
        for line in BufReader::new(lines).lines().map_while(Result::ok) {
            // A log that cannot be written loses lines; the server must not block on it.
            let _ = writeln!(log, "{line}");
            if let Some(main) = address(&line)
                && let Some(ready) = ready.take()
            {
                let metrics = line.split_once(", metrics at ");
                let metrics = metrics.and_then(|(_, rest)| rest.split('/').next());
                let _ = ready.send((main, metrics.unwrap_or_default().to_owned()));
            }
        }
    })
}

/// The `host:port` after the first `http://` of a line.
fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || ".:[]".contains(c)))
        .unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_is_found_in_text_and_in_json() {
        for (line, expected) in [
            (
                "INFO ready on http://127.0.0.1:8460/ (pid 7)",
                Some("127.0.0.1:8460"),
            ),
            (
                r#"{"message":"ready","url":"http://127.0.0.1:41001"}"#,
                Some("127.0.0.1:41001"),
            ),
            ("opening the database", None),
        ] {
            assert_eq!(address(line).as_deref(), expected, "{line}");
        }
    }
}
