//! The machine.

use crate::{Error, Said, needs};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// What the first process runs.
const INIT: &str = include_str!("init.sh");
/// So often another port is tried: between being found free and being used, somebody else may take it.
const TRIES: usize = 3;
/// Where programs are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What is waited for comes sooner, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// A running machine. It ends with its owner, however that ends, and leaves nothing.
#[derive(Debug)]
pub struct Machine {
    name: String,
    port: u16,
    /// Its first process, as the system beneath counts.
    pid: u32,
    unshare: Child,
    /// While this is open the machine lives.
    lifeline: Option<ChildStdin>,
}

impl Machine {
    /// A machine of this name, with its OpenSSH server running and nobody in it but the system's own accounts and `warden`,
    /// a local account that may become root and stands for the way in when all else fails.
    ///
    /// # Errors
    /// If this system cannot have one, and why.
    pub fn start(name: &str) -> Result<Self, Error> {
        static NEEDS: OnceLock<Option<String>> = OnceLock::new();
        if let Some(wanting) = NEEDS.get_or_init(needs) {
            return Err(Error::Impossible(wanting.clone()));
        }
        let mut last = Self::try_start(name);
        for _ in 1..TRIES {
            if last.is_ok() {
                break;
            }
            last = Self::try_start(name);
        }
        last
    }

    fn try_start(name: &str) -> Result<Self, Error> {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(Error::io("no free port"))?
            .port();
        let mut unshare = Command::new("/usr/bin/unshare")
            .args(["--mount", "--pid", "--uts", "--fork", "--"])
            .args(["/bin/sh", "-c", INIT, "init", name, &port.to_string()])
            .env_clear()
            .env("PATH", PATH)
            // Whoever interrupts this program at its terminal has it end the machine in its own time.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io("unshare cannot be run"))?;
        let lifeline = unshare.stdin.take();
        let said = unshare.stdout.take().map(BufReader::new);
        let pid = said
            .into_iter()
            .flat_map(BufRead::lines)
            .map_while(Result::ok);
        let pid = pid
            .filter_map(|line| line.strip_prefix("machine ")?.parse().ok())
            .next();
        match pid {
            Some(pid) => Ok(Self {
                name: name.to_owned(),
                port,
                pid,
                unshare,
                lifeline,
            }),
            None => {
                drop(lifeline);
                let output = unshare.wait_with_output();
                let output = output.map_err(Error::io("unshare cannot be awaited"))?;
                Err(Error::Start {
                    name: name.to_owned(),
                    said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                })
            }
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its OpenSSH server listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A program of the machine, run by its root in its root folder, to be started.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("/usr/bin/nsenter");
        command
            .args([
                "--target",
                &self.pid.to_string(),
                "--mount",
                "--uts",
                "--pid",
                "--",
            ])
            .arg(program)
            .env_clear()
            .envs([
                ("PATH", PATH),
                ("HOME", "/root"),
                ("USER", "root"),
                ("LANG", "C.UTF-8"),
            ])
            .stdin(Stdio::null());
        command
    }

    /// Runs a script of the machine's shell as root, to its end.
    ///
    /// # Errors
    /// If the shell cannot be run; how the script ends is in the answer.
    pub fn try_run(&self, script: &str) -> Result<Said, Error> {
        let mut shell = self.command("/bin/sh");
        let output = shell.args(["-c", script]).output();
        Ok(output.map_err(Error::io("nsenter cannot be run"))?.into())
    }

    /// Runs a script of the machine's shell as root, which must end well. What it printed.
    ///
    /// # Errors
    /// What the script said, if it failed.
    pub fn run(&self, script: &str) -> Result<String, Error> {
        let said = self.try_run(script)?;
        match said.good() {
            true => Ok(said.out),
            false => Err(Error::Failed(format!("{}: {script}: {said}", self.name))),
        }
    }

    /// Writes a file of root's, with the folders it is in, in place of the one there.
    ///
    /// # Errors
    /// If the machine cannot.
    pub fn write(&self, path: &str, mode: u32, text: impl AsRef<[u8]>) -> Result<(), Error> {
        let what = || format!("{path} cannot be written on {}", self.name);
        let mut install = self.command("/usr/bin/install");
        let mut child = install
            .args(["-D", "-m", &format!("{mode:04o}"), "/dev/stdin", path])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io(what()))?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(text.as_ref()).map_err(Error::io(what()))?;
        }
        let said: Said = child.wait_with_output().map_err(Error::io(what()))?.into();
        match said.good() {
            true => Ok(()),
            false => Err(Error::Failed(format!("{}: {said}", what()))),
        }
    }

    /// Puts a program of the system beneath on the machine.
    ///
    /// # Errors
    /// If it is not there, or does not fit.
    pub fn install(&self, program: &Path, path: &str) -> Result<(), Error> {
        let what = format!("{} cannot be put on {}", program.display(), self.name);
        let file = File::open(program).map_err(Error::io(what.clone()))?;
        let mut install = self.command("/usr/bin/install");
        let install = install.args(["-D", "-m", "0755", "/dev/stdin", path]);
        let output = install
            .stdin(file)
            .output()
            .map_err(Error::io(what.clone()))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(Error::Failed(format!("{what}: {}", Said::from(output)))),
        }
    }

    /// What is in a file of the machine.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, path: &str) -> Result<String, Error> {
        self.run(&format!("cat -- '{path}'"))
    }

    /// The public key of its OpenSSH server.
    ///
    /// # Errors
    /// If it has none.
    pub fn host_key(&self) -> Result<String, Error> {
        self.read("/etc/ssh/ssh_host_ed25519_key.pub")
            .map(|line| line.trim_end().to_owned())
    }

    /// Has `warden` log in with this public key.
    ///
    /// # Errors
    /// If the machine cannot be written to.
    pub fn welcome_warden(&self, key: &str) -> Result<(), Error> {
        let keys = "~warden/.ssh/authorized_keys";
        self.run(&format!(
            "umask 077; echo '{key}' >{keys} && chown warden: {keys}"
        ))
        .map(drop)
    }

    /// Has the OpenSSH server read its configuration anew, and waits until it has.
    ///
    /// # Errors
    /// If it does not come back; with what it has to say about its configuration.
    pub fn reload_sshd(&self) -> Result<(), Error> {
        self.run("/usr/sbin/sshd -t")?;
        let listening = "grep -c 'Server listening on' /var/log/auth.log || true";
        let before = self.run(listening)?;
        self.run("kill -HUP \"$(cat /run/sshd.pid)\"")?;
        self.eventually("a reload of the OpenSSH server", || {
            Ok(self.run(listening)? != before)
        })
    }

    /// Waits until something is so.
    ///
    /// # Errors
    /// If it is not within 20 seconds, or cannot be found out.
    pub fn eventually(
        &self,
        what: &str,
        mut is: impl FnMut() -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let begun = now();
        while !is()? {
            if begun.elapsed() > PATIENCE {
                let what = format!("on {}: {what}", self.name);
                return Err(Error::Late(what, PATIENCE.as_secs()));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // Its first process ends by itself now, and with it all others.
        let _ = self.unshare.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a real machine is waited for is a matter of real time"
)]
fn now() -> Instant {
    Instant::now()
}
