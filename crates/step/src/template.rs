//! What `step ssh config` writes on the machines of people and on hosts.

use crate::answer::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt::Write;

/// `POST /ssh/config`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Templates {
    /// For people.
    UserTemplates(Vec<Template>),
    /// For hosts.
    HostTemplates(Vec<Template>),
}

/// A file, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Template {
    name: &'static str,
    #[serde(rename = "type")]
    kind: Kind,
    path: &'static str,
    comment: &'static str,
    content: Bytes,
}

/// How the client writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// The whole file.
    File,
    /// A part of the file that is found again.
    Snippet,
    /// Its first line.
    PrependLine,
}

/// A variable that the client has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("required variable '{0}' is missing, please use `--set <key=value>` flag")]
pub struct Missing(&'static str);

impl Template {
    fn new(name: &'static str, kind: Kind, path: &'static str, content: String) -> Self {
        Self {
            name,
            kind,
            path,
            comment: "#",
            content: Bytes(content.into_bytes()),
        }
    }
}

/// What the client has sent; what is empty is as if it were not there.
struct Data<'a>(&'a Map<String, Value>);

impl<'a> Data<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        let text = self.0.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    }

    fn required(&self, name: &'static str) -> Result<&'a str, Missing> {
        self.get(name).ok_or(Missing(name))
    }

    fn is_windows(&self) -> bool {
        self.get("GOOS") == Some("windows")
    }

    /// A folder of `step` as `Include` takes it.
    fn included(&self, name: &str) -> String {
        let folder = self.get(name).unwrap_or_default();
        match self.is_windows() {
            true => {
                let folder = folder.replace('\\', "/");
                folder.strip_prefix("C:").unwrap_or(&folder).to_owned()
            }
            false => folder.to_owned(),
        }
    }
}

/// The files for somebody who logs in. `keys` are those that sign for hosts, in their form on the wire; `provisioner` is
/// the one that a sign-in goes to where the person names none.
#[must_use]
pub fn user(data: &Map<String, Value>, keys: &[Vec<u8>], provisioner: Option<&str>) -> Templates {
    let data = Data(data);
    let base = match data.get("StepBasePath") {
        Some(_) => data.included("StepBasePath"),
        None => data.included("StepPath"),
    };
    // Clients before 0.18 know no line that is put first.
    let (kind, path) = match data.get("StepSSHTemplateVersion") {
        Some(_) => (Kind::PrependLine, "${STEPPATH}/ssh/includes"),
        None => (Kind::File, "ssh/includes"),
    };
    let includes = format!("Include \"{}/ssh/config\"", data.included("StepPath"));
    let known = keys.iter().fold(String::new(), |mut text, key| {
        let _ = writeln!(text, "@cert-authority * {}", line(key));
        text
    });
    Templates::UserTemplates(vec![
        Template::new(
            "config.tpl",
            Kind::Snippet,
            "~/.ssh/config",
            format!("Host *\n\tInclude \"{base}/ssh/includes\""),
        ),
        Template::new("step_includes.tpl", kind, path, includes),
        Template::new(
            "step_config.tpl",
            Kind::File,
            "ssh/config",
            hosts(&data, provisioner),
        ),
        Template::new("known_hosts.tpl", Kind::File, "ssh/known_hosts", known),
    ])
}

/// What `ssh` does with hosts that are known here.
fn hosts(data: &Data<'_>, provisioner: Option<&str>) -> String {
    let step = data.get("StepPath").unwrap_or_default();
    let context = match data.get("Context") {
        Some(context) => format!(" --context {}", word(context, data.is_windows())),
        None => String::new(),
    };
    let mut text = format!("Match exec \"step ssh check-host{context} %h\"\n");
    if let Some(user) = data.get("User") {
        let _ = writeln!(text, "\tUser {user}");
    }
    let provisioner = match data.get("Provisioner").or(provisioner) {
        Some(name) => format!(" --provisioner {}", word(name, data.is_windows())),
        None => String::new(),
    };
    let options = match data.get("Console") {
        Some(_) if !data.is_windows() => format!("{context} --console{provisioner}"),
        _ => format!("{context}{provisioner}"),
    };
    let (known, shell) = match data.is_windows() {
        true => (
            format!("{step}\\ssh\\known_hosts"),
            "C:\\Windows\\System32\\cmd.exe /c ",
        ),
        false => (format!("{step}/ssh/known_hosts"), ""),
    };
    let _ = write!(
        text,
        "\tUserKnownHostsFile \"{known}\"\n\tProxyCommand {shell}step ssh proxycommand{options} %r %h %p\n"
    );
    text
}

/// A word of a command in a configuration of `ssh`, which a shell takes apart after `%` was replaced.
fn word(text: &str, is_windows: bool) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@+:/".contains(c);
    if text.chars().all(plain) {
        return text.to_owned();
    }
    let text = text.replace('%', "%%");
    match is_windows {
        true => format!("\"{}\"", text.replace('"', "")),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// The files for a host. `keys` are those that sign for people, in their form on the wire. A host with several keys names
/// them, and their certificates, with commas between.
///
/// # Errors
/// When the client has not said which key and certificate the host has.
pub fn host(data: &Map<String, Value>, keys: &[Vec<u8>]) -> Result<Templates, Missing> {
    let data = Data(data);
    let (certificates, host_keys) = (data.required("Certificate")?, data.required("Key")?);
    let mut sshd = "Match all\n\tTrustedUserCAKeys /etc/ssh/ca.pub".to_owned();
    for certificate in certificates.split(',') {
        let _ = write!(sshd, "\n\tHostCertificate /etc/ssh/{certificate}");
    }
    for key in host_keys.split(',') {
        let _ = write!(sshd, "\n\tHostKey /etc/ssh/{key}");
    }
    let trusted: String = keys.iter().map(|key| line(key) + "\n").collect();
    Ok(Templates::HostTemplates(vec![
        Template::new(
            "sshd_config.tpl",
            Kind::Snippet,
            "/etc/ssh/sshd_config",
            sshd,
        ),
        Template::new("ca.tpl", Kind::Snippet, "/etc/ssh/ca.pub", trusted),
    ]))
}

/// A key as a line of `authorized_keys` has it, without a comment.
fn line(key: &[u8]) -> String {
    let name = key.split_first_chunk::<4>().and_then(|(length, rest)| {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        std::str::from_utf8(rest.get(..length)?).ok()
    });
    format!("{} {}", name.unwrap_or_default(), STANDARD.encode(key))
}

#[cfg(test)]
mod tests;
