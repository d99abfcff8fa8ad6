//! What the machine says: environment variables, who runs this, where data belongs.

use crate::failure::Failure;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment, for the settings"
)]
pub(crate) fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// How a shell finds this program: by its name where that is on the path, else by its place.
pub(crate) fn program() -> String {
    const NAME: &str = "portreeve";
    let Ok(own) = std::env::current_exe().and_then(fs::canonicalize) else {
        return NAME.to_owned();
    };
    let path = var("PATH").unwrap_or_default();
    let is_own = |folder: PathBuf| fs::canonicalize(folder.join(NAME)).is_ok_and(|it| it == own);
    if std::env::split_paths(&path).any(is_own) {
        return NAME.to_owned();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let place = own.strip_prefix(&here).ok();
    // Without a folder in front of it a shell would look for it on the path.
    let place = place.filter(|place| place.components().count() > 1);
    place.unwrap_or(&own).display().to_string()
}

/// The data folder where nobody names one.
pub(crate) fn default_data() -> Result<PathBuf, Failure> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let has_systemd = Path::new("/run/systemd/system").exists();
    data_folder(is_root && has_systemd, var).ok_or_else(|| {
        Failure::usage("there is no place for data, because neither XDG_DATA_HOME nor HOME is set; say where with --data or PORTREEVE_DATA")
    })
}

fn data_folder(system: bool, var: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if system {
        return Some(PathBuf::from("/var/lib/portreeve"));
    }
    // A relative XDG_DATA_HOME is to be ignored (XDG Base Directory Specification).
    let shared = var("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(PathBuf::from(var("HOME")?).join(".local/share")));
    Some(shared?.join("portreeve"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_goes_where_the_machine_wants_it() {
        let xdg = ("XDG_DATA_HOME", "/xdg");
        let home = ("HOME", "/people/ada");
        for (name, system, vars, expected) in [
            (
                "root under systemd",
                true,
                vec![xdg, home],
                Some("/var/lib/portreeve"),
            ),
            ("XDG", false, vec![xdg, home], Some("/xdg/portreeve")),
            (
                "home",
                false,
                vec![home],
                Some("/people/ada/.local/share/portreeve"),
            ),
            (
                "relative XDG",
                false,
                vec![("XDG_DATA_HOME", "x"), home],
                Some("/people/ada/.local/share/portreeve"),
            ),
            ("nothing", false, vec![], None),
        ] {
            let var = |wanted: &str| {
                let found = vars.iter().find(|(name, _)| *name == wanted);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(
                data_folder(system, var).as_deref(),
                expected.map(Path::new),
                "{name}"
            );
        }
    }
}
