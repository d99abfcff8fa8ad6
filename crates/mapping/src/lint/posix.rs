//! Names of accounts on hosts.

/// The longest name of an account.
const MAX_LENGTH: usize = 32;

/// Accounts that systems bring along, and groups that give power over them: nobody may be named like one.
const RESERVED: [&str; 62] = [
    "_apt",
    "adm",
    "admin",
    "administrator",
    "avahi",
    "backup",
    "bin",
    "centos",
    "chrony",
    "daemon",
    "dbus",
    "debian",
    "disk",
    "docker",
    "ec2-user",
    "fedora",
    "ftp",
    "games",
    "gnats",
    "halt",
    "http",
    "irc",
    "kmem",
    "kvm",
    "libvirt",
    "list",
    "lp",
    "lxd",
    "mail",
    "man",
    "messagebus",
    "mysql",
    "news",
    "nfsnobody",
    "nobody",
    "nogroup",
    "ntp",
    "operator",
    "polkitd",
    "postfix",
    "postgres",
    "proxy",
    "root",
    "rpc",
    "rpcuser",
    "shadow",
    "shutdown",
    "sshd",
    "staff",
    "sudo",
    "sync",
    "sys",
    "systemd-network",
    "systemd-resolve",
    "systemd-timesync",
    "toor",
    "tss",
    "ubuntu",
    "uucp",
    "wheel",
    "www-data",
    "www",
];

/// Why a name cannot be the name of an account on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PosixProblem {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// More than 32 characters.
    #[error("it is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// A digit, a hyphen or something else at the start.
    #[error("it does not start with a small letter or _")]
    Start,
    /// Anything but small letters, digits, `_` and `-`.
    #[error("{0:?} cannot be in it")]
    Character(char),
    /// The system has such an account already.
    #[error("it is reserved: systems have an account or a group of that name")]
    Reserved,
}

/// What is wrong with a name for an account: it must be `[a-z_][a-z0-9_-]*`, at most 32 characters, and no account
/// of the system.
pub fn posix_problem(name: &str) -> Option<PosixProblem> {
    let foreign =
        |c: &char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
    let first = name.chars().next();
    match first {
        None => Some(PosixProblem::Empty),
        _ if RESERVED.contains(&name) => Some(PosixProblem::Reserved),
        _ => match name.chars().find(foreign) {
            Some(c) => Some(PosixProblem::Character(c)),
            None if first.is_some_and(|c| c.is_ascii_digit() || c == '-') => {
                Some(PosixProblem::Start)
            }
            None if name.len() > MAX_LENGTH => Some(PosixProblem::TooLong),
            None => None,
        },
    }
}
