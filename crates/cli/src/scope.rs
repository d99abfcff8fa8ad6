//! Which directory a command is about, and which of its people or groups.

use crate::client::{Api, page_size};
use crate::failure::Failure;
use crate::live;
use serde_json::Value;

/// `--directory` of the commands that need one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Scope {
    /// Directory, by id or name; may be left out where there is only one
    #[arg(long, short, value_name = "ID|NAME", add = live::directories())]
    pub(crate) directory: Option<String>,
}

impl Scope {
    /// The directory that is named, or the only one.
    pub(crate) async fn resolve(&self, api: &Api) -> Result<String, Failure> {
        if let Some(directory) = &self.directory {
            return Ok(directory.clone());
        }
        let all = api.list(&["directories"], &[]).await?;
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

/// `--team` of the commands about what belongs to a team.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct OfTeam {
    /// Team, by name or id; needed only where there are several
    #[arg(long, value_name = "NAME", add = live::teams())]
    pub(crate) team: Option<String>,
}

impl OfTeam {
    pub(crate) fn query(&self) -> Vec<(&str, &str)> {
        let team = self.team.as_deref();
        team.map(|team| ("team", team)).into_iter().collect()
    }
}

/// `--location` of the commands that need one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AtLocation {
    /// Location, by name or id; may be left out where there is only one
    #[arg(long, short, value_name = "NAME", add = live::visit_locations())]
    pub(crate) location: Option<String>,
    #[command(flatten)]
    pub(crate) team: OfTeam,
}

impl AtLocation {
    /// The location that is named, or the only one.
    pub(crate) async fn resolve(&self, api: &Api) -> Result<String, Failure> {
        if let Some(location) = &self.location {
            return Ok(location.clone());
        }
        let all = api.list(&["visit-locations"], &self.team.query()).await?;
        match all.as_slice() {
            [] => Err(Failure::usage("there is no location yet")
                .hint("make one with: portreeve visit-location create NAME")),
            [only] => Ok(only["id"].as_str().unwrap_or_default().to_owned()),
            many => {
                let names: Vec<_> = many.iter().filter_map(|one| one["name"].as_str()).collect();
                Err(
                    Failure::usage("there are several locations; say which one with --location")
                        .hint(format!("they are: {}", names.join(", "))),
                )
            }
        }
    }
}

/// Which users or groups to list.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Listing {
    #[command(flatten)]
    scope: Scope,
    /// Only those that match a SCIM filter, such as: externalId eq "4711"
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Only those with this text in their names or e-mail addresses
    #[arg(long, value_name = "TEXT", conflicts_with = "filter")]
    search: Option<String>,
    /// At most so many [default: all]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

impl Listing {
    /// All of them; `kind` is `users` or `groups`.
    pub(crate) async fn fetch(&self, api: &Api, kind: &str) -> Result<Vec<Value>, Failure> {
        let directory = self.scope.resolve(api).await?;
        let limit = self.limit.unwrap_or(usize::MAX);
        let size = page_size(limit);
        // An empty cursor begins a walk (RFC 9865 section 2.1), which costs the same for every page.
        let mut query = vec![("count", size.as_str()), ("cursor", "")];
        if let Some(filter) = &self.filter {
            query.push(("filter", filter));
        }
        if let Some(text) = &self.search {
            query.push(("search", text));
        }
        let items = api
            .walk(&["directories", &directory, kind], &query, limit)
            .await;
        items.map_err(|failure| failure.hint_if_missing(DIRECTORIES))
    }
}

/// Where to look when a directory was not found.
pub(crate) const DIRECTORIES: &str = "portreeve directory list shows the directories there are";
