//! Passwords from a file, as libpq has them ("The Password File" in PostgreSQL's manual).

use std::path::Path;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Takes the password for the first host of `config` from `file`, if it has one. `login` is the user to connect as
/// where `config` names none.
pub(super) fn apply(file: &Path, config: &mut Config, login: Option<String>) {
    let Ok(text) = std::fs::read_to_string(file) else {
        return;
    };
    if open_to_others(file) {
        tracing::warn!(file = %file.display(), "the password file is not used because others may read it: chmod 600");
        return;
    }
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        // A socket in the usual place goes by this name.
        Some(Host::Unix(path)) if path == Path::new(super::url::SOCKETS) => "localhost".to_string(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => return,
    };
    let port = config
        .get_ports()
        .first()
        .copied()
        .unwrap_or(5432)
        .to_string();
    let user = config
        .get_user()
        .map(str::to_string)
        .or(login)
        .unwrap_or_default();
    let database = config.get_dbname().unwrap_or(&user).to_string();
    let password = text
        .lines()
        .find_map(|line| password(line, [&host, &port, &database, &user]));
    if let Some(password) = password {
        config.password(password);
    }
}

/// The last of the five fields of a line, if the others fit. A mere `*` fits anything; a backslash makes the next
/// character an ordinary one.
fn password(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    for wanted in wanted {
        let (field, behind) = split_field(rest)?;
        if field != "*" && unescaped(field) != wanted {
            return None;
        }
        rest = behind;
    }
    Some(unescaped(rest))
}

/// Splits at the first colon that is not escaped.
fn split_field(line: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = line.find(|character| {
        let ends = character == ':' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    })?;
    Some((&line[..end], &line[end + 1..]))
}

fn unescaped(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' {
            characters.next()
        } else {
            Some(character)
        });
    }
    text
}

#[cfg(unix)]
fn open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::password;

    #[test]
    fn a_line_fits_or_does_not() {
        let wanted = ["db.example", "5432", "roll", "ann"];
        for (case, line, found) in [
            ("exact", "db.example:5432:roll:ann:secret", Some("secret")),
            ("anything", "*:*:*:*:secret", Some("secret")),
            ("another user", "*:*:*:bob:secret", None),
            ("colons in the password", "*:*:*:*:a:b", Some("a:b")),
            ("escapes", r"*:*:*:ann:a\\b\:c", Some(r"a\b:c")),
            ("an escaped star", r"*:*:*:\*:secret", None),
            ("too short", "*:*:*:ann", None),
            ("a comment", "#*:*:*:*:secret", None),
        ] {
            assert_eq!(password(line, wanted).as_deref(), found, "{case}");
        }
    }
}
