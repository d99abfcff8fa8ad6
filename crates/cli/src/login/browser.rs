//! The browser of whoever runs this.

use crate::environment;
use std::process::{Command, Stdio};
use std::thread;
use tokio::sync::oneshot;

#[cfg(target_os = "macos")]
const OPENER: &str = "open";
#[cfg(not(target_os = "macos"))]
const OPENER: &str = "xdg-open";

/// Whether a browser that is opened here is seen by the person. `BROWSER` says that it is; over SSH it is not, nor where
/// there is no screen.
pub(super) fn is_there(var: impl Fn(&str) -> Option<String>) -> bool {
    if var("BROWSER").is_some() {
        return true;
    }
    let is_remote = ["SSH_CONNECTION", "SSH_TTY"]
        .iter()
        .any(|name| var(name).is_some());
    let has_screen = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| var(name).is_some());
    has_screen && !is_remote
}

/// Opens an address. What comes back tells when that has failed; it may never tell anything.
pub(super) fn open(url: &str) -> oneshot::Receiver<()> {
    let (failed, told) = oneshot::channel();
    let named = environment::var("BROWSER");
    let words = named.as_deref().unwrap_or(OPENER).split_whitespace();
    let mut words = words.map(str::to_owned);
    let mut command = Command::new(words.next().unwrap_or_default());
    command
        .args(words)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Some openers stay for as long as the browser does; nobody waits for the thread.
    thread::spawn(move || {
        if !command.status().is_ok_and(|status| status.success()) {
            let _ = failed.send(());
        }
    });
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_there_where_somebody_sees_it() {
        let screen = ("DISPLAY", ":0");
        let ssh = ("SSH_CONNECTION", "192.0.2.7 1 192.0.2.8 22");
        for (name, vars, expected) in [
            ("a screen", vec![screen], true),
            ("Wayland", vec![("WAYLAND_DISPLAY", "wayland-0")], true),
            ("over SSH with a screen forwarded", vec![screen, ssh], false),
            (
                "over SSH with a browser that is said to work",
                vec![ssh, ("BROWSER", "x")],
                true,
            ),
            ("nothing", vec![], cfg!(target_os = "macos")),
        ] {
            let var = |wanted: &str| {
                let found = vars.iter().find(|(name, _)| *name == wanted);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(is_there(var), expected, "{name}");
        }
    }
}
