//! Which texts can be paths, ids and names of files, so that they mean nothing else where they are written to.

/// Folders of the system, in which no homes are.
const SYSTEM: [&str; 13] = [
    "bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "tmp", "usr",
];

/// The longest path, in bytes.
const MAX_PATH: usize = 255;

/// The longest id, in bytes.
const MAX_ID: usize = 64;

/// What is wrong with a path of a home or shell: it must be absolute, plain and not the system's.
pub(crate) fn path_problem(path: &str) -> Option<&'static str> {
    let Some(rest) = path.strip_prefix('/') else {
        return Some("it does not start with /");
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "/._@+-".contains(c);
    if !path.chars().all(fits) {
        return Some("it has other characters than letters, digits and ._@+- in it");
    }
    if path.len() > MAX_PATH {
        return Some("it is too long");
    }
    let mut parts = rest.split('/');
    parts
        .any(|part| matches!(part, "" | "." | ".."))
        .then_some("it is not in its plain form")
}

/// What is wrong with the folder that homes are in.
pub fn prefix_problem(prefix: &str) -> Option<&'static str> {
    let system = |first: &str| SYSTEM.contains(&first);
    let first = prefix.split('/').nth(1).unwrap_or_default();
    path_problem(prefix).or(system(first).then_some("that is the system's"))
}

/// Ids of people and of the server are in this form, whatever makes them.
pub(crate) fn id_fits(id: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=MAX_ID).contains(&id.len()) && id.chars().all(fits)
}

/// Whether a local name can be that of a file, and stands for nothing else in one.
pub(crate) fn name_of_file(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    !name.is_empty()
        && name.len() <= MAX_PATH
        && name.chars().all(fits)
        && !name.starts_with(['.', '-'])
}
