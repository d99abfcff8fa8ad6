//! Which directory a command is about.

use crate::client::Api;
use crate::failure::Failure;

/// `--directory` of the commands that need one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Scope {
    /// Directory, by id or name; may be left out where there is only one
    #[arg(long, short, value_name = "ID|NAME")]
    pub(crate) directory: Option<String>,
}

impl Scope {
    /// The directory that is named, or the only one.
    pub(crate) async fn resolve(&self, api: &Api) -> Result<String, Failure> {
        if let Some(directory) = &self.directory {
            return Ok(directory.clone());
        }
        let all = api.items(&["directories"]).await?;
        match all.as_slice() {
            [] => Err(Failure::usage("there is no directory yet")
                .hint("make one with: portreeve directory create NAME --provider entra")),
            [only] => Ok(only["id"].as_str().unwrap_or_default().to_owned()),
            many => {
                let names: Vec<_> = many.iter().filter_map(|one| one["name"].as_str()).collect();
                Err(
                    Failure::usage("there are several directories; say which one with --directory")
                        .hint(format!("they are: {}", names.join(", "))),
                )
            }
        }
    }
}

/// Where to look when a directory was not found.
pub(crate) const DIRECTORIES: &str = "portreeve directory list shows the directories there are";
