//! A real OpenSSH server: a process for each connection, as inetd starts it, because then the port can be any that is free.

use super::double::Double;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tempfile::TempDir;

pub(super) struct Sshd {
    folder: TempDir,
    port: u16,
    logins: Arc<AtomicUsize>,
}

impl Sshd {
    /// A host of that name, with a certificate. Who is named `ada` in a certificate may log in as whoever runs this.
    pub(super) fn start(double: &Double, name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let at = |file: &str| folder.path().join(file);
        double.certify_host(&at("host"), name);
        fs::write(at("user_ca.pub"), double.user_key()).unwrap();
        Self::serve(folder)
    }

    /// Serves what is in a folder: `host`, `host-cert.pub`, `user_ca.pub`, and `krl` where there is one.
    pub(super) fn serve(folder: TempDir) -> Self {
        let at = |file: &str| folder.path().join(file).display().to_string();
        fs::write(at("principals"), "ada\n").unwrap();
        let mut config = format!(
            "HostKey {}\nTrustedUserCAKeys {}\nAuthorizedPrincipalsFile {}\nAuthorizedKeysFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nPidFile none\n",
            at("host"),
            at("user_ca.pub"),
            at("principals"),
        );
        for (option, file) in [("HostCertificate", "host-cert.pub"), ("RevokedKeys", "krl")] {
            if Path::new(&at(file)).exists() {
                config += &format!("{option} {}\n", at(file));
            }
        }
        fs::write(at("sshd_config"), config).unwrap();
        // Where it runs as root it shuts itself into this folder, which a service manager makes otherwise.
        let _ = fs::create_dir("/run/sshd");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let logins = Arc::new(AtomicUsize::new(0));
        let (counted, config) = (Arc::clone(&logins), at("sshd_config"));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                answer(stream, &config);
            }
        });
        Self {
            folder,
            port,
            logins,
        }
    }

    /// Where its keys are, and the list of what is revoked.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// How often somebody has connected.
    pub(super) fn logins(&self) -> usize {
        self.logins.load(Ordering::SeqCst)
    }

    /// What `ssh` takes to run a command there.
    pub(super) fn login(&self, name: &str, command: &str) -> Vec<String> {
        let port = self.port.to_string();
        let words = ["-p", &port, "-l", &own_name(), name, command];
        words.map(str::to_owned).to_vec()
    }
}

fn answer(stream: TcpStream, config: &str) {
    let stream = OwnedFd::from(stream);
    let other = stream.try_clone().unwrap();
    let started = Command::new("/usr/sbin/sshd")
        .args(["-i", "-f", config])
        .stdin(stream)
        .stdout(other)
        .stderr(Stdio::null())
        .spawn();
    let mut started = started.expect("OpenSSH's server is there; scripts/setup test installs it");
    thread::spawn(move || started.wait());
}

/// The name of whoever runs this.
pub(super) fn own_name() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
