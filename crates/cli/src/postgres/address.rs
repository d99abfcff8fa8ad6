//! A PostgreSQL URL whose password is kept apart, because other users of the machine see the words of a command.

use secrecy::{ExposeSecret, SecretString};
use std::process::Command;

pub(super) struct Address {
    shown: String,
    password: Option<SecretString>,
}

impl Address {
    /// Takes the password out of a URL, where a URL may have it: behind the user and among the parameters.
    pub(super) fn parse(url: &str) -> Self {
        let (front, query) = url.split_once('?').unwrap_or((url, ""));
        let (front, behind_user) = without_password(front);
        let is_password = |pair: &&str| pair.starts_with("password=");
        let parameter = query.split('&').rfind(is_password);
        let rest = query.split('&').filter(|pair| !is_password(pair));
        let rest = rest.collect::<Vec<_>>().join("&");
        let question = if rest.is_empty() { "" } else { "?" };
        let password = parameter
            .and_then(|pair| pair.split_once('=').map(|(_, value)| value))
            .or(behind_user);
        Self {
            password: password.map(|password| SecretString::from(decoded(password))),
            shown: format!("{front}{question}{rest}"),
        }
    }

    /// The URL without a password.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Gives the password to a program that is about to be run. Without one it looks where libpq looks.
    pub(super) fn hand_over(&self, command: &mut Command) {
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password.expose_secret());
        }
    }
}

fn without_password(front: &str) -> (String, Option<&str>) {
    let start = front.find("://").map_or(0, |at| at + 3);
    let end = front[start..]
        .find('/')
        .map_or(front.len(), |at| start + at);
    let Some(at) = front[start..end].rfind('@').map(|at| start + at) else {
        return (front.to_owned(), None);
    };
    match front[start..at].split_once(':') {
        None => (front.to_owned(), None),
        Some((user, password)) => {
            let shown = format!("{}{user}{}", &front[..start], &front[at..]);
            (shown, Some(password))
        }
    }
}

/// Undoes percent-encoding. What is no encoding stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%');
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_kept_apart() {
        for (url, shown, password) in [
            ("postgres://h/d", "postgres://h/d", None),
            ("postgres://ann@h:1/d?a=b", "postgres://ann@h:1/d?a=b", None),
            ("postgres://ann:x@h/d", "postgres://ann@h/d", Some("x")),
            (
                "postgres://ann:x%40%3Ay:z@h,i:2/d?a=b&c=d",
                "postgres://ann@h,i:2/d?a=b&c=d",
                Some("x@:y:z"),
            ),
            (
                "postgresql://ann:x@y@%2Fvar%2Frun/d",
                "postgresql://ann@%2Fvar%2Frun/d",
                Some("x@y"),
            ),
            (
                "postgres://h/d?a=b&password=x%26&c=d",
                "postgres://h/d?a=b&c=d",
                Some("x&"),
            ),
            (
                "postgres://ann:y@h/d?password=x",
                "postgres://ann@h/d",
                Some("x"),
            ),
            ("postgres://ann:50%@h", "postgres://ann@h", Some("50%")),
            ("postgres://ann:%c3%bc@h", "postgres://ann@h", Some("ü")),
            ("postgres:///a:b@c", "postgres:///a:b@c", None),
        ] {
            let address = Address::parse(url);
            assert_eq!(address.shown(), shown, "{url}");
            let found = address.password.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(found, password, "{url}");
        }
    }
}
