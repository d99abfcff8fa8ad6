//! Programs under measurement: started on a free port of the loopback, ended with this one.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hyper::header::HeaderValue;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::client::Target;

/// How long a program may take until it prints its address.
const START: Duration = Duration::from_secs(60);

/// A running program; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) target: Target,
}

impl Server {
    /// Starts `portreeve serve` on a new database, its own unless `database` says which, and makes a directory in it.
    pub(crate) async fn portreeve(
        program: &Path,
        data: &Path,
        database: Option<&str>,
    ) -> Result<Self> {
        let (child, address) = serve(program, data, database).await?;
        let made = Command::new(program)
            .args([
                "directory",
                "create",
                "bench",
                "--provider",
                "entra",
                "-o",
                "json",
                "--data",
            ])
            .arg(data)
            .kill_on_drop(true)
            .output()
            .await?;
        if !made.status.success() {
            bail!(
                "portreeve directory create failed: {}",
                String::from_utf8_lossy(&made.stderr)
            );
        }
        let directory: Directory =
            serde_json::from_slice(&made.stdout).context("portreeve directory create -o json")?;
        let target = Target {
            address,
            base: directory
                .tenant_url
                .parse::<hyper::Uri>()?
                .path()
                .to_string(),
            authorization: Some(HeaderValue::from_str(&format!(
                "Bearer {}",
                directory.secret_token
            ))?),
            tls: None,
        };
        Ok(Self { child, target })
    }

    /// Starts the bare handlers of this program, as a process of their own.
    pub(crate) async fn bare(answers: &Path, authorization: Option<HeaderValue>) -> Result<Self> {
        Self::own(&["bare".as_ref(), answers.as_os_str()], authorization).await
    }

    /// Starts the bare handlers over SQLite, with so many people in a database of their own.
    pub(crate) async fn floor(
        answers: &Path,
        database: &Path,
        users: u64,
        authorization: Option<HeaderValue>,
    ) -> Result<Self> {
        let users = users.to_string();
        let arguments = [
            "floor".as_ref(),
            answers.as_os_str(),
            database.as_os_str(),
            users.as_ref(),
        ];
        Self::own(&arguments, authorization).await
    }

    async fn own(arguments: &[&OsStr], authorization: Option<HeaderValue>) -> Result<Self> {
        let mut child = start(
            &std::env::current_exe()?,
            arguments,
            Stdio::piped(),
            Stdio::inherit(),
        )?;
        let address = address(child.stdout.take().context("no stdout")?).await?;
        let target = Target {
            address,
            base: String::new(),
            authorization,
            tls: None,
        };
        Ok(Self { child, target })
    }

    /// Ends `portreeve serve` and starts it again on the same data, its own database, at another address.
    pub(crate) async fn moved(mut self, program: &Path, data: &Path) -> Result<Self> {
        self.child.kill().await?;
        let (child, address) = serve(program, data, None).await?;
        let target = Target {
            address,
            ..self.target
        };
        Ok(Self { child, target })
    }

    pub(crate) fn process(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }
}

#[derive(Deserialize)]
struct Directory {
    tenant_url: String,
    secret_token: String,
}

async fn serve(program: &Path, data: &Path, database: Option<&str>) -> Result<(Child, SocketAddr)> {
    let mut arguments = vec![
        OsStr::new("serve"),
        "--data".as_ref(),
        data.as_os_str(),
        "--listen".as_ref(),
        "127.0.0.1:0".as_ref(),
        // One token, and one address, sends everything here.
        "--rate-limit-token".as_ref(),
        "0".as_ref(),
        "--rate-limit-address".as_ref(),
        "0".as_ref(),
    ];
    if let Some(url) = database {
        arguments.extend([OsStr::new("--database"), url.as_ref()]);
    }
    let mut child = start(program, &arguments, Stdio::null(), Stdio::piped())?;
    let address = address(child.stderr.take().context("no stderr")?).await?;
    Ok((child, address))
}

fn start(program: &Path, arguments: &[&OsStr], stdout: Stdio, stderr: Stdio) -> Result<Child> {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| {
            format!(
                "cannot start {}; build it with `cargo build --release -p portreeve-cli`",
                program.display()
            )
        })
}

/// The first `http://ADDRESS:PORT` in what a program prints. What it prints later is read and dropped, so that it
/// never waits for us.
async fn address(output: impl AsyncRead + Unpin + Send + 'static) -> Result<SocketAddr> {
    let mut lines = BufReader::new(output).lines();
    let mut printed = String::new();
    let find = async {
        while let Some(line) = lines.next_line().await? {
            if let Some(address) = address_in(&line) {
                return Ok(address);
            }
            printed = printed.clone() + &line + "\n";
        }
        bail!("the program ended without printing its address:\n{printed}")
    };
    let address = tokio::time::timeout(START, find)
        .await
        .context("the program printed no address in time")??;
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(address)
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ':' | '[' | ']')))
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn the_address_is_found_in_any_log_line() {
        let cases = [
            ("http://127.0.0.1:8460", Some("127.0.0.1:8460")),
            (
                r#"{"message":"ready","url":"http://127.0.0.1:41001/scim"}"#,
                Some("127.0.0.1:41001"),
            ),
            ("ready at http://[::1]:80, metrics off", Some("[::1]:80")),
            ("no address", None),
            ("http://portreeve.example/", None),
        ];
        for (line, wanted) in cases {
            assert_eq!(
                address_in(line),
                wanted.map(|address| address.parse().unwrap()),
                "{line}"
            );
        }
    }
}
