//! One server: its folder, its process, and the shell that ends it when we do.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::certificate;
use crate::encoded;
use crate::programs::{Programs, run};

/// Settings of a server that need not survive a crash of the machine.
pub(crate) const FAST: &[(&str, &str)] = &[
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
];

const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", "127.0.0.1"),
    ("max_connections", "400"),
    ("shared_buffers", "128MB"),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("log_min_messages", "warning"),
];

/// The superuser and the first database.
const NAME: &str = "portreeve";

/// Runs the server (the arguments after the first) until it ends or until standard input does. In that case nobody
/// needs the folder (the first argument) any more. A line on standard input means that somebody looks after it.
const KEEPER: &str = r#"
trap '' INT TERM HUP
folder=$1
shift
exec 3<&0
"$@" 3<&- </dev/null >>"$folder/log" 2>&1 &
server=$!
echo "$server"
{
    if ! read -r word <&3; then
        kill -QUIT "$server" 2>/dev/null
        while kill -0 "$server" 2>/dev/null; do sleep 0.02; done
        rm -rf "$folder"
    fi
} >/dev/null 2>&1 &
exec >/dev/null 2>&1 3<&-
wait "$server"
"#;

pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    password: String,
    running: Option<Running>,
}

struct Running {
    keeper: Child,
    pipe: ChildStdin,
    process: u32,
}

impl Server {
    /// Makes a database cluster and starts it.
    pub(crate) fn start(
        programs: &Programs,
        settings: &[(&str, &str)],
        certified: Option<&str>,
    ) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("portreeve-pg-")
            .tempdir()
            .map_err(|error| format!("could not make a folder for PostgreSQL: {error}"))?
            .keep();
        let mut server = Self {
            folder,
            port: 0,
            password: format!("{:016x}{:016x}", random(), random()),
            running: None,
        };
        server.make(programs, certified)?;
        let mut settings = [SETTINGS, settings].concat();
        if certified.is_some() {
            settings.extend_from_slice(certificate::SETTINGS);
        }
        // A free port may be taken by somebody else before the server has it.
        for attempt in 0.. {
            server.port = free_port()?;
            server.configure(&settings)?;
            match server.start_again(programs) {
                Err(_) if attempt < 5 => {}
                done => return done.map(|()| server),
            }
        }
        Ok(server)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn socket_url(&self) -> String {
        let socket = encoded(&self.folder);
        format!("postgresql://{NAME}@{socket}:{}/{NAME}", self.port)
    }

    pub(crate) fn tcp_url(&self) -> String {
        let Self { password, port, .. } = self;
        format!("postgresql://{NAME}:{password}@127.0.0.1:{port}/{NAME}")
    }

    pub(crate) fn process(&self) -> u32 {
        self.running
            .as_ref()
            .expect("the server does not run")
            .process
    }

    /// Starts the server's process, unless it runs, and waits until it answers.
    pub(crate) fn start_again(&mut self, programs: &Programs) -> Result<(), String> {
        if self.running.is_some() {
            return Ok(());
        }
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(&self.folder);
        keeper
            .args(programs.line("postgres"))
            .arg("-D")
            .arg(self.data());
        // A group of its own: what is typed at the terminal must not reach it.
        keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .current_dir("/")
            .process_group(0);
        let mut keeper = keeper
            .spawn()
            .map_err(|error| format!("could not run sh: {error}"))?;
        let pipe = keeper.stdin.take().expect("it is piped");
        let process = first_line(&mut keeper)?;
        self.running = Some(Running {
            keeper,
            pipe,
            process,
        });
        for _ in 0..3000 {
            let mut ready = programs.command("pg_isready");
            ready
                .arg("-q")
                .arg("-h")
                .arg(&self.folder)
                .arg("-p")
                .arg(self.port.to_string());
            if run(ready).is_ok() {
                return Ok(());
            }
            if self.ended() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.stop_hard();
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(format!("PostgreSQL did not start: {}", log.trim()))
    }

    pub(crate) fn stop(&mut self) {
        self.end("-INT", Vec::new());
    }

    pub(crate) fn stop_hard(&mut self) {
        let children = self.running.as_ref().map(|it| children(it.process));
        self.end("-KILL", children.unwrap_or_default());
    }

    fn end(&mut self, signal: &str, more: Vec<u32>) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        // The folder is needed for the next start.
        let _ = running.pipe.write_all(b"stay\n");
        for process in [running.process].into_iter().chain(more) {
            kill(signal, process);
        }
        let _ = running.keeper.wait();
    }

    fn ended(&mut self) -> bool {
        let keeper = self.running.as_mut().map(|it| it.keeper.try_wait());
        !matches!(keeper, Some(Ok(None)))
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn make(&self, programs: &Programs, certified: Option<&str>) -> Result<(), String> {
        let password = self.folder.join("password");
        write(&password, &self.password)?;
        if let Some(name) = certified {
            certificate::make(&self.folder, name)?;
        }
        programs.hand_over(&self.folder)?;
        // An order of text that is not that of its bytes, so that a statement which relies on it is found out.
        let linguistic = ["--locale-provider=icu", "--icu-locale=en-US"];
        let init = |more: &[&str]| {
            let mut initdb = programs.command("initdb");
            initdb.args([
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "-U",
                NAME,
            ]);
            initdb
                .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
                .args(more);
            initdb
                .arg("--pwfile")
                .arg(&password)
                .arg("-D")
                .arg(self.data());
            run(initdb)
        };
        // Versions before 15 do not know how.
        init(&linguistic).or_else(|_| init(&[]))?;
        let mut single = programs.command("postgres");
        single
            .arg("--single")
            .arg("-D")
            .arg(self.data())
            .args(["-c", "fsync=off", "postgres"]);
        let mut child = single
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("could not run postgres: {error}"))?;
        let mut pipe = child.stdin.take().expect("it is piped");
        let said = pipe.write_all(format!("CREATE DATABASE {NAME};\n").as_bytes());
        drop(pipe);
        match (said, child.wait()) {
            (Ok(()), Ok(status)) if status.success() => Ok(()),
            _ => Err("the first database could not be made".to_owned()),
        }
    }

    fn configure(&self, settings: &[(&str, &str)]) -> Result<(), String> {
        let mut text = format!(
            "port = {}\nunix_socket_directories = '{}'\n",
            self.port,
            self.folder.display()
        );
        for (name, value) in settings {
            text.push_str(&format!("{name} = '{value}'\n"));
        }
        write(&self.data().join("postgresql.conf"), &text)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let Running {
                mut keeper, pipe, ..
            } = running;
            // Its end is the keeper's sign.
            drop(pipe);
            let _ = keeper.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A number that nobody else has.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("could not write {}: {error}", path.display()))
}

fn free_port() -> Result<u16, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("there is no free port: {error}"))
}

fn first_line(keeper: &mut Child) -> Result<u32, String> {
    use std::io::{BufRead, BufReader};
    let mut line = String::new();
    let output = keeper.stdout.take().expect("it is piped");
    BufReader::new(output)
        .read_line(&mut line)
        .map_err(|error| format!("the shell said nothing: {error}"))?;
    line.trim()
        .parse()
        .map_err(|_| format!("the shell said {line:?}"))
}

fn kill(signal: &str, process: u32) {
    // It may have ended by itself.
    let _ = Command::new("kill")
        .arg(signal)
        .arg(process.to_string())
        .stderr(Stdio::null())
        .status();
}

/// The processes whose parent is `process`, from Linux's `/proc/<id>/stat`: `id (name) state parent …`.
fn children(process: u32) -> Vec<u32> {
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let parent = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1));
        parent.and_then(|parent| parent.parse().ok()) == Some(process)
    };
    ids.filter(is_child).collect()
}
