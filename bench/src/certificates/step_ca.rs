//! Smallstep's `step-ca`, with its own SSH authority and its own database, as `step ca init` makes it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::requests::{Provisioner, Signer};
use super::town::{roots, target};
use crate::client::{Connection, Target};

/// How long it may take to start.
const START: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// A running `step-ca`; it is killed when this is dropped.
pub(super) struct StepCa {
    child: Child,
    pub(super) target: Target,
}

impl StepCa {
    /// Makes its keys, with an Ed25519 key for the certificates of people in the place of the ECDSA one, declares the key of
    /// a provisioner, and starts it.
    pub(super) async fn start(
        program: &Path,
        step: &Path,
        folder: &Path,
        signer: &Signer,
    ) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let password = folder.join("password");
        std::fs::write(&password, "of a benchmark")?;
        // It cannot say which port it was given, so that it is told one that was free a moment ago.
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let kept = Kept {
            step,
            folder,
            password: &password,
        };
        kept.init(&address.to_string()).await?;
        let config = kept.declare(signer).await?;
        let child = Command::new(program)
            .arg(&config)
            .arg("--password-file")
            .arg(&password)
            .env("STEPPATH", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log"))?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let root = std::fs::read(folder.join("certs/root_ca.crt"))?;
        let target = target(address, roots(&root)?);
        let answers = async {
            while Connection::open(&target).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        if tokio::time::timeout(START, answers).await.is_err() {
            bail!(
                "step-ca does not answer:\n{}",
                std::fs::read_to_string(folder.join("log"))?
            );
        }
        Ok(Self { child, target })
    }

    pub(super) fn process(&self) -> Result<u32> {
        self.child.id().context("step-ca has ended")
    }
}

/// What `step` makes in a folder.
struct Kept<'a> {
    step: &'a Path,
    folder: &'a Path,
    password: &'a Path,
}

impl Kept<'_> {
    async fn init(&self, address: &str) -> Result<()> {
        let mut init = self.step();
        init.args([
            "ca",
            "init",
            "--ssh",
            "--deployment-type",
            "standalone",
            "--name",
            "bench",
            "--dns",
            "127.0.0.1",
        ])
        .args([
            "--address",
            address,
            "--provisioner",
            "admin",
            "--password-file",
        ])
        .arg(self.password);
        done(init).await
    }

    /// Changes the configuration; where it is.
    async fn declare(&self, signer: &Signer) -> Result<PathBuf> {
        let key = self.folder.join("secrets/ssh_user_ed25519");
        let mut make = self.step();
        make.args([
            "crypto",
            "keypair",
            "--kty",
            "OKP",
            "--curve",
            "Ed25519",
            "--password-file",
        ])
        .arg(self.password)
        .arg(key.with_extension("pub"))
        .arg(&key);
        done(make).await?;
        let path = self.folder.join("config/ca.json");
        let mut config: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
        config["ssh"]["userKey"] = json!(key);
        config["authority"]["provisioners"] = json!([{
            "type": "JWK",
            "name": Provisioner::NAME,
            "key": signer.jwk()?,
            "claims": {"enableSSHCA": true},
        }]);
        std::fs::write(&path, config.to_string())?;
        Ok(path)
    }

    fn step(&self) -> Command {
        let mut step = Command::new(self.step);
        step.env("STEPPATH", self.folder)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        step
    }
}

async fn done(mut command: Command) -> Result<()> {
    let ended = command.output().await.context("cannot start step")?;
    ensure!(
        ended.status.success(),
        "step failed: {}",
        String::from_utf8_lossy(&ended.stderr)
    );
    Ok(())
}
