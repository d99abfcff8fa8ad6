//! A machine's files in a folder, with a half over them, faults on demand, and documents that are signed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use portreeve_host::apply::{Disk, Files, Greeter, Half, Machine, Silence};
use portreeve_host::config::{Backend, Config, Host};
use portreeve_host::paths::Paths;
use portreeve_host::sessions::Sessions;
use portreeve_host::sshd::{Fault, Reloaded, Sshd};
use portreeve_host::wire::{Answer, Request, State};
use portreeve_host_policy::{
    self as policy, Access, Account, Document, Envelope, Group, Ids, NAMESPACE, Principal, Rules,
    Shared,
};
use portreeve_ssh_cert::Authority;
use portreeve_ssh_cert::authority::KeyType;
use tempfile::TempDir;

pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

/// A local admin, by whom the machine can be reached in every case.
pub(crate) const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
    warden:x:1000:1000:Warden,,,:/home/warden:/bin/bash\n\
    deploy:x:1001:1001::/srv/deploy:/bin/bash\n";

pub(crate) const GROUP: &str = "root:x:0:\nwarden:x:1000:\ndeploy:x:1001:\ndocker:x:998:\n";

/// A folder as the root of a machine.
pub(crate) struct Ground {
    folder: TempDir,
    pub(crate) paths: Paths,
    pub(crate) key: Authority,
    pub(crate) world: Arc<Mutex<World>>,
}

/// What the machine does beside its files, and what becomes of them.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// How many more operations succeed; `None`: all.
    pub(crate) operations: Option<usize>,
    /// How many were tried.
    pub(crate) tried: usize,
    /// Whether what fails is only writing, as on a full disk, and goes on.
    pub(crate) only_writing: bool,
    /// Where nothing can be written.
    pub(crate) full: Option<PathBuf>,
    /// Whose sessions were ended, in order.
    pub(crate) ended: Vec<u32>,
    /// Processes by account.
    pub(crate) processes: BTreeMap<u32, u32>,
    /// Accounts whose processes cannot be ended.
    pub(crate) stubborn: BTreeSet<u32>,
    /// What `sshd` shows to clients; `None`: the file that it is to show.
    pub(crate) shows: Option<Vec<u8>>,
    /// Whether `sshd` takes its configuration.
    pub(crate) refuses: bool,
    /// How often `sshd` was told.
    pub(crate) reloads: usize,
    /// Its version.
    pub(crate) version: Option<(u32, u32)>,
}

#[derive(Clone)]
struct Part(Arc<Mutex<World>>, Paths);

impl Part {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the next operation is still done.
    fn step(&self, writes: bool) -> io::Result<()> {
        let mut world = self.world();
        world.tried += 1;
        if world.only_writing && !writes {
            return Ok(());
        }
        match world.operations {
            Some(0) => Err(ErrorKind::StorageFull.into()),
            Some(left) => {
                world.operations = Some(left - 1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Files for Part {
    fn replace(&mut self, path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
        let full = self.world().full.clone();
        if full.is_some_and(|full| path.starts_with(full)) {
            return Err(ErrorKind::StorageFull.into());
        }
        if let Err(error) = self.step(true) {
            // Whoever is killed while writing leaves half of a file, under another name.
            let name = path.file_name().unwrap().to_str().unwrap();
            let torn = path.with_file_name(format!(".{name}.new~"));
            fs::write(torn, contents.get(..contents.len() / 2).unwrap())?;
            return Err(error);
        }
        // As the disk does it, but without waiting for it.
        let new = path.with_extension("new");
        fs::write(&new, contents)?;
        fs::set_permissions(&new, Permissions::from_mode(mode))?;
        fs::rename(&new, path)
    }

    fn link(&mut self, path: &Path, target: &str) -> io::Result<()> {
        self.step(true)?;
        Disk.link(path, target)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step(false)?;
        Disk.remove(path)
    }
}

impl Sessions for Part {
    fn count(&self, uids: &BTreeSet<u32>) -> BTreeMap<u32, u32> {
        let processes = self.world().processes.clone();
        let found = processes.into_iter();
        found.filter(|(uid, _)| uids.contains(uid)).collect()
    }

    fn end(&mut self, account: &str, uid: u32) -> io::Result<u32> {
        self.step(false)?;
        let mut world = self.world();
        if world.stubborn.contains(&uid) {
            return Err(io::Error::other(format!("{account} does not end")));
        }
        world.ended.push(uid);
        Ok(world.processes.remove(&uid).unwrap_or_default())
    }
}

impl Sshd for Part {
    fn check(&self) -> Result<(), Fault> {
        match self.world().refuses {
            true => Err(Fault::Refused("line 1: no such word".to_owned())),
            false => Ok(()),
        }
    }

    fn reload(&self) -> Result<Reloaded, Fault> {
        self.world().reloads += 1;
        Ok(Reloaded::Told)
    }

    fn effective(&self, _connection: Option<&str>) -> Result<String, Fault> {
        Err(Fault::Missing)
    }
}

impl Greeter for Part {
    fn version(&self) -> Option<(u32, u32)> {
        self.world().version
    }

    fn shows(&self, algorithm: &str) -> Result<Vec<u8>, Silence> {
        if let Some(shows) = self.world().shows.clone() {
            return Ok(shows);
        }
        let line = fs::read_to_string(self.1.host_certificate()).unwrap_or_default();
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            [kind, encoded, ..] if *kind == algorithm => {
                use base64::Engine;
                let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim());
                Ok(decoded.unwrap())
            }
            _ => Err(Silence::None(algorithm.to_owned())),
        }
    }
}

impl Ground {
    /// A machine that is enrolled and has no document yet.
    pub(crate) fn new(backend: Backend) -> Self {
        Self::with_key(backend, authority())
    }

    pub(crate) fn with_key(backend: Backend, key: Authority) -> Self {
        // In memory, where there is such a folder: what is killed here is the program and not the machine.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.unwrap();
        let paths = Paths::new(folder.path());
        let ground = Self {
            folder,
            paths,
            key,
            world: Arc::default(),
        };
        ground.write("/etc/passwd", PASSWD);
        ground.write("/etc/group", GROUP);
        ground.write("/etc/shells", "/bin/sh\n/bin/bash\n");
        let config = Config {
            team: "team-1".to_owned(),
            host: Host {
                id: "host-1".to_owned(),
                name: "web-1".to_owned(),
            },
            user_keys: vec![ground.key.public_openssh("")],
            backend,
            host_key: "/etc/ssh/ssh_host_ed25519_key".to_owned(),
        };
        config.save(&ground.paths).unwrap();
        ground
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.paths.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.paths.at(path)).unwrap()
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A half over this machine, as after a start of the program.
    pub(crate) fn half(&self) -> Half {
        let part = Part(self.world.clone(), self.paths.clone());
        let machine = Machine {
            files: Box::new(part.clone()),
            sessions: Box::new(part.clone()),
            sshd: Box::new(part.clone()),
            greeter: Box::new(part),
        };
        Half::new(self.paths.clone(), machine)
    }

    pub(crate) fn sign(&self, document: &Document) -> Envelope {
        sign(document, &self.key)
    }

    pub(crate) fn ask(&self, request: Request) -> Answer {
        self.half().handle(request, now())
    }

    pub(crate) fn apply(&self, document: &Document) -> Answer {
        self.ask(Request::Apply(self.sign(document)))
    }

    pub(crate) fn state(&self) -> State {
        match self.ask(Request::State {}) {
            Answer::State(state) => *state,
            answer => panic!("{answer:?}"),
        }
    }

    /// Every file of the machine that a document makes, with its contents; links with what they lead to.
    pub(crate) fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        for folder in ["/run", "/etc/ssh/portreeve"] {
            collect(self.folder.path(), &self.paths.at(folder), &mut tree);
        }
        tree
    }
}

fn collect(root: &Path, folder: &Path, tree: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap();
        let name = format!("/{}", name.display());
        match fs::symlink_metadata(&path).unwrap() {
            meta if meta.is_dir() => collect(root, &path, tree),
            meta if meta.is_symlink() => {
                let target = fs::read_link(&path).unwrap();
                tree.insert(name, format!("-> {}", target.display()));
            }
            _ => {
                tree.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
}

pub(crate) fn authority() -> Authority {
    let kind = KeyType::Ed25519;
    Authority::from_pkcs8(kind, &Authority::generate(kind).unwrap()).unwrap()
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn sign(document: &Document, key: &Authority) -> Envelope {
    let document = String::from_utf8(document.to_bytes()).unwrap();
    let signature = key.sign_file(NAMESPACE, document.as_bytes()).unwrap();
    Envelope {
        document,
        signature,
        successors: Vec::new(),
    }
}

/// The code of a refusal; `None`: it was done.
pub(crate) fn code(answer: Answer) -> Option<String> {
    match answer {
        Answer::Refused(refusal) => Some(refusal.code),
        Answer::Done => None,
        answer => panic!("{answer:?}"),
    }
}

/// A document of the first version, for nobody.
pub(crate) fn document(key: &Authority) -> Document {
    let group = |name: &str, gid| Group {
        name: name.to_owned(),
        gid,
    };
    Document {
        format: 1,
        team: "team-1".to_owned(),
        host: policy::Host {
            id: "host-1".to_owned(),
            name: "web-1".to_owned(),
        },
        version: 1,
        issued_at: now(),
        lease_until: None,
        rules: Rules {
            ids: Ids {
                first: 65_536,
                last: 99_999,
            },
            home_prefix: "/home".to_owned(),
            shell: "/bin/bash".to_owned(),
            end_sessions: true,
            people: group("portreeve", 65_536),
            sudo: group("portreeve-sudo", 65_537),
        },
        accounts: Vec::new(),
        groups: vec![group("web", 70_500)],
        shared: Vec::new(),
        user_keys: vec![key.public_openssh("people")],
        host_keys: vec![key.public_openssh("hosts")],
    }
}

/// An account without access.
pub(crate) fn left(id: &str, name: &str, uid: u32) -> Account {
    Account {
        id: id.to_owned(),
        name: name.to_owned(),
        full_name: format!("The {id}"),
        uid,
        gid: uid,
        home: format!("/home/{name}"),
        shell: "/bin/bash".to_owned(),
        access: None,
    }
}

/// An account with access.
pub(crate) fn active(id: &str, name: &str, uid: u32, sudo: bool, groups: &[&str]) -> Account {
    let access = Access {
        until: None,
        sudo,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    Account {
        access: Some(access),
        ..left(id, name, uid)
    }
}

pub(crate) fn shared(account: &str, people: &[&str]) -> Shared {
    let principal = |id: &&str| Principal {
        id: policy::document::principal_of(id),
        until: None,
    };
    Shared {
        account: account.to_owned(),
        principals: people.iter().map(principal).collect(),
    }
}
